import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';

import { createLoginLink } from '../../src/store/first-administrator.js';
import type { TestApi } from '../support/api.js';
import { World } from '../integration/worker/world.js';
import { accessibilityProblems, openBrowser } from '../support/browser.js';
import { FakeClock } from '../support/line.js';
import { openScheduledApi } from '../support/scheduled-api.js';

const WORKSPACE = '/api/v1/workspaces/finance';
const shell = { type: 'shell', config: { command: 'true' } };

// Absent where there is no Chromium, which the setup of the run has said: then nothing here can be shown.
let browser: Browser | undefined;
let api: TestApi;
let page: Page;

beforeAll(async () => {
  browser = await openBrowser();
  if (browser === undefined) return;
  api = await openScheduledApi(new FakeClock('2026-11-21T04:00:00Z'));
  const context = await browser.newContext({
    locale: 'en',
    reducedMotion: 'reduce',
    bypassCSP: true,
  });
  page = await context.newPage();
  await page.goto(await createLoginLink(api.database, { userName: 'owner', baseUrl: api.url }));
}, 180_000);

afterAll(async () => {
  await browser?.close();
  if (browser !== undefined) await api[Symbol.asyncDispose]();
}, 60_000);

async function submit(name: string, nodes: readonly object[]): Promise<void> {
  const body = { name, draft: { nodes } };
  const { json } = await api.send('POST', `${WORKSPACE}/workflows`, { body });
  const path = `${WORKSPACE}/workflows/${String(json['id'])}/submit`;
  expect((await api.send('POST', path, { body: {} })).status).toBe(201);
}

test('a backfill into other workflows is asked for with a switch, and its pages name them', async () => {
  if (browser === undefined) return;
  await submit('orders', [
    { ...shell, id: 'load' },
    { ...shell, id: 'clean', needs: ['load'] },
  ]);
  await submit('reports', [
    { ...shell, id: 'daily', needs: [{ workflow: 'orders', node: 'clean' }] },
    { ...shell, id: 'mail', needs: ['daily'] },
  ]);
  await page.goto(`${api.url}/w/finance/ops/backfills?new=1`);
  await page.getByRole('combobox', { name: 'Workflow' }).click();
  await page.getByRole('option', { name: 'orders' }).click();
  await page.getByRole('combobox', { name: 'Nodes', exact: true }).click();
  await page.getByRole('option', { name: 'Chosen nodes and all below them' }).click();
  await page.getByRole('combobox', { name: 'Which nodes' }).fill('load');
  await page.keyboard.press('Enter');
  await page.getByRole('combobox', { name: 'Leave out' }).fill('reports/daily');
  await page.keyboard.press('Enter');
  await page.getByLabel('Into other workflows too').check({ force: true });
  await page.getByRole('button', { name: 'Show the plan' }).click();
  const plan = page.getByTestId('backfill-plan');
  await plan.getByText('Nodes of orders (version 1), reports (version 1).').waitFor();
  await plan.getByText('and others need them: reports/daily.').waitFor();
  expect(await plan.locator('thead').innerText()).toMatch(
    /load\s+clean\s+reports\/mail\s+reports\/daily\s+left out\s*$/,
  );
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole('button', { name: 'Start the backfill' }).click();
  await page.getByRole('link', { name: 'See its progress' }).click();
  await page.getByText('orders, reports', { exact: true }).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole('link', { name: 'On the timeline' }).click();
  await page.locator('[data-kind=node]', { hasText: 'mail' }).waitFor();
  await page.goto(`${api.url}/w/finance/ops/backfills`);
  await page.getByText('and reports', { exact: true }).waitFor();
});

