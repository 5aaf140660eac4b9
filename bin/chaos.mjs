import { parseArgs } from 'node:util';

import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { runTool } from './run.mjs';
import { prepareServers } from './test-servers.mjs';

const USAGE =
  'npm run test:chaos -- --faults N, --simulated N, --outage SECONDS and/or --kills N [--seed S]';

/**
 * `npm run test:chaos -- --faults 500`: a long round of test/faults/chaos.fault.test.ts.
 * `npm run test:chaos -- --simulated 10000`: so many instances in test/simulated-day.
 * `npm run test:chaos -- --outage 90`: PostgreSQL away so long under 50 running syncs.
 * `npm run test:chaos -- --kills 50`: so many processes killed at each named crash point, and answers to COMMIT lost.
 */
const { faults, simulated, outage, kills, seed } = readArguments();
await ensureInstalled();
await ensureBuilt();
await prepareServers();
if (faults !== undefined) await run('fault', 'test/faults/chaos', 'MILLRACE_TEST_FAULTS', faults);
if (simulated !== undefined)
  await run('int', 'test/simulated-day', 'MILLRACE_TEST_SIMULATED', simulated);
if (outage !== undefined)
  await run('fault', 'test/faults/database-restart', 'MILLRACE_TEST_OUTAGE', outage);
if (kills !== undefined) {
  await run('fault', 'test/faults/(slices|.*crash-points)', 'MILLRACE_TEST_KILLS', kills);
  await run('int', 'dataplane/resume', 'MILLRACE_TEST_KILLS', kills);
}

async function run(ring, pattern, variable, count) {
  const { code } = await runTool(
    'jest/bin/jest.js',
    // After a thousand cut connections Node 20 has waited at its own end for ever, in the cleanup of its handles.
    ['--selectProjects', ring, '--testPathPatterns', pattern, '--forceExit'],
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
        outage: { type: 'string' },
        kills: { type: 'string' },
        seed: { type: 'string' },
      },
    });
    const faults = wholeNumber('--faults', values.faults, 1);
    const simulated = wholeNumber('--simulated', values.simulated, 1);
    const outage = wholeNumber('--outage', values.outage, 1);
    const kills = wholeNumber('--kills', values.kills, 1);
    if ([faults, simulated, outage, kills].every((each) => each === undefined))
      throw new Error('--faults, --simulated, --outage or --kills is missing');
    return { faults, simulated, outage, kills, seed: wholeNumber('--seed', values.seed, 0) };
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
