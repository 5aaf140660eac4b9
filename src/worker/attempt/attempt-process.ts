import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FromAttempt, ToAttempt } from './attempt-protocol.js';
import type { AttemptTransport, TransportEnd, TransportEvents } from './attempt-transport.js';
import { forwardOutput, minimalEnv } from './attempt-transport.js';

/**
 * A watchdog in the attempt's process group reads a pipe whose other end only this process holds:
 * however the worker ends (kill -9 too), the pipe closes and the group is killed. The IPC channel's
 * `disconnect` alone does not do: code that spins never sees it. (fd 3: the pipe, fd 4: IPC.)
 */
const GUARD =
  '( trap "" TERM INT HUP; while read -r _; do :; done; kill -9 0 ) <&3 3<&- 4<&- >/dev/null 2>&1 & exec "$@" 3<&-';

const WATCH_MS = 250;
/** Output may be held open by a process that left the group. */
const DRAIN_MS = 1000;

/** Resident memory of a process in bytes; `undefined` once it is gone or where /proc is not. */
function residentBytes(pid: number): number | undefined {
  try {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match ? Number(match[1]) * 1024 : undefined;
  } catch {
    return undefined;
  }
}

/** A process of its own, in its own process group, for one attempt of a third-party or native plugin. */
export class AttemptProcess implements AttemptTransport {
  readonly #child: ChildProcess;
  readonly #memoryTimer: NodeJS.Timeout;
  readonly #output: Promise<unknown>;
  #events: TransportEvents | undefined;
  #end: TransportEnd | undefined;
  #stderrTail = '';

  constructor(entry: URL, workDir: string, memoryLimitBytes: number) {
    const heapMb = Math.ceil(memoryLimitBytes / 1024 ** 2);
    const command = [process.execPath, `--max-old-space-size=${heapMb}`, fileURLToPath(entry)];
    this.#child = spawn('/bin/sh', ['-c', GUARD, 'guard', ...command], {
      cwd: workDir,
      env: { ...minimalEnv([]), HOME: workDir, TMPDIR: workDir },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#stderrTail = (this.#stderrTail + bytes.toString('utf8')).slice(-8192);
    });
    this.#output = Promise.all([
      forwardOutput(this.#child.stdout, 'stdout', () => this.#events),
      forwardOutput(this.#child.stderr, 'stderr', () => this.#events),
    ]);
    this.#child.on('message', (message) => this.#events?.onMessage(message as FromAttempt));
    this.#child.on('error', (error) => (this.#end ??= { cause: 'died', detail: error.message }));
    this.#child.on('exit', (code, signal) => void this.#onExit(code, signal));
    this.#memoryTimer = setInterval(() => this.#watchMemory(memoryLimitBytes), WATCH_MS);
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    if (this.#child.pid === undefined) setImmediate(() => void this.#onExit(null, null));
  }

  post(message: ToAttempt): void {
    // The callback takes the error of a channel that closed meanwhile; `exit` tells what happened.
    this.#child.send(message, () => undefined);
  }

  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // ESRCH: the whole group has ended already.
    }
  }

  #watchMemory(limitBytes: number): void {
    const { pid } = this.#child;
    const bytes = pid === undefined ? undefined : residentBytes(pid);
    if (bytes === undefined || bytes <= limitBytes) return;
    const mb = (n: number): number => Math.round(n / 1024 ** 2);
    this.#end ??= {
      cause: 'memory',
      detail: `it held ${mb(bytes)} MB of memory; the limit is ${mb(limitBytes)} MB`,
    };
    this.kill();
  }

  async #onExit(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    clearInterval(this.#memoryTimer);
    this.#child.stdio[3]?.destroy();
    this.kill();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, DRAIN_MS)));
    await Promise.race([this.#output, late]);
    clearTimeout(timer);
    const isHeapFull = this.#stderrTail.includes('JavaScript heap out of memory');
    this.#events?.onEnd(
      this.#end ?? {
        cause: isHeapFull ? 'memory' : 'died',
        detail: isHeapFull ? 'its JavaScript heap was full' : this.#describe(code, signal),
      },
    );
  }

  #describe(code: number | null, signal: NodeJS.Signals | null): string {
    const how =
      signal === null
        ? `the process ended with exit code ${code ?? '?'}`
        : `the process was ended by ${signal}`;
    const lines = this.#stderrTail.split('\n').map((line) => line.trim());
    const cause = lines.find((line) => /^(Uncaught )?\w*Error\b/.test(line));
    return cause === undefined ? how : `${how}: ${cause.slice(0, 500)}`;
  }
}
