import { expect, test } from '@jest/globals';

import { createLoginLink } from '../../src/store/first-administrator.js';
import { openApi } from '../support/api.js';
import { accessibilityProblems, openBrowser } from '../support/browser.js';

test('a resource group and a gate are made, changed and taken away in the console', async () => {
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
    expect(pageErrors).toEqual([]);
  } finally {
    await browser.close();
  }
});
