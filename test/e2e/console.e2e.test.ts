/// <reference lib="dom" />
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';

import { accessibilityProblems, openBrowser } from '../support/browser.js';
import { Product, type Running } from './product.js';

const DAY_MS = 86_400_000;
const bizdate = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
const SIZE = { width: 1440, height: 900 };

let product: Product;
let running: Running;
// Absent where there is no Chromium, which the setup of the run has said: then nothing here can be shown.
let browser: Browser | undefined;
let context: BrowserContext;
let page: Page;
let url: string;
const pageErrors: string[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  if (browser === undefined) return;
  product = await Product.open();
  running = product.start([]);
  const [, link = ''] = await running.saw(/Sign in once with (\S+)/);
  url = new URL(link).origin;
  context = await browser.newContext({
    viewport: SIZE,
    locale: 'en',
    colorScheme: 'light',
    reducedMotion: 'reduce',
    // axe is put into the page, which its policy would refuse.
    bypassCSP: true,
  });
  page = await context.newPage();
  page.on('pageerror', (error) => pageErrors.push(String(error)));
  await page.goto(link);
}, 180_000);

afterAll(async () => {
  await browser?.close();
  if (browser !== undefined) {
    running.signalGroup('SIGINT');
    await running.ended;
    await product[Symbol.asyncDispose]();
  }
}, 60_000);

