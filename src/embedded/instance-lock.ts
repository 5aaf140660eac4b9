import { spawnSync } from 'node:child_process';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { MillraceError } from '../domain/errors.js';
import { systemErrorOf } from './system-error.js';

const FILE = 'running';

/** Held by the one `npm start` of a folder; released at the end of the scope. */
export interface InstanceLock extends Disposable {
  readonly path: string;
}

/** @throws MR-A205 when a living process holds it, MR-A202 when the folder cannot be written */
export function takeInstanceLock(dataDir: string): InstanceLock {
  const path = join(dataDir, FILE);
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  for (;;) {
    if (writeNew(path, mine)) break;
    const theirs = read(path);
    if (theirs === undefined) continue;
    const [pid = '', ...start] = theirs.trim().split(' ');
    // The number alone does not do: after a reboot another program has it.
    if (pid !== '' && startOf(Number(pid)) === start.join(' ') && start.length > 0)
      throw new MillraceError('MR-A205', `${dataDir}, process ${pid}`);
    moveAway(path, theirs);
  }
  return {
    path,
    [Symbol.dispose]: () => {
      if (read(path) === mine) rmSync(path, { force: true });
    },
  };
}

/** Two starts may find the same dead lock; the slower must not throw away the lock the faster has made. */
function moveAway(path: string, dead: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (read(aside) !== dead) linkSync(aside, path);
  } catch {
    // Somebody else was faster; the caller looks again.
  } finally {
    rmSync(aside, { force: true });
  }
}

function writeNew(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (cause) {
    const { code, message } = systemErrorOf(cause);
    if (code === 'EEXIST') return false;
    throw new MillraceError('MR-A202', message, { cause });
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** When the process started, in the system's own words; empty when there is no such process. */
function startOf(pid: number): string {
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-p', String(pid), '-o', 'lstart='], {
      encoding: 'utf8',
    }).stdout.trim();
  const stat = read(`/proc/${pid}/stat`);
  // The command name may hold spaces and brackets; what follows the last bracket is fixed.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
