import { Worker } from 'node:worker_threads';
import type { FromAttempt, ToAttempt } from './attempt-protocol.js';
import type { AttemptTransport, TransportEvents } from './attempt-transport.js';
import { forwardOutput, minimalEnv } from './attempt-transport.js';

/**
 * Three times 2 MB instead of 16, which a thread takes for ever once it was busy; and dead Buffers of its sockets
 * wait until it is full. A sync by bytes takes no more CPU for it; to take rows apart took up to a fifth more.
 */
const YOUNG_MB = 6;

/** A worker thread for the attempts of built-in plugins; reused while it stays healthy. */
export class AttemptThread implements AttemptTransport {
  readonly #worker: Worker;
  #events: TransportEvents | undefined;
  #error: Error | undefined;
  #isDead = false;
  /** Settles when it can be given an attempt, or has died before. */
  readonly ready: Promise<void>;
  #isReady: () => void = () => undefined;

  constructor(entry: URL, heapLimitBytes: number) {
    this.#worker = new Worker(entry, {
      env: minimalEnv(['MILLRACE_CRASH_POINTS', 'MILLRACE_CRASH_LOG']),
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: {
        maxOldGenerationSizeMb: Math.ceil(heapLimitBytes / 1024 ** 2),
        maxYoungGenerationSizeMb: YOUNG_MB,
      },
    });
    this.#worker.unref();
    void forwardOutput(this.#worker.stdout, 'stdout', () => this.#events);
    void forwardOutput(this.#worker.stderr, 'stderr', () => this.#events);
    this.ready = new Promise((resolve) => (this.#isReady = resolve));
    this.#worker.on('message', (message: FromAttempt) => {
      if (message.tag === 'ready') this.#isReady();
      else this.#events?.onMessage(message);
    });
    this.#worker.on('error', (error) => (this.#error = error));
    this.#worker.on('exit', (code) => this.#onExit(code));
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    this.#worker.ref();
    if (this.#isDead) this.#onExit(1);
  }

  /** An attempt waits for it: its process has to live on. */
  hold(): void {
    this.#worker.ref();
  }

  /** Between attempts it must not keep its process alive. */
  rest(): void {
    this.#events = undefined;
    this.#worker.unref();
  }

  post(message: ToAttempt): void {
    this.#worker.postMessage(message);
  }

  kill(): void {
    void this.#worker.terminate();
  }

  #onExit(exitCode: number): void {
    this.#isDead = true;
    this.#isReady();
    const error = this.#error;
    const isMemory =
      error !== undefined && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    this.#events?.onEnd({
      cause: isMemory ? 'memory' : 'died',
      detail: error === undefined ? `the thread ended with exit code ${exitCode}` : error.message,
    });
  }
}
