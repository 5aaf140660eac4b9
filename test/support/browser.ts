import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { type Browser, chromium, type Page } from 'playwright-core';

import { CHROMIUM } from './chromium.js';

/** The system's Chromium; `undefined` where there is none, which the setup says as `not verified`. */
export async function openBrowser(): Promise<Browser | undefined> {
  if (!existsSync(CHROMIUM)) return undefined;
  return await chromium.launch({
    executablePath: CHROMIUM,
    // Root has no sandbox; the background services look for hosts that a test must not depend on.
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-quic'],
  });
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Axe {
  run(): Promise<{
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  }>;
}

/** What axe finds wrong with the page as it is now, one line for each rule. Needs `bypassCSP`. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: Axe };
    const { violations } = await axe.run();
    return violations.map(
      ({ id, impact, nodes }) =>
        `${id} (${impact}) ${nodes.length} x ${nodes[0]?.html.slice(0, 200)}: ${nodes[0]?.failureSummary}`,
    );
  });
}
