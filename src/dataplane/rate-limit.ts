import type { Rate } from '../domain/channel/rate-limit.js';

/** What a limit lets through at once after it was quiet: 2 % of five seconds. */
export const BURST_MS = 100;
/** Longer than any pause: a limit of 0 waits until it is changed. */
const MAX_SLEEP_MS = 60_000;

/** Bytes or rows against time. What is taken gets a place; it may go once the meter has come to it. */
class Meter {
  #perMs = Infinity;
  #taken = 0;
  #granted = 0;
  #grantedMs: number;

  constructor(nowMs: number) {
    this.#grantedMs = nowMs;
  }

  get taken(): number {
    return this.#taken;
  }

  get perSecond(): number {
    return this.#perMs * 1000;
  }

  /** What waits already goes on at the new pace. */
  setRate(perSecond: number | undefined, nowMs: number): void {
    this.#settle(nowMs);
    this.#perMs = perSecond === undefined ? Infinity : perSecond / 1000;
  }

  take(amount: number, nowMs: number): number {
    this.#settle(nowMs);
    this.#taken += amount;
    return this.#taken;
  }

  delayOf(place: number, nowMs: number): number {
    this.#settle(nowMs);
    return Math.max(0, (place - this.#granted) / this.#perMs || 0);
  }

  #settle(nowMs: number): void {
    const ms = nowMs - this.#grantedMs;
    this.#grantedMs = nowMs;
    this.#granted =
      this.#perMs === Infinity
        ? this.#taken
        : Math.min(this.#granted + this.#perMs * ms, this.#taken + this.#perMs * BURST_MS);
  }
}

interface Limit {
  readonly bytes: Meter;
  readonly rows: Meter;
  readonly held: HeldTime;
  toldBytes: number;
  toldRows: number;
}

/** The time in which at least one taker waits, however many there are. */
class HeldTime {
  #waiting = 0;
  #ms = 0;
  #countedMs = 0;

  begin(nowMs: number): void {
    this.#count(nowMs);
    this.#waiting += 1;
  }

  end(nowMs: number): void {
    this.#count(nowMs);
    this.#waiting -= 1;
  }

  /** Since the last call. */
  taken(nowMs: number): number {
    this.#count(nowMs);
    const ms = this.#ms;
    this.#ms = 0;
    return ms;
  }

  #count(nowMs: number): void {
    if (this.#waiting > 0) this.#ms += nowMs - this.#countedMs;
    this.#countedMs = nowMs;
  }
}

/** What a limit has let through since it was last asked, and in how much of that time anything waited for it. */
export interface Drawn {
  readonly bytes: number;
  readonly rows: number;
  readonly heldMs: number;
}

interface Delay {
  readonly ms: number;
  readonly by: Limit | undefined;
}

/**
 * Shared by all channels of a job: a chunk goes when every limit lets it. Each limit has a name and may be
 * changed at any time; takers that wait follow it at once, and nothing polls.
 */
export class RateLimiter {
  readonly #limits = new Map<string, Limit>();
  readonly #nowMs: () => number;
  #bytes = 0;
  #rows = 0;
  readonly #sleepers = new Set<() => void>();

  /** `nowMs` is a clock that never goes back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  change(name: string, rate: Rate): void {
    const now = this.#nowMs();
    let limit = this.#limits.get(name);
    if (limit === undefined) {
      limit = {
        bytes: new Meter(now),
        rows: new Meter(now),
        held: new HeldTime(),
        toldBytes: 0,
        toldRows: 0,
      };
      this.#limits.set(name, limit);
    }
    limit.bytes.setRate(rate.bytesPerSecond, now);
    limit.rows.setRate(rate.rowsPerSecond, now);
    for (const wake of this.#sleepers) wake();
  }

  /**
   * The smallest of those that let anything through at all, with rows as large as they were so far; Infinity
   * without one.
   */
  get bytesPerSecond(): number {
    const rowBytes = this.#rows === 0 ? 1 : this.#bytes / this.#rows;
    const all = [...this.#limits.values()].flatMap(({ bytes, rows }) => [
      bytes.perSecond,
      rows.perSecond * rowBytes,
    ]);
    return Math.min(Infinity, ...all.filter((each) => each > 0));
  }

  /** Since the last call for this name. */
  drawn(name: string): Drawn {
    const limit = this.#limits.get(name);
    if (limit === undefined) return { bytes: 0, rows: 0, heldMs: 0 };
    const bytes = limit.bytes.taken - limit.toldBytes;
    const rows = limit.rows.taken - limit.toldRows;
    limit.toldBytes += bytes;
    limit.toldRows += rows;
    return { bytes, rows, heldMs: limit.held.taken(this.#nowMs()) };
  }

  /** Resolves when all limits have let this much through; it counts from now on, also when that is aborted. */
  async take(bytes: number, rows: number, signal: AbortSignal): Promise<void> {
    const delayOf = this.book(bytes, rows);
    for (let delay = delayOf(); delay.ms > 0; delay = delayOf()) {
      signal.throwIfAborted();
      delay.by?.held.begin(this.#nowMs());
      await this.#pause(Math.min(Math.ceil(delay.ms), MAX_SLEEP_MS), signal);
      delay.by?.held.end(this.#nowMs());
    }
  }

  /** Takes at once; the answer says how long to wait from now on and which limit wants it, whenever asked. */
  book(bytes: number, rows: number): () => Delay {
    const now = this.#nowMs();
    this.#bytes += bytes;
    this.#rows += rows;
    const places = [...this.#limits.values()].map((limit) => ({
      limit,
      bytes: limit.bytes.take(bytes, now),
      rows: limit.rows.take(rows, now),
    }));
    return () => {
      const at = this.#nowMs();
      let longest: Delay = { ms: 0, by: undefined };
      for (const place of places) {
        const { limit: by } = place;
        const ms = Math.max(by.bytes.delayOf(place.bytes, at), by.rows.delayOf(place.rows, at));
        if (ms > longest.ms) longest = { ms, by };
      }
      return longest;
    };
  }

  /** Until the time is over, a limit is changed or the job ends. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#sleepers.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
