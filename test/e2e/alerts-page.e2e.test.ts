import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';

import { createLoginLink } from '../../src/store/first-administrator.js';
import { openApi, type TestApi } from '../support/api.js';
import { accessibilityProblems, openBrowser } from '../support/browser.js';
import { openWebhook } from '../support/receivers.js';

async function signIn(api: TestApi, page: Page): Promise<void> {
  const user = { userName: 'owner', baseUrl: api.url };
  await page.goto(await createLoginLink(api.database, user));
}

async function openAlert(api: TestApi): Promise<void> {
  await api.database.run(
    `INSERT INTO alert (workspace_id, rule_id, subject, timezone, bizdate, instances, first_at, last_at, count)
     SELECT workspace_id, id, 's', 'UTC', '2026-11-20', 2, now(), now(), 1 FROM alert_rule`,
  );
}

test('a rule is made, tested, changed and removed in the console, and what it found is muted and closed', async () => {
  const browser = await openBrowser();
  if (browser === undefined) return console.log('not verified: alerts in a browser');
  await using receiver = await openWebhook();
  await using api = await openApi({ alertChannels: { webhookLocal: 'loopback' } });
  try {
    const context = await browser.newContext({ locale: 'en', bypassCSP: true });
    const page = await context.newPage();
    const pageErrors: string[] = [];
    page.on('pageerror', (error) => pageErrors.push(String(error)));
    await signIn(api, page);
    await page.goto(`${api.url}/w/finance/ops/alerts`);
    await page.getByText('No open alerts').waitFor();

    await page.getByRole('button', { name: 'New rule' }).click();
    await page.getByLabel('Name').fill('nightly');
    await page.getByRole('combobox', { name: 'Condition' }).click();
    await page.getByRole('option', { name: 'Not finished in time' }).click();
    await page.getByLabel('Finished by').fill('30:00');
    await page.getByRole('switch', { name: 'Webhook' }).click();
    await page.getByLabel('URL').fill(`${receiver.url}/t0ken`);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const row = page.getByRole('row').filter({ hasText: 'nightly' });
    await row.getByRole('button', { name: 'Send a test' }).click();
    await row.getByText('Webhook: Delivered 204 No Content').waitFor();
    expect(receiver.posts).toMatchObject([{ path: '/t0ken', json: { type: 'test' } }]);

    await row.getByText('nightly').click();
    await page.getByRole('dialog').getByLabel('Owner').fill('Ann');
    expect(await page.getByLabel('URL').inputValue()).toBe('');
    await page.getByRole('button', { name: 'Save' }).click();
    await row.getByText('Ann').waitFor();
    await row.getByRole('button', { name: 'Send a test' }).click();
    await row.getByText('Webhook: Delivered').waitFor();
    expect(receiver.posts[1]).toMatchObject({ path: '/t0ken', json: { rule: { owner: 'Ann' } } });

    await openAlert(api);
    await page.getByRole('tab', { name: 'Alerts' }).click();
    await page.getByText('was not finished by 30:00 UTC for business date 2026-11-20').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'Mute for an hour' }).click();
    await page.getByText('Muted until').waitFor();
    await page.getByRole('tabpanel').getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByText('No open alerts').waitFor();
    await page.getByRole('switch', { name: 'Closed ones too' }).click();
    await page.getByText('was not finished by').waitFor();

    await page.getByRole('tab', { name: 'Rules' }).click();
    await row.getByText('nightly').click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('No alert rules yet').waitFor();
    expect(pageErrors).toEqual([]);
  } finally {
    await browser.close();
  }
}, 180_000);
