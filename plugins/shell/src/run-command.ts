import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';

/**
 * Runs beside the command in its process group and reads a pipe whose other end only this process
 * holds. However this process ends (kill -9 too), the pipe closes and the group is killed. An exit
 * handler or a message would not do: neither runs after kill -9.
 */
const GUARD =
  '( trap "" TERM INT HUP; while read -r _; do :; done; kill -9 0 ) <&3 3<&- >/dev/null 2>&1 & exec "$@" 3<&-';

// A little under the 5 s after which a worker ends the whole attempt: so it still ends by its own hand.
const KILL_AFTER_MS = 4500;
const DRAIN_MS = 2000;
const ERROR_LINE_CHARACTERS = 500;

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
  onOutput(stream: 'stdout' | 'stderr', bytes: Uint8Array): void;
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lastErrorLine: string;
}

/** Keeps the last line that is not blank of a byte stream, in bounded memory. */
function lastLineOf(): { add(bytes: Uint8Array): void; line(): string } {
  let tail = Buffer.alloc(0);
  return {
    add(bytes) {
      tail = Buffer.concat([tail, bytes]).subarray(-4096);
    },
    line() {
      const lines = tail.toString('utf8').split('\n');
      const last = lines.map((line) => line.trim()).findLast((line) => line !== '');
      return (last ?? '').slice(0, ERROR_LINE_CHARACTERS);
    },
  };
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: every process of the group has ended already, which is what was wanted.
  }
}

/**
 * Resolves when the command has ended and its output is read. An aborted signal ends the process group
 * (SIGTERM, SIGKILL after 4.5 s); what the command left in the background is killed when it ends.
 */
export function runCommand(command: Command): Promise<CommandResult> {
  const shell = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh';
  return new Promise((resolve, reject) => {
    const child = spawn(
      '/bin/sh',
      ['-c', GUARD, 'guard', shell, '-c', command.command, 'script', ...command.args],
      {
        cwd: command.cwd,
        env: { ...command.env },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      },
    );
    const errorLine = lastLineOf();
    child.stdout?.on('data', (bytes: Buffer) => command.onOutput('stdout', bytes));
    child.stderr?.on('data', (bytes: Buffer) => {
      errorLine.add(bytes);
      command.onOutput('stderr', bytes);
    });
    let killTimer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      const { pid } = child;
      if (pid === undefined) return;
      killGroup(pid, 'SIGTERM');
      killTimer = setTimeout(() => killGroup(pid, 'SIGKILL'), KILL_AFTER_MS);
    };
    command.signal.addEventListener('abort', stop, { once: true });
    if (command.signal.aborted) stop();
    child.on('error', (error) => {
      command.signal.removeEventListener('abort', stop);
      reject(error);
    });
    child.on('exit', () => {
      clearTimeout(killTimer);
      child.stdio[3]?.destroy();
      // A process that left the group (setsid) may hold the streams open for ever.
      const drained = setTimeout(() => destroyAll(child.stdout, child.stderr), DRAIN_MS);
      child.once('close', () => clearTimeout(drained));
    });
    child.on('close', (exitCode, signal) => {
      command.signal.removeEventListener('abort', stop);
      resolve({ exitCode, signal, lastErrorLine: errorLine.line() });
    });
  });
}

function destroyAll(...streams: readonly (Readable | null)[]): void {
  for (const stream of streams) stream?.destroy();
}
