import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, unlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import type { SyncOptions } from './sync.js';

const ROOT = new URL('../../', import.meta.url);

let program: Promise<string> | undefined;

function syncProgram(): Promise<string> {
  const bundler = new URL('test/support/bundle-sync-process.mjs', ROOT).pathname;
  program ??= promisify(execFile)(process.execPath, [bundler]).then(({ stdout }) => stdout);
  return program;
}

export interface Death {
  /** A named crash point of the sync. */
  readonly point: string;
  /** Where hits are counted. */
  readonly logFile: string;
  /**
   * Without it the process dies at the point. With it it is parked there and goes on once `parked` has
   * resolved; it dies when `dies` has.
   */
  readonly later?: { parked(): Promise<void>; dies(): Promise<void> };
}

/** Runs a sync in a process of its own, which ends by SIGKILL; throws when it ends in another way. */
export async function runKilled(options: SyncOptions, death: Death): Promise<void> {
  const { point, logFile, later } = death;
  const action = later === undefined ? 'kill' : 'pause';
  const child = spawn(process.execPath, ['--no-warnings', await syncProgram()], {
    env: {
      ...process.env,
      MILLRACE_CRASH_POINTS: `${point}=${action}@*`,
      MILLRACE_CRASH_LOG: logFile,
    },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let words = '';
  child.stderr.on('data', (bytes: Buffer) => (words += bytes.toString()));
  child.stdin.end(JSON.stringify(options));
  const exit = once(child, 'exit') as Promise<[number | null, string | null]>;
  if (later !== undefined) {
    const holdFile = `${logFile}.${point}.paused`;
    while (!existsSync(holdFile) && child.exitCode === null) await sleep(20);
    await later.parked();
    if (existsSync(holdFile)) unlinkSync(holdFile);
    await later.dies();
    child.kill('SIGKILL');
  }
  const [, signal] = await exit;
  if (signal !== 'SIGKILL') throw new Error(`the sync was not killed at ${point}: ${words}`);
}
