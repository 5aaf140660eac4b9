import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChannelNews } from '../../domain/channel/channel-change.js';
import { PACKAGE_ROOT } from '../../package-root.js';
import type { AttemptHandle, AttemptHooks, AttemptJob, AttemptOutcome } from './attempt-job.js';
import { AttemptProcess } from './attempt-process.js';
import type { FromAttempt } from './attempt-protocol.js';
import type { AttemptTransport, TransportEnd } from './attempt-transport.js';
import { ThreadPool } from './thread-pool.js';

/** Always of the build, also where tests run the sources: a thread cannot start from TypeScript. */
const ATTEMPT_ENTRY_URL = new URL('dist/worker/attempt/attempt-entry.js', PACKAGE_ROOT);

export interface AttemptHostOptions {
  /** Each attempt that asks for one gets an empty folder of its own in here, removed when it ends. */
  readonly home: string;
  /** Threads kept ready however long nothing runs. */
  readonly warmThreads?: number;
  /** Threads kept between attempts while there are many; the ones too many end after `idleMs` of quiet. */
  readonly keptThreads?: number;
  readonly idleMs?: number;
  /** From `cancel` to the kill. */
  readonly graceMs?: number;
  /** Of a process of its own, and of the heap of a thread. */
  readonly memoryLimitBytes?: number;
}

// Starting a thread costs a quarter of a second of CPU: a burst of short attempts must not pay it each time.
const DEFAULTS = {
  warmThreads: 2,
  keptThreads: 8,
  idleMs: 10_000,
  graceMs: 5000,
  memoryLimitBytes: 1024 ** 3,
};

/**
 * Runs attempts where they cannot hurt each other: built-in plugins in worker threads, third-party and
 * native ones in a process each (engine rule 20). Whatever dies in there fails its own attempt alone.
 */
export class AttemptHost {
  readonly #options: Required<AttemptHostOptions>;
  readonly #threads: ThreadPool;
  readonly #running = new Set<RunningAttempt>();

