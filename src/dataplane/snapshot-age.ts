import type { SnapshotToken } from '@millrace/sdk';
import { MillraceError } from '../domain/errors.js';

const DEFAULT_MINUTES = 60;
const MOST_MS = 2 ** 31 - 1;

/** Ends a run whose snapshot has become a burden for the source; without a snapshot it never does. */
export class SnapshotAge implements Disposable {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(snapshot: SnapshotToken | undefined, minutes = DEFAULT_MINUTES) {
    if (snapshot?.consistent !== true) return;
    const end = (): void =>
      this.#abort.abort(new MillraceError('MR-D260', `it was held for ${minutes} minutes`));
    this.#timer = setTimeout(end, Math.min(minutes * 60_000, MOST_MS));
    this.#timer.unref();
  }

  /** Its reason is the MR-D260. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