async function open(path: string): Promise<void> {
  await page.goto(`${url}/w/sample/${path}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
}

async function openInstance(node: string): Promise<Locator> {
  await open(`ops/instances?q=${node}&bizdate=${bizdate}`);
  await page.getByRole('link', { name: node, exact: true }).first().click();
  const heading = page.getByRole('heading', { level: 1 });
  await expectText(heading, node);
  return heading;
}

async function expectText(locator: Locator, text: string | RegExp): Promise<void> {
  await locator.filter({ hasText: text }).first().waitFor({ timeout: 20_000 });
}

describe('the console in a browser', () => {
  const inBrowser = (name: string, run: () => Promise<void>, timeout = 60_000): void =>
    test(
      name,
      async () => {
        if (browser === undefined) console.log('not verified: console in a browser');
        else await run();
      },
      timeout,
    );

  inBrowser('the printed link signs in, once, and leads to the home page', async () => {
    await page.waitForURL('**/w/sample/home');
    await expectText(page.getByRole('heading', { level: 1 }), 'Home');
    const [, link = ''] = running.text().match(/Sign in once with (\S+)/) ?? [];
    const stranger = await (browser as Browser).newContext();
    const other = await stranger.newPage();
    await other.goto(link);
    expect(await other.content()).toContain('MR-A102');
    await other.goto(`${url}/w/sample/home`);
    await expectText(other.getByRole('heading', { level: 1 }), 'Sign in to Millrace');
    await stranger.close();
  });

  inBrowser(
    'the sample, run from the home page, moves on the timeline without a reload',
    async () => {
      const timeline = await context.newPage();
      await timeline.goto(`${url}/w/sample/ops/timeline?bizdate=${bizdate}`);
      await timeline.getByTestId('timeline-plot').waitFor();
      const succeeded = async (): Promise<number> =>
        Number(
          await timeline
            .locator('[data-state=succeeded][data-count]')
            .first()
            .getAttribute('data-count'),
        );
      const before = await succeeded();
      await timeline.evaluate(() => Object.assign(globalThis, { isSamePage: true }));
      await page.bringToFront();
      await page.getByRole('button', { name: 'Run the sample' }).first().click();
      const confirm = page.getByTestId('confirm-run');
      if (await confirm.isVisible()) await confirm.click();
      await timeline.bringToFront();
      await timeline.waitForFunction(
        (wanted) =>
          Number(
            document
              .querySelector('[data-state=succeeded][data-count]')
              ?.getAttribute('data-count'),
          ) >= wanted,
        before + 3,
        { timeout: 45_000 },
      );
      expect(await timeline.evaluate(() => 'isSamePage' in globalThis)).toBe(true);
      await timeline.close();
    },
  );

  inBrowser('a waiting node says what it waits for, by name', async () => {
    await openInstance('publish_species');
    await page.getByRole('tab', { name: 'Why' }).click();
    const upstream = page.locator('[data-gate=upstream]');
    await expectText(upstream, 'count_species');
  });

  inBrowser('the log of the failed node is searched on the server', async () => {
    await openInstance('count_species');
    await page.getByRole('tab', { name: 'Logs' }).click();
    const viewer = page.getByTestId('log-viewer');
    await expectText(viewer, 'birdstrike');
    await viewer.click();
    await page.keyboard.press('Control+f');
    await page.getByRole('search').getByRole('textbox').first().fill('does not exist');
    await expectText(page.getByTestId('log-search-count'), /[1-9]/);
  });

  inBrowser(
    'the failed node, mended and rerun, becomes green and frees the one below',
    async () => {
      await open('studio');
      await page.getByRole('link', { name: 'sample_fix_me' }).first().click();
      await expectText(page.getByRole('heading', { level: 1 }), 'sample_fix_me');
      const node = page.getByRole('button', { name: /count_species/ }).first();
      await node.click();
      const sql = page.getByRole('textbox', { name: /sql/i }).first();
      const text = await sql.inputValue();
      expect(text).toContain('birdstrike');
      await sql.fill(text.replace(/\bbirdstrike\b/, 'birdstrikes'));
      await page
        .getByRole('button', { name: /Save draft/ })
        .first()
        .click();
      await page.locator('[data-testid=draft-state][data-state=saved]').waitFor();
      await page
        .getByRole('button', { name: /^Submit/ })
        .first()
        .click();
      const dialog = page.getByRole('dialog');
      await expectText(dialog, 'It becomes version 2');
      await dialog.getByRole('button', { name: 'Submit' }).click();
      await page.locator('[data-testid=draft-state][data-state=submitted]').waitFor();

      await openInstance('count_species');
      await page.getByRole('button', { name: 'Rerun' }).first().click();
      await expectText(page.getByTestId('operation-preview'), 'publish_species');
      const choice = page.getByTestId('code-choice');
      await expectText(choice.locator('mark').first(), 'FROM birdstrike');
      await expectText(choice.locator('mark').last(), 'FROM birdstrikes');
      expect(await accessibilityProblems(page)).toEqual([]);
      await choice.getByRole('radio', { checked: true }).focus();
      await page.keyboard.press('ArrowDown');
      expect(await choice.getByRole('radio', { checked: true }).inputValue()).toBe('planned');
      await page.locator('[data-testid=confirm-operation]:enabled').click();
      await page.getByRole('tab', { name: 'Attempts' }).click();
      await page.getByRole('region', { name: 'attempt 1 of run 2' }).waitFor({ timeout: 30_000 });

      await page.getByRole('button', { name: 'Rerun' }).first().click();
      await choice.getByRole('radio', { name: 'Of the latest version', checked: true }).waitFor();
      await page.getByTestId('confirm-operation').click();
      await page.locator('main [data-state=succeeded]').first().waitFor({ timeout: 30_000 });
      await openInstance('publish_species');
      await page.locator('main [data-state=succeeded]').first().waitFor({ timeout: 30_000 });
      await open('home');
      await expectText(page.locator('li', { hasText: 'failing node' }), 'done');
    },
    120_000,
  );

  inBrowser('a rerun with downstream shows first what runs again with it', async () => {
    await openInstance('count_species');
    await page.getByTestId('further-operations').click();
    await page.getByRole('menuitem', { name: 'Rerun with downstream' }).click();
    const preview = page.getByTestId('operation-preview');
    await expectText(preview, 'publish_species');
    await expectText(preview, 'runs again');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await preview.waitFor({ state: 'hidden' });
  });

  inBrowser('theme and language change at once and stay', async () => {
    await open('home');
    await page.getByRole('button', { name: 'Theme' }).click();
    await page.getByRole('menuitem', { name: 'Dark' }).click();
    await page.locator('html[data-mantine-color-scheme=dark]').waitFor();
    await page.getByRole('button', { name: /Language/ }).click();
    await page.getByRole('menuitem', { name: '简体中文' }).click();
    await expectText(page.getByRole('navigation').first(), '时间线');
    await page.reload();
    await expectText(page.getByRole('navigation').first(), '时间线');
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
  });

  inBrowser('an unknown page and an unknown workspace say so', async () => {
    await page.evaluate(() => localStorage.setItem('millrace-language', 'en'));
    await page.goto(`${url}/w/sample/nowhere`);
    await page.getByText('There is no such page').waitFor();
    await page.goto(`${url}/w/nobody/home`);
    await page.getByText('No such workspace').waitFor();
  });

  describe('has nothing that axe finds wrong', () => {
    const pages = [
      ['home', 'home'],
      ['the timeline', `ops/timeline?bizdate=${bizdate}`],
      ['the timeline as a table', `ops/timeline?bizdate=${bizdate}&view=table`],
      ['the instances', 'ops/instances'],
      ['an instance', 'INSTANCE?tab=summary'],
      ['why', 'INSTANCE?tab=why'],
      ['a log', 'INSTANCE?tab=logs'],
      ['an instance in the drawer', `ops/timeline?bizdate=${bizdate}&tab=summary&inst=ID`],
      ['the backfills', 'ops/backfills'],
      ['a new backfill', 'ops/backfills?new=1'],
      ['the workflows', 'studio'],
      ['a workflow', 'WORKFLOW'],
      ['the dependencies of a workflow', 'WORKFLOW?view=edges'],
      ['the alerts', 'ops/alerts'],
      ['the alert rules', 'ops/alerts?tab=rules'],
      ['the audit', 'admin/audit'],
      ['the worker tokens', 'admin/worker-tokens'],
      ['the data sources', 'data/sources'],
      ['a new data source', 'data/sources?new=1'],
    ] as const;
    const modes = [
      ['light', 'en'],
      ['dark', 'en'],
      ['light', 'zh-CN'],
      ['dark', 'zh-CN'],
    ] as const;
    let instance = '';
    let workflow = '';

    beforeAll(async () => {
      if (browser === undefined) return;
      const read = async (path: string): Promise<{ items: { id: string }[] }> =>
        await page.evaluate(
          async (at) => (await fetch(`/api/v1/workspaces/sample/${at}`)).json() as never,
          path,
        );
      instance = (await read('instances?node=count_species&limit=1')).items[0]?.id ?? '';
      workflow = (await read('workflows?limit=1')).items[0]?.id ?? '';
    });

    for (const [scheme, language] of modes) {
      inBrowser(
        `on any page, ${scheme}, ${language}`,
        async () => {
          await page.evaluate(
            ([theme, lang]) => {
              localStorage.setItem('mantine-color-scheme-value', theme);
              localStorage.setItem('millrace-language', lang);
            },
            [scheme, language] as const,
          );
          const found: Record<string, string[]> = {};
          for (const [name, path] of pages) {
            await open(
              path
                .replace('INSTANCE', `ops/instances/${instance}`)
                .replace('WORKFLOW', `studio/wf/${workflow}`)
                .replace('inst=ID', `inst=${instance}`),
            );
            await page.waitForLoadState('networkidle').catch(() => undefined);
            await page.waitForFunction(
              () => document.querySelector('.mantine-Loader-root') === null,
            );
            const problems = await accessibilityProblems(page);
            if (problems.length > 0) found[name] = problems;
          }
          expect(found).toEqual({});
        },
        180_000,
      );
    }
  });

  inBrowser('no page threw an error on the way', () => {
    expect(pageErrors).toEqual([]);
    return Promise.resolve();
  });
});
