import { MillraceError } from '../domain/errors.js';

const DEFAULT_MINUTES = 60;
const LOOKS = 4;
const MOST_MS = 1000;

/**
 * Ends a copy in which nothing has moved for a long time. A network that swallows packets, or a proxy that
 * holds them, leaves connections on which nothing comes and that nobody closes; keepalive finds only the
 * first of the two, and none of them tells a server that is slow from one that is gone.
 */
export class StallWatch {
  readonly #abort = new AbortController();
  readonly #minutes: number;

  constructor(minutes = DEFAULT_MINUTES) {
    this.#minutes = minutes;
  }

  /** Its reason is the MR-D229. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Watches while it is active. `moved` grows with whatever moves, or is rightly held. */
  during(moved: () => number): Disposable {
    const limitMs = this.#minutes * 60_000;
    let last = moved();
    let sinceMs = performance.now();
    const timer = setInterval(
      () => {
        const now = moved();
        if (now !== last) sinceMs = performance.now();
        last = now;
        if (performance.now() - sinceMs < limitMs) return;
        clearInterval(timer);
        const text = `no row was read or taken for ${this.#minutes} minutes`;
        this.#abort.abort(new MillraceError('MR-D229', text));
      },
      Math.min(MOST_MS, limitMs / LOOKS),
    );
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }
}