test('bars of the timeline are chosen by keys, clicks and state, and operated on together', async () => {
  if (browser === undefined) return;
  const { json } = await api.send('GET', `${WORKSPACE}/workflows`);
  const orders = (json['items'] as { id: string; name: string }[])[0]?.id ?? '';
  const runs = `${WORKSPACE}/workflows/${orders}/runs`;
  expect((await api.send('POST', runs, { body: { bizdate: '2026-11-20' } })).status).toBe(202);
  await page.goto(`${api.url}/w/finance/ops/timeline?bizdate=2026-11-20&runGroupKind=test`);
  const rows = page.locator('[data-kind=node]');
  const bar = page.getByTestId('bulk-bar');
  await rows.nth(0).click({ modifiers: ['Control'] });
  await bar.getByText('1 selected').waitFor();
  await rows.nth(1).click({ modifiers: ['Shift'] });
  await bar.getByText('2 selected').waitFor();
  expect(await rows.nth(1).getAttribute('aria-selected')).toBe('true');
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await bar.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Select', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Waiting for upstream' }).click();
  await bar.getByText('1 selected').waitFor();
  await bar.getByRole('button', { name: 'Freeze' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByTestId('operation-preview').getByText('clean').first().waitFor();
  await dialog.getByLabel('Comment').fill('until it is repaired');
  await dialog.getByTestId('confirm-operation').click();
  await page.getByText('1 instance frozen').waitFor();
  await bar.waitFor({ state: 'detached' });
  const list = `${WORKSPACE}/instances?frozen=true&runGroupKind=test`;
  const frozen = (await api.send('GET', list)).json['items'];
  expect(frozen).toMatchObject([{ node: { name: 'clean' } }]);

  await page.getByRole('combobox', { name: 'Runs' }).click();
  const answer = page.waitForResponse(/timeline\?.*runGroupKind=scheduled%2Ctest%2Cmanual/);
  await page.getByRole('option', { name: 'Without backfills' }).click();
  await answer;
  await rows.nth(1).focus();
  await page.keyboard.press('Control+a');
  await bar.getByText('2 selected').waitFor();
  await page.getByRole('button', { name: 'Table' }).click();
  const chosen = page.getByRole('checkbox', { checked: true });
  await chosen.nth(1).waitFor();
  expect(await chosen.count()).toBe(2);
  expect(await accessibilityProblems(page)).toEqual([]);
});

test('a backfill of what is missing looks at the data sources when its switch is on, and says what has gone and what it could not look at', async () => {
  if (browser === undefined) return;
  await using world = await World.open();
  const root = await mkdtemp(join(tmpdir(), 'millrace-partitions-'));
  const partition = (day: string): string => join(root, 'orders', `ds=${day}`);
  for (const day of ['20261101', '20261102'])
    await mkdir(join(partition(day), 'rows'), { recursive: true });
  await world.dataSource('files', 'file', { root });
  await world.dataSource('archive', 'file', { root: join(root, 'not-mounted') });
  const node = (id: string, dataSource: string): object => ({
    ...shell,
    id,
    parameters: { ds: '$bizdate' },
    outputs: [{ dataSource, table: 'orders', partition: 'ds=${ds}' }],
  });
  const draft = { nodes: [node('load', 'files'), node('keep', 'archive')] };
  const { id } = await world.post('workflows', { name: 'days', draft });
  await world.post(`workflows/${String(id)}/submit`, {});
  const dates = { from: '2026-11-01', to: '2026-11-02', parallelism: 2 };
  const whole = await world.post('backfills', { workflow: 'days', name: 'whole', ...dates });
  await world.backfillEnded(String(whole['id']));
  await rm(partition('20261102'), { recursive: true });

  const { database, url } = world.api;
  await using context = await browser.newContext({
    locale: 'en',
    reducedMotion: 'reduce',
    bypassCSP: true,
  });
  const own = await context.newPage();
  await own.goto(await createLoginLink(database, { userName: 'owner', baseUrl: url }));
  await own.goto(`${url}/w/finance/ops/backfills?new=1`);
  await own.getByRole('combobox', { name: 'Workflow' }).click();
  await own.getByRole('option', { name: 'days' }).click();
  await own.getByLabel('From business date').fill(dates.from);
  await own.getByLabel('To business date').fill(dates.to);
  await own.getByRole('combobox', { name: 'Cycles' }).click();
  await own.getByRole('option', { name: 'missing' }).click();
  await own.getByLabel('Look at the data sources too').check({ force: true });
  await own.getByRole('button', { name: 'Show the plan' }).click();
  const missing = own.getByTestId('missing-cycles');
  await missing.getByText('1 cycle is missing: its output has gone at the source').waitFor();
  await missing.getByText('load, 2026-11-02 (files, orders, ds=20261102)').waitFor();
  await missing.getByText(/^archive, orders, by workers of default: MR-D206: /).waitFor();
  await missing.getByText('keep, 2026-11-01 (archive, orders, ds=20261101)').waitFor();
  expect(await accessibilityProblems(own)).toEqual([]);
  await own.getByRole('button', { name: 'Start the backfill' }).click();
  await own.getByRole('link', { name: 'See its progress' }).waitFor();
  await rm(root, { recursive: true });
}, 120_000);
