import { parseArgs } from 'node:util';

import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { runTool } from './run.mjs';
import { prepareServers } from './test-servers.mjs';

const USAGE = 'npm run test:chaos -- --faults N and/or --simulated N [--seed S]';

/**
 * `npm run test:chaos -- --faults 500`: a long round of test/faults/chaos.fault.test.ts.
 * `npm run test:chaos -- --simulated 10000`: so many instances in test/simulated-day.
 */
const { faults, simulated, seed } = readArguments();
await ensureInstalled();
await ensureBuilt();
await prepareServers();
if (faults !== undefined) await run('fault', 'test/faults/chaos', 'MILLRACE_TEST_FAULTS', faults);
if (simulated !== undefined)
  await run('int', 'test/simulated-day', 'MILLRACE_TEST_SIMULATED', simulated);

async function run(ring, pattern, variable, count) {
  const { code } = await runTool(
    'jest/bin/jest.js',
    ['--selectProjects', ring, '--testPathPatterns', pattern],
    {
      nodeArgs: ['--experimental-vm-modules', '--no-warnings'],
      env: {
        ...process.env,
        [variable]: String(count),
        ...(seed === undefined ? {} : { MILLRACE_TEST_SEED: String(seed) }),
      },
    },
  );
  if (code !== 0) process.exitCode = code;
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        faults: { type: 'string' },
        simulated: { type: 'string' },
        seed: { type: 'string' },
      },
    });
    const faults = wholeNumber('--faults', values.faults, 1);
    const simulated = wholeNumber('--simulated', values.simulated, 1);
    if (faults === undefined && simulated === undefined)
      throw new Error('--faults or --simulated is missing');
    return { faults, simulated, seed: wholeNumber('--seed', values.seed, 0) };
  } catch (error) {
    process.stderr.write(`${error.message}\nUse: ${USAGE}\n`);
    process.exit(2);
  }
}

function wholeNumber(name, text, least) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`${name} ${text} is not a whole number from ${least} on`);
  return value;
}
