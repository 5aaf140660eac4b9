import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { runTool } from './run.mjs';
import { prepareServers } from './test-servers.mjs';

/** `npm run test:full`: the whole matrices of which `npm test` takes a seeded sample. */
const MATRICES = [
  { ring: 'unit', pattern: 'test/calendar', variable: 'MILLRACE_TEST_ALL_ZONES', value: '1' },
  { ring: 'int', pattern: 'test/plan-patch', variable: 'MILLRACE_TEST_PATCH_WORLDS', value: '200' },
  { ring: 'fault', pattern: '.*crash-points', variable: 'MILLRACE_TEST_KILLS', value: '20' },
];

await ensureInstalled();
await ensureBuilt();
await prepareServers();
for (const { ring, pattern, variable, value } of MATRICES) {
  process.stdout.write(`\n${variable}=${value} ${pattern}\n`);
  const { code } = await runTool(
    'jest/bin/jest.js',
    ['--selectProjects', ring, '--testPathPatterns', pattern],
    {
      nodeArgs: ['--experimental-vm-modules', '--no-warnings'],
      env: { ...process.env, [variable]: value },
    },
  );
  if (code !== 0) process.exitCode = code;
}
