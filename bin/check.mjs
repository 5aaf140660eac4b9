import { performance } from 'node:perf_hooks';

import { fail } from './console.mjs';
import { ensureInstalled } from './install.mjs';
import { run, runTool } from './run.mjs';

/** Every check runs, also after one has failed: one run shows all there is to mend. */
const CHECKS = [
  { name: 'types', check: async () => await runTool('typescript/bin/tsc', ['-b']) },
  {
    name: 'types of the tests',
    check: async () => await runTool('typescript/bin/tsc', ['-p', 'test', '--noEmit']),
  },
  {
    name: 'types of the console',
    check: async () => await runTool('typescript/bin/tsc', ['-p', 'web']),
  },
  { name: 'lint', check: async () => await runTool('oxlint/bin/oxlint', ['--type-aware']) },
  { name: 'layers', check: async () => await run(process.execPath, ['bin/layers.mjs']) },
  {
    name: 'format',
    check: async () =>
      await runTool('prettier/bin/prettier.cjs', ['--check', '--log-level=warn', '.']),
  },
  { name: 'dead code', check: async () => await runTool('knip/bin/knip.js', ['--no-progress']) },
  {
    name: 'generated files',
    check: async () => await run(process.execPath, ['bin/docs.mjs', '--check']),
  },
];

await ensureInstalled();
const failed = [];
for (const { name, check } of CHECKS) {
  const start = performance.now();
  const { code } = await check();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${name}, ${seconds} s\n`);
  if (code !== 0) failed.push(name);
}
if (failed.length > 0) fail(`check failed: ${failed.join(', ')}`);
