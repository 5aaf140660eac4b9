import { Worker } from 'node:worker_threads';

import { MillraceError } from '../../domain/errors.js';
import { PACKAGE_ROOT } from '../../package-root.js';
import type { Found, LogSearch } from './log-search.js';
import type { FromSearch, ToSearch } from './search-protocol.js';

/** Always of the build, also where tests run the sources: a thread cannot start from TypeScript. */
const ENTRY_URL = new URL('dist/api/log-search/search-entry.js', PACKAGE_ROOT);

const HEAP_MB = 256;

interface Waiting {
  readonly resolve: (found: Found) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The thread of one search. An expression may need longer for one line than the world lasts: in the thread
 * of the api it would stop everybody, here it is ended after `stepMs` without an answer.
 */
export class SearchThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #stepMs: number;
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #error: Error | undefined;

  constructor(search: LogSearch, stepMs: number) {
    this.#stepMs = stepMs;
    this.#worker = new Worker(ENTRY_URL, {
      workerData: search,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    this.#worker.unref();
    this.#worker.on('message', (message: FromSearch) => this.#onMessage(message));
    this.#worker.on('error', (error) => this.#fail(deathOf(error)));
    this.#worker.on('exit', (code) => this.#fail(new Error(`the search ended with ${code}`)));
  }

  /** Answers come in the order of the messages; several may be on their way. */
  ask(message: ToSearch): Promise<Found> {
    const answer = new Promise<Found>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    // The caller may be gone before it looks at this answer.
    answer.catch(() => undefined);
    if (this.#error !== undefined) this.#fail(this.#error);
    else {
      this.#worker.postMessage(message);
      this.#timer ??= setTimeout(() => this.#fail(tooLong(this.#stepMs)), this.#stepMs);
    }
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new Error('the search was given up'));
    await this.#worker.terminate();
  }

  #onMessage(message: FromSearch): void {
    this.#timer?.refresh();
    const waiting = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#stopTimer();
    if (message.kind === 'found') waiting?.resolve(message.found);
    else waiting?.reject(new Error(message.detail));
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#stopTimer();
    for (const { reject } of this.#waiting.splice(0)) reject(this.#error);
    void this.#worker.terminate();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function tooLong(ms: number): MillraceError {
  return new MillraceError(
    'MR-A113',
    `A part of the log was searched for ${ms / 1000} s without an end.`,
  );
}

function deathOf(error: unknown): Error {
  const isMemory =
    error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  if (isMemory) return new MillraceError('MR-A113', `It needed more than ${HEAP_MB} MB of memory.`);
  return error instanceof Error ? error : new Error(String(error));
}
