import { setTimeout as sleep } from 'node:timers/promises';

export interface RateLimit {
  readonly bytesPerSecond?: number | undefined;
  readonly rowsPerSecond?: number | undefined;
}

const BURST_MS = 250;

/** One bucket: remembers until when what was taken is paid for. */
class TokenBucket {
  readonly #perMs: number;
  #paidUntilMs = 0;

  constructor(perSecond: number) {
    this.#perMs = perSecond / 1000;
  }

  /** Takes `amount` and returns how long the taker has to wait for it. */
  take(amount: number, nowMs: number): number {
    const start = Math.max(this.#paidUntilMs, nowMs - BURST_MS);
    this.#paidUntilMs = start + amount / this.#perMs;
    return this.#paidUntilMs - nowMs;
  }
}

/** Shared by all channels of a job. Takers wait their exact share; nothing polls. */
export class RateLimiter {
  readonly #bytes: TokenBucket | undefined;
  readonly #rows: TokenBucket | undefined;
  readonly #nowMs: () => number;

  /** `nowMs` is a clock that never goes back. */
  constructor(limit: RateLimit | undefined, nowMs: () => number) {
    this.#nowMs = nowMs;
    if (limit?.bytesPerSecond !== undefined) this.#bytes = new TokenBucket(limit.bytesPerSecond);
    if (limit?.rowsPerSecond !== undefined) this.#rows = new TokenBucket(limit.rowsPerSecond);
  }

  /** How long a taker of this chunk must wait, in ms; what it takes is taken at once. */
  delayOf(bytes: number, rows: number): number {
    const now = this.#nowMs();
    return Math.max(0, this.#bytes?.take(bytes, now) ?? 0, this.#rows?.take(rows, now) ?? 0);
  }

  async take(bytes: number, rows: number, signal: AbortSignal): Promise<void> {
    const delayMs = this.delayOf(bytes, rows);
    if (delayMs > 0) await sleep(delayMs, undefined, { signal });
  }
}