  constructor(options: AttemptHostOptions) {
    this.#options = { ...DEFAULTS, ...options };
    const { warmThreads, keptThreads, idleMs, memoryLimitBytes } = this.#options;
    this.#threads = new ThreadPool({
      entry: ATTEMPT_ENTRY_URL,
      heapLimitBytes: memoryLimitBytes,
      warm: warmThreads,
      kept: keptThreads,
      idleMs,
    });
  }

  /** Starts the threads that are kept ready, so that the first attempts need not wait for theirs. */
  warmUp(): void {
    this.#threads.warmUp();
  }

  run(job: AttemptJob, hooks: AttemptHooks): AttemptHandle {
    const attempt = new RunningAttempt(job, hooks, this.#options.graceMs);
    this.#running.add(attempt);
    void this.#start(attempt, job);
    void attempt.result.then(() => this.#running.delete(attempt));
    return attempt;
  }

  /** Stops every attempt and all threads; resolves when they have ended. */
  async close(reason: string): Promise<void> {
    const running = [...this.#running];
    for (const attempt of running) attempt.cancel(reason);
    await Promise.all(running.map((attempt) => attempt.result));
    this.#threads.close();
  }

  async #start(attempt: RunningAttempt, job: AttemptJob): Promise<void> {
    const workDir = join(this.#options.home, `attempt-${randomUUID()}`);
    try {
      const limit = job.memoryLimitBytes ?? this.#options.memoryLimitBytes;
      if (job.plugins.some((plugin) => plugin.isolated)) {
        await mkdir(workDir, { recursive: true, mode: 0o700 });
        const transport = new AttemptProcess(ATTEMPT_ENTRY_URL, workDir, limit);
        attempt.start(transport, workDir, () => transport.kill());
      } else {
        const thread = await this.#threads.take();
        void attempt.settled.then(() => this.#threads.left());
        attempt.start(thread, workDir, () => this.#threads.giveBack(thread));
      }
      await attempt.settled;
    } catch (error) {
      attempt.refuse(error);
    } finally {
      if (attempt.mayHaveFolder)
        await rm(workDir, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
      attempt.finish();
    }
  }
}

/** The host's side of one attempt: its messages, its cancellation, its one outcome. */
class RunningAttempt implements AttemptHandle {
  readonly result: Promise<AttemptOutcome>;
  /** The outcome is known; the folder may be removed. */
  readonly settled: Promise<void>;
  /** Until it says that it has none. */
  mayHaveFolder = true;
  readonly #job: AttemptJob;
  readonly #hooks: AttemptHooks;
  readonly #graceMs: number;
  #resolveResult!: (outcome: AttemptOutcome) => void;
  #settle!: () => void;
  #outcome: AttemptOutcome | undefined;
  #transport: AttemptTransport | undefined;
  #release: (() => void) | undefined;
  #cancelReason: string | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  #logged: Promise<void> = Promise.resolve();

  constructor(job: AttemptJob, hooks: AttemptHooks, graceMs: number) {
    this.#job = job;
    this.#hooks = hooks;
    this.#graceMs = graceMs;
    this.result = new Promise((resolve) => (this.#resolveResult = resolve));
    this.settled = new Promise((resolve) => (this.#settle = resolve));
  }

  /** `release` is called once after an orderly end; a transport that died is not released. */
  start(transport: AttemptTransport, workDir: string, release: () => void): void {
    this.#transport = transport;
    this.#release = release;
    transport.listen({
      onMessage: (message) => this.#receive(message),
      onOutput: (stream, bytes) =>
        this.#keepLog(() => this.#hooks.onLog(stream, bytes, Date.now())),
      onEnd: (end) => this.#onTransportEnd(end),
    });
    transport.post({ tag: 'run', job: this.#job, workDir });
    if (this.#cancelReason !== undefined) this.#sendCancel(this.#cancelReason);
  }

  cancel(reason: string): void {
    if (this.#cancelReason !== undefined || this.#outcome !== undefined) return;
    this.#cancelReason = reason;
    if (this.#transport !== undefined) this.#sendCancel(reason);
  }

  tell(news: ChannelNews): void {
    // Once it has ended its thread may belong to another attempt already.
    if (this.#outcome === undefined) this.#transport?.post({ tag: 'news', news });
  }

  /** It could not even be started. */
  refuse(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    this.#end({ status: 'failed', code: 'MR-P103', detail });
  }

  /** Hands out the outcome, when everything around the attempt is tidied up. */
  finish(): void {
    const outcome = this.#outcome;
    if (outcome !== undefined) void this.#logged.then(() => this.#resolveResult(outcome));
  }

  #sendCancel(reason: string): void {
    this.#transport?.post({ tag: 'cancel', reason });
    this.#graceTimer = setTimeout(() => this.#transport?.kill(), this.#graceMs);
  }

  #receive(message: FromAttempt): void {
    if (this.#outcome !== undefined) return;
    switch (message.tag) {
      case 'log':
        for (const { stream, bytes, at } of message.entries) {
          const kept = this.#keepLog(() => this.#hooks.onLog(stream, bytes, at));
          void kept.then(() => this.#creditLog(bytes.length));
        }
        return;
      case 'progress':
        this.#hooks.onProgress?.(message.progress);
        return;
      case 'demand':
        this.#hooks.onDemand?.(message.demands);
        return;
      case 'answer':
        this.#hooks.onAnswer?.(message.part);
        return;
      case 'dirty':
        void this.#keep(message.no, async () => this.#hooks.onDirty?.(message.records));
        return;
      case 'outputs':
        void this.#keep(message.no, async () => this.#hooks.onOutputs?.(message.outputs));
        return;
      case 'ready':
        return;
      case 'end':
        this.mayHaveFolder =
          message.hasFolder || this.#job.plugins.some((plugin) => plugin.isolated);
        this.#end(message.outcome);
        this.#release?.();
        return;
      default:
        message satisfies never;
    }
  }

  #creditLog(bytes: number): void {
    // Once it has ended its thread may belong to another attempt already.
    if (this.#outcome === undefined) this.#transport?.post({ tag: 'log-taken', bytes });
  }

  /** In order, one after the other; a log that cannot be kept does not fail the work. */
  #keepLog(keep: () => void | Promise<void>): Promise<void> {
    this.#logged = this.#logged.then(keep).catch(() => undefined);
    return this.#logged;
  }

  async #keep(no: number, keep: () => Promise<void>): Promise<void> {
    try {
      await keep();
      this.#transport?.post({ tag: 'kept', no });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#transport?.post({ tag: 'kept', no, error: reason });
    }
  }

  #onTransportEnd(end: TransportEnd): void {
    const code = end.cause === 'memory' ? 'MR-P104' : 'MR-P103';
    const reason = this.#cancelReason;
    if (reason === undefined) {
      this.#end({ status: 'failed', code, detail: end.detail });
      return;
    }
    const detail = `asked to stop (${reason}), it did not end in order within ${this.#graceMs} ms: ${end.detail}`;
    this.#end({ status: 'failed', code, detail, cancelReason: reason });
  }

  #end(outcome: AttemptOutcome): void {
    if (this.#outcome !== undefined) return;
    clearTimeout(this.#graceTimer);
    this.#outcome = outcome;
    this.#settle();
  }
}
