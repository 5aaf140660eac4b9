import { expect, test } from '@jest/globals';

import { createLoginLink } from '../../src/store/first-administrator.js';
import { workerTokenHash } from '../../src/worker-link/http-link-server.js';
import { openApi } from '../support/api.js';
import { accessibilityProblems, openBrowser } from '../support/browser.js';

test('resource groups, gates and worker tokens are made and taken away in the console, and the audit has it', async () => {
  const browser = await openBrowser();
  if (browser === undefined) return console.log('not verified: resources in a browser');
  await using api = await openApi({ plugins: ['@millrace/plugin-shell'] });
  await api.database.run(
    `INSERT INTO workflow (workspace_id, name, draft) VALUES ($1, 'orders', '{}')`,
    [api.workspaceId],
  );
  try {
    const context = await browser.newContext({ locale: 'en', bypassCSP: true });
    const page = await context.newPage();
    const pageErrors: string[] = [];
    page.on('pageerror', (error) => pageErrors.push(String(error)));
    const user = { userName: 'owner', baseUrl: api.url };
    await page.goto(await createLoginLink(api.database, user));
    await page.goto(`${api.url}/w/finance/ops/resources`);

    await page.getByRole('button', { name: 'New resource group' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('nightly');
    await dialog.getByRole('textbox', { name: 'Slots', exact: true }).fill('20');
    await dialog.getByLabel('Quotas').fill('shell=4');
    await page.keyboard.press('Enter');
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save' }).click();
    const row = page.getByRole('row').filter({ hasText: 'nightly' });
    await row.getByText('0/20').waitFor();
    await row.getByText('shell ≤ 4').waitFor();
    await row.getByRole('button', { name: 'Drain: nightly' }).click();
    await row.getByText('Draining').waitFor();

    await row.getByRole('button', { name: 'nightly', exact: true }).click();
    await dialog.getByRole('textbox', { name: 'Slots', exact: true }).fill('5');
    await page.keyboard.press('Enter');
    await row.getByText('0/5').waitFor();

    await page.getByRole('tab', { name: 'Gates' }).click();
    await page.getByText('No gates yet').waitFor();
    await page.getByRole('button', { name: 'New gate' }).first().click();
    await dialog.getByRole('combobox', { name: 'Gate of' }).click();
    await page.getByRole('option', { name: 'Workflow' }).click();
    await dialog.getByRole('combobox', { name: 'Workflow', exact: true }).click();
    await page.getByRole('option', { name: 'orders' }).click();
    await dialog.getByLabel('Instances at once').fill('0');
    await dialog.getByRole('button', { name: 'Save' }).click();
    const gate = page.getByRole('row').filter({ hasText: 'Workflow orders' });
    await gate.getByText('0/0').waitFor();
    await gate.getByText('Shut').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await gate.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('No gates yet').waitFor();

    await page.goto(`${api.url}/w/finance/admin/worker-tokens`);
    await page.getByText('No token yet').waitFor();
    await page.getByRole('button', { name: 'New token' }).click();
    await dialog.getByLabel('Name').fill('not a name');
    await dialog.getByRole('button', { name: 'Make the token' }).click();
    await dialog.getByText('begins with a letter or digit').waitFor();
    await dialog.getByLabel('Name').fill('berlin');
    await dialog.getByRole('combobox', { name: 'Resource group' }).click();
    await page.getByRole('option', { name: 'nightly' }).click();
    await dialog.getByRole('button', { name: 'Make the token' }).click();
    await dialog.getByText('Copy it now').waitFor();
    const told = await dialog.locator('pre').first().innerText();
    const made = await api.database.rows(
      `SELECT t.name, g.name AS of FROM worker_token t
         JOIN resource_group g ON g.id = t.resource_group_id WHERE t.token_hash = $1`,
      [workerTokenHash(told)],
    );
    expect(made).toEqual([{ name: 'berlin', of: 'nightly' }]);
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'I have it' }).click();
    expect(await page.getByText(told).count()).toBe(0);
    await page.getByRole('button', { name: 'Revoke: berlin' }).click();
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('Revoked', { exact: true }).waitFor();

    await page.getByRole('link', { name: 'Audit' }).click();
    const entries = page.getByRole('row');
    await entries.filter({ hasText: 'workerToken.revoked' }).waitFor();
    const token = entries.filter({ hasText: 'workerToken.created' });
    expect(await token.innerText()).toMatch(/owner\s.*tok_1\s.*name, resourceGroup/s);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('combobox', { name: 'Action' }).fill('gate');
    await entries.filter({ hasText: 'workerToken' }).first().waitFor({ state: 'detached' });
    expect(new URL(page.url()).search).toBe('?action=gate');
    expect(await entries.filter({ hasText: 'owner' }).count()).toBe(2);
    await page.getByLabel('To day').fill('2020-01-01');
    await page.getByText('Nothing matches the filters').waitFor();
    expect(pageErrors).toEqual([]);
  } finally {
    await browser.close();
  }
});
