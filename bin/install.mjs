import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { fail, progress } from './console.mjs';
import { ROOT, run } from './run.mjs';

const STAMP = join(ROOT, 'node_modules/.millrace-lock');
const LOCK = join(ROOT, 'package-lock.json');

/** Installs the dependencies when they are missing or the lock file names others. */
export async function ensureInstalled() {
  checkNode();
  const wanted = createHash('sha256').update(readFileSync(LOCK)).digest('hex');
  if (isInstalled(wanted)) return;
  const done = progress('installing the dependencies');
  const args = ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  // Under `npm start` this is the very npm that runs us, also where it is not on the PATH.
  const npm = process.env['npm_execpath'];
  const { code, output } =
    npm?.endsWith('.js') === true
      ? await run(process.execPath, [npm, ...args], { quiet: true })
      : await run('npm', args, { quiet: true });
  done(code === 0 ? 'done' : 'failed');
  if (code !== 0) fail(`npm ci failed:\n${output.trim().split('\n').slice(-15).join('\n')}`);
  writeFileSync(STAMP, wanted);
}

function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const [major, minor] = /(\d+)\.(\d+)/.exec(engines.node).slice(1).map(Number);
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number);
  if (ourMajor < major || (ourMajor === major && ourMinor < minor))
    fail(
      `Millrace needs Node ${engines.node}; this is ${process.versions.node}. Install a newer Node.`,
    );
}

/** @param {string} wanted */
function isInstalled(wanted) {
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return true;
  // Installed by somebody's own `npm ci` or `npm install`: npm notes when, and writes both files at once.
  const note = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(note) || statSync(note).mtimeMs < statSync(LOCK).mtimeMs - 2000) return false;
  writeFileSync(STAMP, wanted);
  return true;
}
