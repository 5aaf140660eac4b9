/** Prints the path of `sync-process.ts` as one file: compiling its 200 sources takes longer than most syncs. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = join(ROOT, 'node_modules/.cache/millrace');

const build = await rolldown({
  cwd: ROOT,
  input: { 'sync-process': 'test/support/sync-process.ts' },
  platform: 'node',
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  transform: { target: 'node20.19' },
  external: (id) => !/^(?:[./\0]|@oxc-project\/|@millrace\/)/.test(id),
});
const name = `sync-process-${process.pid}.mjs`;
await build.write({ dir: FOLDER, format: 'esm', keepNames: true, entryFileNames: name });
// Test files that run at once make the same file.
const path = join(FOLDER, 'sync-process.mjs');
renameSync(join(FOLDER, name), path);
process.stdout.write(path);
