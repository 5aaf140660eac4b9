import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import { ensureBuilt } from './build.mjs';
import { elapsed } from './console.mjs';
import { ensureInstalled } from './install.mjs';
import { runTool } from './run.mjs';
import { prepareServers } from './test-servers.mjs';

const RINGS = ['unit', 'int', 'fault', 'e2e'];
/**
 * Tests with servers wait as much as they work, so there are as many files at once also on two cores; those that
 * kill processes run into leases where all is busy.
 */
const LEAST_WORKERS = { int: 3, fault: 2, e2e: 2 };

/** `npm test`, `npm test -- int fault`, `npm test -- int --testPathPatterns store`. */
const args = process.argv.slice(2);
const chosen = args.filter((word) => RINGS.includes(word));
const more = args.filter((word) => !RINGS.includes(word));
const rings = chosen.length === 0 ? RINGS : chosen;

await ensureInstalled();
await ensureBuilt();
if (rings.some((ring) => ring !== 'unit')) await prepareServers();

const folder = mkdtempSync(join(tmpdir(), 'millrace-rings-'));
const total = { passed: 0, failed: 0, skipped: 0 };
const times = [];
const notVerified = new Set();
let isOk = true;
try {
  for (const ring of rings) {
    const start = performance.now();
    const { code, counts } = await runRing(ring);
    times.push(
      `${ring} ${((performance.now() - start) / 1000).toFixed(1)} s (${counts.passed} passed)`,
    );
    for (const key of Object.keys(total)) total[key] += counts[key];
    if (code !== 0) isOk = false;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`\nrings: ${times.join(', ')}; ${elapsed()} in all\n`);
for (const line of notVerified) process.stdout.write(`${line}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
if (!isOk || total.failed > 0) process.exitCode = 1;

function workersOf(ring) {
  return Math.max(LEAST_WORKERS[ring], Math.floor(availableParallelism() / 2));
}

async function runRing(ring) {
  const outputFile = join(folder, `${ring}.json`);
  const { code, output } = await runTool(
    'jest/bin/jest.js',
    [
      '--selectProjects',
      ring,
      '--passWithNoTests',
      ...(ring === 'unit' ? [] : [`--maxWorkers=${workersOf(ring)}`]),
      '--json',
      `--outputFile=${outputFile}`,
      ...more,
    ],
    { onText: () => undefined, nodeArgs: ['--experimental-vm-modules', '--no-warnings'] },
  );
  for (const [line] of output.matchAll(/^\s*not verified: .*$/gm)) notVerified.add(line.trim());
  // Without a report the ring itself broke down, e.g. no PostgreSQL: that is a failure, not nothing.
  if (!existsSync(outputFile))
    return { code: code === 0 ? 1 : code, counts: { ...zero(), failed: 1 } };
  const report = JSON.parse(readFileSync(outputFile, 'utf8'));
  return {
    code,
    counts: {
      passed: report.numPassedTests,
      // A file that cannot be loaded has no tests to count.
      failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
      skipped: report.numPendingTests + report.numTodoTests,
    },
  };
}

function zero() {
  return { passed: 0, failed: 0, skipped: 0 };
}
