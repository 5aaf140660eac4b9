import { parseArgs } from 'node:util';

import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { runTool } from './run.mjs';
import { prepareServers } from './test-servers.mjs';

const USAGE = 'npm run test:chaos -- --faults N [--seed S]';

/** `npm run test:chaos -- --faults 500`: a long round of test/faults/chaos.fault.test.ts. */
const { faults, seed } = readArguments();
await ensureInstalled();
await ensureBuilt();
await prepareServers();
const { code } = await runTool(
  'jest/bin/jest.js',
  ['--selectProjects', 'fault', '--testPathPatterns', 'test/faults/chaos'],
  {
    nodeArgs: ['--experimental-vm-modules', '--no-warnings'],
    env: {
      ...process.env,
      MILLRACE_TEST_FAULTS: String(faults),
      ...(seed === undefined ? {} : { MILLRACE_TEST_SEED: String(seed) }),
    },
  },
);
process.exitCode = code;

function readArguments() {
  try {
    const { values } = parseArgs({
      options: { faults: { type: 'string' }, seed: { type: 'string' } },
    });
    const faults = wholeNumber('--faults', values.faults, 1);
    if (faults === undefined) throw new Error('--faults is missing');
    return { faults, seed: wholeNumber('--seed', values.seed, 0) };
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
