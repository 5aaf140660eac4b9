import { expect, test } from '@jest/globals';

import { InstanceGenerator } from '../../src/scheduler/instance-generator.js';
import { createLoginLink } from '../../src/store/first-administrator.js';
import { accessibilityProblems, openBrowser } from '../support/browser.js';
import { FakeClock } from '../support/line.js';
import { openScheduledApi } from '../support/scheduled-api.js';

const WORKFLOWS = '/api/v1/workspaces/finance/workflows';

function draftOf(...nodes: readonly string[]): object {
  return {
    timezone: 'Asia/Shanghai',
    schedule: { cron: '0 6 * * *' },
    nodes: nodes.map((id) => ({ id, type: 'shell', config: { command: 'true' } })),
  };
}

test('what was submitted after the seal is shown against the plan in the console, and patched into it', async () => {
  const browser = await openBrowser();
  if (browser === undefined) return console.log('not verified: plans in a browser');
  const clock = new FakeClock('2026-11-21T04:00:00Z');
  await using api = await openScheduledApi(clock);
  try {
    const body = { name: 'books', draft: draftOf('close', 'count') };
    const made = await api.send('POST', WORKFLOWS, { body });
    const workflow = `${WORKFLOWS}/${String(made.json['id'])}`;
    await api.send('POST', `${workflow}/submit`, { body: {} });
    clock.set('2026-11-21T15:30:00Z');
    const settings = { cutoff: '22:00', seal: '23:30' };
    await new InstanceGenerator(api.database, clock, api.wakeBus, settings).generateDue();
    const shown = await api.send('GET', workflow);
    await api.send('PATCH', workflow, {
      body: { draft: draftOf('close', 'report') },
      headers: { 'If-Match': shown.headers.get('etag') ?? '' },
    });

    const context = await browser.newContext({ locale: 'en', bypassCSP: true });
    const page = await context.newPage();
    const pageErrors: string[] = [];
    page.on('pageerror', (error) => pageErrors.push(String(error)));
    await page.goto(await createLoginLink(api.database, { userName: 'owner', baseUrl: api.url }));
    await page.goto(`${api.url}/w/finance/studio/wf/${String(made.json['id'])}?view=versions`);
    // After midnight: what was planned for tomorrow is of today, and still to come.
    clock.set('2026-11-21T17:00:00Z');
    await page.getByRole('button', { name: 'Submit' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'Planned from' }).click();
    await page.getByRole('option', { name: 'Immediately' }).click();
    const foreseen = dialog.getByTestId('submit-preview');
    await foreseen.getByText('It becomes version 2, planned from business date').waitFor();
    await foreseen.getByText('Plan of 2026-11-21 (Asia/Shanghai) sealed').waitFor();
    await foreseen.getByText('0 edges on business date 2026-11-21').waitFor();
    const gone = foreseen.getByRole('link', { name: 'books/count' });
    expect(await gone.getAttribute('href')).toContain('/ops/instances?bizdate=2026-11-21');
    expect(await accessibilityProblems(page)).toEqual([]);
    await foreseen.getByRole('link', { name: 'books/report' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(new URL(page.url()).searchParams.get('node')).toBe('report');
    clock.set('2026-11-21T15:30:00Z');
    await page.getByRole('button', { name: 'Submit' }).click();
    await dialog.getByRole('combobox', { name: 'Planned from' }).click();
    await page.getByRole('option', { name: 'The third day' }).click();
    await foreseen.getByText('Plans that are made already stay as they are.').waitFor();
    await dialog.getByRole('button', { name: 'Submit' }).click();
    await page.getByText('It is planned from business date 2026-11-22').waitFor();

    await page.getByRole('tab', { name: 'Versions' }).click();
    await page.getByRole('button', { name: 'What it would change of the plan' }).click();
    const difference = page.getByTestId('plan-patch');
    await difference.getByText('Added: 1').waitFor();
    await difference.getByText('books/report').waitFor();
    await difference.getByText('Cancelled: 1').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Patch the plan' }).click();
    await page.getByText('The plan of 2026-11-21 was patched').waitFor();

    await page.goto(`${api.url}/w/finance/ops/plans`);
    const row = page.getByRole('row').filter({ hasText: '2026-11-21' });
    await row.getByText('Sealed').waitFor();
    await row.getByText('patched, 1×').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(pageErrors).toEqual([]);
  } finally {
    await browser.close();
  }
});
