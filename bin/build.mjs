import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { fail, progress } from './console.mjs';
import { ensureInstalled } from './install.mjs';
import { ROOT, run } from './run.mjs';

const SKIPPED = new Set(['node_modules', 'dist']);
const SERVER = {
  name: 'server',
  files: ['package-lock.json', 'bin/bundle.mjs'],
  folders: ['src', 'migrations', 'plugins'],
  output: 'dist',
  command: ['bin/bundle.mjs'],
};
const CONSOLE = {
  name: 'console',
  files: ['package-lock.json'],
  folders: ['web'],
  output: 'web/dist',
  command: ['node_modules/vite/bin/vite.js', 'build', 'web', '--logLevel', 'error'],
};

/** Builds what has changed since the last time: looking costs some 20 ms. */
export async function ensureBuilt() {
  const stale = [SERVER, CONSOLE]
    .map((part) => ({ ...part, sources: fingerprint(part) }))
    .filter(({ output, sources }) => stampOf(output) !== sources);
  if (stale.length === 0) return;
  const done = progress(`building ${stale.map(({ name }) => name).join(' and ')}`);
  const results = await Promise.all(stale.map(async (part) => ({ part, ...(await built(part)) })));
  const failed = results.filter(({ code }) => code !== 0);
  done(failed.length === 0 ? 'done' : 'failed');
  if (failed.length > 0) fail(failed.map(({ output }) => output.trim()).join('\n'));
  for (const { part } of results) stamp(part);
}

async function built({ command }) {
  return await run(process.execPath, command, { quiet: true });
}

function stampOf(output) {
  const path = join(ROOT, output, '.built-from');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function stamp({ output, sources }) {
  try {
    mkdirSync(join(ROOT, output), { recursive: true });
    writeFileSync(join(ROOT, output, '.built-from'), sources);
  } catch (error) {
    fail(
      `The clone cannot be written: ${error.message}\nfix: Run it as the user who owns ${ROOT}.`,
    );
  }
}

function fingerprint({ files, folders }) {
  const hash = createHash('sha256');
  for (const file of files) add(hash, join(ROOT, file));
  for (const folder of folders) addFolder(hash, join(ROOT, folder));
  return hash.digest('hex');
}

function addFolder(hash, folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) addFolder(hash, path);
    else if (/\.(tsx?|json|css|html|js|svg)$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
      add(hash, path);
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
