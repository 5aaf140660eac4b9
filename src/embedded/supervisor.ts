import { setTimeout as sleep } from 'node:timers/promises';

import { registeredCodeOf } from '../domain/errors.js';
import type { Logger } from '../telemetry/logger.js';
import { SupervisedProcess, type ChildSpec, type ReadyMessage } from './supervised-process.js';

/** A database server that the supervisor watches. */
export interface WatchedServer {
  isRunning(): boolean;
  stop(): Promise<void>;
}

export interface SupervisorOptions {
  readonly logDir: string;
  readonly log: Logger;
  /** First pause before a restart; doubled up to `maxBackoffMs`, forgotten after a minute of life. */
  readonly minBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** How long a child may take to stop before it is killed. */
  readonly graceMs?: number;
  /** How often a child may fail before it was ready for the first time. */
  readonly firstTries?: number;
}

interface Child {
  readonly spec: ChildSpec;
  process: SupervisedProcess;
  failures: number;
  startedAt: number;
}

interface Server {
  readonly name: string;
  readonly start: () => Promise<WatchedServer>;
  running: WatchedServer;
}

const HEALTHY_MS = 60_000;
const WATCH_MS = 500;
/** Signals this close together are one wish. */
const SAME_KEYSTROKE_MS = 500;
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Starts processes and database servers, starts again what dies, and stops all of it in order: children
 * by stage, then servers, the last one first. Children see the end of their stdin when this process
 * dies, however it dies.
 */
export class Supervisor implements AsyncDisposable {
  readonly #options: Required<SupervisorOptions>;
  readonly #children = new Map<string, Child>();
  readonly #servers: Server[] = [];
  readonly #starting = new Set<Promise<unknown>>();
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | undefined;
  #watching: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = {
      minBackoffMs: 200,
      maxBackoffMs: 10_000,
      graceMs: 15_000,
      firstTries: 3,
      ...options,
    };
  }

  /** Starts a server and keeps it running. Servers stop last, in the reverse order of these calls. */
  async startServer<T extends WatchedServer>(name: string, start: () => Promise<T>): Promise<T> {
    this.#stopping.signal.throwIfAborted();
    const starting = start().then((running) => {
      this.#servers.push({ name, start, running });
      return running;
    });
    this.#starting.add(starting);
    try {
      const running = await starting;
      this.#stopping.signal.throwIfAborted();
      this.#watching ??= this.#watchServers();
      return running;
    } finally {
      this.#starting.delete(starting);
    }
  }

  /**
   * Starts a child and waits until it says that it is ready.
   * @throws what the child refused with, or MR-A211 with the end of its log after a few tries
   */
  async startChild(spec: ChildSpec): Promise<ReadyMessage> {
    if (this.#children.has(spec.name)) throw new Error(`there is a ${spec.name} already`);
    for (let failures = 0; ; failures++) {
      this.#stopping.signal.throwIfAborted();
      const process = new SupervisedProcess(spec, this.#options.logDir);
      const child = { spec, process, failures, startedAt: performance.now() };
      this.#children.set(spec.name, child);
      try {
        const message = await process.ready;
        void this.#keepAlive(child);
        return message;
      } catch (error) {
        await process.stop(0);
        this.#children.delete(spec.name);
        const mayPass = registeredCodeOf(error) === 'MR-A211';
        if (!mayPass || failures + 1 >= this.#options.firstTries) throw error;
        await this.#pause(failures);
      }
    }
  }

  /** Process ids of the running children by name. */
  pids(): ReadonlyMap<string, number> {
    const pids = new Map<string, number>();
    for (const [name, { process }] of this.#children)
      if (process.pid !== undefined && process.isRunning()) pids.set(name, process.pid);
    return pids;
  }

  /** Aborts when everything is being stopped. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Stops everything; the second call waits for the first. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    await this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * From now on Ctrl-C (SIGINT), SIGTERM and the end of the terminal stop everything. Resolves with the
   * exit code when all has stopped; `onSignal` is called before. A later signal kills the children that
   * are still stopping.
   */
  async stopOnSignal(onSignal: () => void = () => undefined): Promise<number> {
    let firstAt: number | undefined;
    const code = await new Promise<number>((resolve) => {
      for (const [signal, exitCode] of Object.entries(SIGNALS))
        process.on(signal, () => {
          firstAt ??= performance.now();
          resolve(exitCode);
          // npm passes on the Ctrl-C that the terminal has sent to everybody already.
          if (performance.now() - firstAt < SAME_KEYSTROKE_MS) return;
          for (const child of this.#children.values()) child.process.kill();
        });
    });
    onSignal();
    await this.stop();
    return code;
  }

  async #stopAll(): Promise<void> {
    this.#stopping.abort();
    const stages = new Set([...this.#children.values()].map(({ spec }) => spec.stage));
    for (const stage of [...stages].sort((a, b) => b - a)) {
      const members = [...this.#children.values()].filter(({ spec }) => spec.stage === stage);
      await Promise.all(members.map(({ process }) => process.stop(this.#options.graceMs)));
    }
    await this.#watching;
    await Promise.allSettled(this.#starting);
    for (const { name, running } of [...this.#servers].reverse()) {
      this.#options.log.debug(`stopping ${name}`);
      await running.stop();
    }
  }

  async #keepAlive(child: Child): Promise<void> {
    const { log, logDir } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const how = await child.process.ended;
      if (performance.now() - child.startedAt > HEALTHY_MS) child.failures = 0;
      if (this.#isStopping()) return;
      log.warn(`${child.spec.name} ended (${how}) and is started again`);
      await this.#pause(child.failures++);
      if (this.#isStopping()) return;
      child.startedAt = performance.now();
      child.process = new SupervisedProcess(child.spec, logDir);
    }
  }

  async #watchServers(): Promise<void> {
    let failures = 0;
    while (!this.#isStopping()) {
      await this.#sleep(WATCH_MS);
      const dead = this.#servers.find(({ running }) => !running.isRunning());
      if (dead === undefined || this.#isStopping()) continue;
      this.#options.log.warn(`${dead.name} ended and is started again`);
      try {
        dead.running = await dead.start();
        failures = 0;
      } catch (err) {
        this.#options.log.error({ err }, `${dead.name} does not start`);
        await this.#pause(failures++);
      }
    }
  }

  // A method, because the compiler would take the signal it has read once for constant.
  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #pause(failures: number): Promise<void> {
    const { minBackoffMs, maxBackoffMs } = this.#options;
    await this.#sleep(Math.min(maxBackoffMs, minBackoffMs * 2 ** failures));
  }

  async #sleep(ms: number): Promise<void> {
    // Cut short by `stop`.
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}
