import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { fail, progress } from './console.mjs';
import { ensureInstalled } from './install.mjs';
import { ROOT, runTool } from './run.mjs';

const STAMP = join(ROOT, 'dist/.built-from');
const SKIPPED = new Set(['node_modules', 'dist']);

/** Compiles when a source has changed since the last time. Looking costs some 20 ms; `tsc -b` itself a second. */
export async function ensureBuilt() {
  const sources = fingerprint();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sources) return;
  const done = progress('building');
  const { code, output } = await runTool('typescript/bin/tsc', ['-b'], { quiet: true });
  done(code === 0 ? 'done' : 'failed');
  if (code !== 0) fail(output.trim());
  try {
    mkdirSync(join(ROOT, 'dist'), { recursive: true });
    writeFileSync(STAMP, sources);
  } catch (error) {
    fail(
      `The clone cannot be written: ${error.message}\nfix: Run it as the user who owns ${ROOT}.`,
    );
  }
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const file of ['package-lock.json', 'tsconfig.json', 'tsconfig.base.json'])
    add(hash, join(ROOT, file));
  for (const folder of ['src', 'migrations', 'plugins']) addFolder(hash, join(ROOT, folder));
  return hash.digest('hex');
}

function addFolder(hash, folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) addFolder(hash, path);
    else if (/\.ts$|\.json$/.test(entry.name) && !entry.name.endsWith('.test.ts')) add(hash, path);
  }
}

function add(hash, path) {
  const { mtimeMs, size } = statSync(path);
  hash.update(`${path}\0${mtimeMs}\0${size}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureInstalled();
  await ensureBuilt();
}
