import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { SystemUser } from './system-user.js';

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly user: SystemUser | undefined;
  readonly logFile: string;
}

const POLL_MS = 20;
const LOG_TAIL_CHARACTERS = 600;

/**
 * Starts a server in a session of its own, so that Ctrl-C in the terminal does not reach it: it has to
 * outlive the processes that write to it. Output goes to the log file.
 */
export function startServer(server: ServerCommand): ChildProcess {
  const log = openSync(server.logFile, 'a', 0o600);
  try {
    const child = spawn(server.command, [...server.args], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
      ...(server.user === undefined ? {} : { uid: server.user.uid, gid: server.user.gid }),
    });
    // A command that cannot be run also has no exit code; whoever waits for readiness sees that.
    child.on('error', () => undefined);
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

export function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** Waits until `isReady`. Gives the end of the server's log when it ended first or the time is over. */
export async function waitUntilReady(
  child: ChildProcess,
  server: ServerCommand,
  isReady: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<string | undefined> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await isReady()) return undefined;
    if (hasEnded(child)) break;
    await sleep(POLL_MS);
  }
  const ended = hasEnded(child) ? 'it ended' : `it was not ready after ${timeoutMs} ms`;
  return `${ended}; the end of its log: ${logTail(server.logFile)}`;
}

export function logTail(logFile: string): string {
  if (!existsSync(logFile)) return '(no log)';
  return readFileSync(logFile, 'utf8').slice(-LOG_TAIL_CHARACTERS).trim();
}

/** Does process `pid` live and is `folder` one of its arguments? Pids are reused, after a reboot at once. */
export function isServerOf(pid: number, folder: string): boolean {
  return argumentsOf(pid).some(
    (argument) => argument === folder || argument.endsWith(`=${folder}`),
  );
}

/** Empty when the process is gone, also when it has ended and its parent has not looked yet. */
function argumentsOf(pid: number): string[] {
  if (!existsSync('/proc/self/cmdline'))
    return spawnSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8' }).stdout.split(
      /\s+/,
    );
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Signals the process and waits for its end. False when it still lives after `timeoutMs`. */
export async function endProcess(
  pid: number,
  signal: NodeJS.Signals,
  folder: string,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  try {
    process.kill(pid, signal);
  } catch {
    return true;
  }
  while (isServerOf(pid, folder)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}
