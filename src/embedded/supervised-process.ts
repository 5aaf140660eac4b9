import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { isRegisteredCode } from '../domain/error-registry.js';
import { MillraceError } from '../domain/errors.js';
import { childEnvironment } from './child-environment.js';
import { hasEnded, logTail } from './server-process.js';

/** One process that the supervisor keeps alive. */
export interface ChildSpec {
  /** Unique, e.g. `worker-1`; names its log file. */
  readonly name: string;
  /** Arguments of `node`, e.g. `['dist/main.js']`. Visible to everybody: no secrets. */
  readonly args: readonly string[];
  /** Visible to the nodes that run in it: no secrets. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Settings that go over stdin, named as in the environment. Asked again at every start. The process is
   * there before they are, and loads meanwhile what it needs; where they fail, it ends.
   */
  readonly stdinSettings: () => Promise<Readonly<Record<string, string>>>;
  /** Children with a higher number stop earlier; those with the same number together. */
  readonly stage: number;
}

/**
 * What a child prints on stdout as one line of JSON once it can work, with whatever else it wants to say;
 * `{"ready":false,"code":"MR-…","detail":"…"}` when it cannot and trying again is useless.
 */
export type ReadyMessage = Readonly<Record<string, unknown>> & { readonly ready: true };

const LOG_LIMIT_BYTES = 50 * 1024 * 1024;

/** One life of a child. */
export class SupervisedProcess {
  readonly ready: Promise<ReadyMessage>;
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  constructor(spec: ChildSpec, logDir: string) {
    const logFile = join(logDir, `${spec.name}.log`);
    rotate(logFile);
    const log = openSync(logFile, 'a', 0o600);
    // A session of its own: Ctrl-C must reach the supervisor alone, which stops all in order.
    this.#child = spawn(process.execPath, [...spec.args], {
      env: childEnvironment(spec.env),
      detached: true,
      stdio: ['pipe', 'pipe', log],
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    this.#child.once('close', () => closeSync(log));
    // A child that dies at once breaks the pipe; its exit tells that already.
    this.#child.stdin?.on('error', () => undefined);
    spec.stdinSettings().then(
      (settings) => this.#child.stdin?.write(`${JSON.stringify(settings)}\n`),
      () => this.kill(),
    );
    this.ready = this.#firstWord(spec.name, log, logFile);
    this.ready.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  isRunning(): boolean {
    return !hasEnded(this.#child);
  }

  /** SIGTERM, and after `graceMs` SIGKILL to its whole process group. */
  async stop(graceMs: number): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined || !this.isRunning()) return;
    const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
    this.#child.kill('SIGTERM');
    await this.ended;
    clearTimeout(timer);
  }

  kill(): void {
    if (this.#child.pid !== undefined && this.isRunning()) signalGroup(this.#child.pid, 'SIGKILL');
  }

  async #firstWord(name: string, log: number, logFile: string): Promise<ReadyMessage> {
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the child has no output');
    return await new Promise<ReadyMessage>((resolve, reject) => {
      createInterface(stdout).on('line', (line) => {
        const word = readinessOf(line);
        if (word === undefined) writeSync(log, `${line}\n`);
        else if (word.ready === true) resolve({ ...word, ready: true });
        else reject(refusal(name, word));
      });
      void this.ended.then((how) => {
        const detail = `${name}: ${how}; the end of its log (${logFile}): ${logTail(logFile)}`;
        reject(new MillraceError('MR-A211', detail));
      });
    });
  }
}

function readinessOf(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const json: unknown = JSON.parse(line);
    if (typeof json === 'object' && json !== null && 'ready' in json) return { ...json };
  } catch {
    // An ordinary line of output that happens to begin with a bracket.
  }
  return undefined;
}

function refusal(name: string, word: Readonly<Record<string, unknown>>): MillraceError {
  const { code, detail } = word;
  if (isRegisteredCode(code) && code !== 'MR-A211') return new MillraceError(code, String(detail));
  return new MillraceError('MR-A211', `${name}: ${String(detail)}`);
}

function rotate(logFile: string): void {
  if (existsSync(logFile) && statSync(logFile).size > LOG_LIMIT_BYTES)
    renameSync(logFile, `${logFile}.1`);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}
