import { existsSync, readdirSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';

import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { ROOT } from './run.mjs';

const folder = join(ROOT, 'test/bench');
const name = process.argv[2] ?? '';
const known = existsSync(folder)
  ? readdirSync(folder)
      .filter((file) => file.endsWith('.mjs'))
      .map((file) => file.slice(0, -'.mjs'.length))
  : [];
if (!known.includes(name)) {
  const choice = known.length === 0 ? 'There is no benchmark yet.' : `Choose: ${known.join(', ')}.`;
  process.stderr.write(`No benchmark is called ${JSON.stringify(name)}. ${choice}\n`);
  process.exit(2);
}
await ensureInstalled();
await ensureBuilt();
// Benchmarks drive parts of the sources directly; what they start as a process is the build.
register('../test/support/typescript-loader.mjs', import.meta.url);
await import(join(folder, `${name}.mjs`));
