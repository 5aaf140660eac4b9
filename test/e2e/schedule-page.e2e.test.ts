import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';

import { createLoginLink } from '../../src/store/first-administrator.js';
import type { TestApi } from '../support/api.js';
import { accessibilityProblems, openBrowser } from '../support/browser.js';
import { FakeClock } from '../support/line.js';
import { openScheduledApi } from '../support/scheduled-api.js';

const WORKSPACE = '/api/v1/workspaces/finance';
const node = { id: 'close', type: 'shell', config: { command: 'true' } };

// Absent where there is no Chromium, which the setup of the run has said: then nothing here can be shown.
let browser: Browser | undefined;
let context: BrowserContext;
let api: TestApi;
let page: Page;
const pageErrors: string[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  if (browser === undefined) return;
  api = await openScheduledApi(new FakeClock('2026-11-21T04:00:00Z'));
  context = await browser.newContext({ locale: 'en', reducedMotion: 'reduce', bypassCSP: true });
  page = await context.newPage();
  page.on('pageerror', (error) => pageErrors.push(String(error)));
  await page.goto(await createLoginLink(api.database, { userName: 'owner', baseUrl: api.url }));
}, 180_000);

afterAll(async () => {
  await browser?.close();
  if (browser !== undefined) await api[Symbol.asyncDispose]();
}, 60_000);

async function openWorkflow(name: string, draft: object, view: string): Promise<void> {
  const { json } = await api.send('POST', `${WORKSPACE}/workflows`, { body: { name, draft } });
  await page.goto(`${api.url}/w/finance/studio/wf/${String(json['id'])}?view=${view}`);
}

async function rowsOf(table: string): Promise<string[]> {
  const texts = await page.getByTestId(table).locator('tbody tr').allInnerTexts();
  return texts.map((text) => text.replaceAll(/\s+/g, ' ').trim());
}

/** Waits for the time of the first row: what is typed is asked of the server a moment later. */
async function firstRow(table: string, time: string): Promise<string> {
  await page.getByTestId(table).locator('tbody tr:first-child', { hasText: time }).waitFor();
  return (await rowsOf(table))[0] ?? '';
}

test('the schedule page shows the next times of what is typed, and what is wrong with it', async () => {
  if (browser === undefined) return;
  await openWorkflow('typed', { schedule: { cron: '30 2 * * *' }, nodes: [node] }, 'schedule');
  await firstRow('next-times', '2026-11-22 02:30:00');
  expect(await rowsOf('next-times')).toHaveLength(10);
  await page.getByLabel('Cron', { exact: true }).fill('15 6 * * MON');
  await firstRow('next-times', '2026-11-23 06:15:00');
  await page.getByLabel('Cron', { exact: true }).fill('15 6 * *');
  await page.getByTestId('problem').getByText('it needs five').waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
});

test('a schedule is written in words and saved with the draft', async () => {
  if (browser === undefined) return;
  await openWorkflow('words', { nodes: [node] }, 'schedule');
  await page.getByText('No times are given: it runs each day at midnight.').waitFor();
  await page.getByRole('combobox', { name: 'Runs' }).click();
  await page.getByRole('option', { name: 'on days of the month' }).click();
  await page.getByLabel('Days of the month').fill('15, -1');
  await page.getByLabel('Times of day').fill('06:00');
  await firstRow('next-times', '2026-11-30 06:00:00');
  expect((await rowsOf('next-times'))[1]).toMatch(
    /^2026-12-15 06:00:00 for business date 2026-12-14/,
  );
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole('button', { name: 'Save draft' }).click();
  await page.locator('[data-testid="draft-state"][data-state="saved"]').waitFor();
  const { items } = (await api.send('GET', `${WORKSPACE}/workflows`)).json as {
    items: { id: string; name: string }[];
  };
  const id = items.find(({ name }) => name === 'words')?.id ?? '';
  expect((await api.send('GET', `${WORKSPACE}/workflows/${id}`)).json['draft']).toEqual({
    nodes: [node],
    schedule: { period: { every: 'month', days: [15, -1], at: ['06:00'] } },
  });
});

test('a node is kept from backfills in its form, and the plan of a backfill says so', async () => {
  if (browser === undefined) return;
  const tell = { ...node, id: 'tell', needs: ['close'] };
  await openWorkflow('kept', { nodes: [node, tell] }, 'nodes');
  await page.getByRole('combobox', { name: 'Backfills' }).click();
  await page.getByRole('option', { name: 'may not run it' }).click();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole('button', { name: 'Save draft' }).click();
  await page.locator('[data-testid="draft-state"][data-state="saved"]').waitFor();
  const id = /wf_\d+/.exec(page.url())?.[0] ?? '';
  const path = `${WORKSPACE}/workflows/${id}`;
  expect((await api.send('GET', path)).json['draft']).toEqual({
    nodes: [{ ...node, backfill: 'forbidden' }, tell],
  });
  expect((await api.send('POST', `${path}/submit`, { body: {} })).status).toBe(201);
  await page.goto(`${api.url}/w/finance/ops/backfills?new=1`);
  await page.getByRole('combobox', { name: 'Workflow' }).click();
  await page.getByRole('option', { name: 'kept' }).click();
  await page.getByRole('button', { name: 'Show the plan' }).click();
  const plan = page.getByTestId('backfill-plan');
  await plan.getByText('Dry runs, because no backfill may run them: close.').waitFor();
  expect(await plan.locator('thead').innerText()).toMatch(/close\s+forbidden\s+tell\s*$/);
  expect(await plan.locator('tbody tr').first().innerText()).toMatch(/1 dry\s+1 run$/);
  expect(await accessibilityProblems(page)).toEqual([]);
});

test('the parameters page shows the values of the next instances and where each is declared', async () => {
  if (browser === undefined) return;
  await api.send('PATCH', `${WORKSPACE}/parameters`, { body: { region: 'eu' } });
  const parameters = { ds: '${yyyy-mm-dd}', me: '$taskid' };
  await openWorkflow('values', { parameters, nodes: [node] }, 'parameters');
  expect(await firstRow('parameter-preview', '2026-11-22 00:00:00')).toMatch(
    /^2026-11-22 00:00:00 eu 2026-11-21 .*\$taskid.* is not known here/,
  );
  const head = await page.getByTestId('parameter-preview').locator('thead').innerText();
  expect(head.replaceAll(/\s+/g, ' ')).toContain('region workspace eu ds workflow ${yyyy-mm-dd}');
  await page.getByLabel('From business date').fill('2024-02-28');
  expect(await firstRow('parameter-preview', '2024-02-29 00:00:00')).toContain(' eu 2024-02-28 ');
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(pageErrors).toEqual([]);
});
