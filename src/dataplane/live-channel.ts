import type { RunLog } from '@millrace/sdk';
import type { ChannelNews, DirtyLimit, RateDemands } from '../domain/channel/channel-change.js';
import { dirtyText } from '../domain/channel/channel-change.js';
import type { Rate, RateLimit } from '../domain/channel/rate-limit.js';
import { rateAt } from '../domain/channel/rate-limit.js';
import type { Quarantine } from './quarantine.js';
import type { RateLimiter } from './rate-limit.js';

/** The line to whoever may change a running sync and lends it shares of its data sources' rates. */
export interface ChannelLine {
  /** `hear` is called at once with what is known, and with all news after that. */
  listen(hear: (news: ChannelNews) => void): void;
  /** What the sync would use of limited data sources from now on. */
  demand(demands: RateDemands): void;
}

export interface LiveChannelOptions {
  readonly rateLimit: RateLimit | undefined;
  readonly dirtyLimit: DirtyLimit;
  readonly limiter: RateLimiter;
  readonly quarantine: Quarantine;
  readonly log: RunLog;
  /** The wall clock by which windows are meant, `HH:MM`. */
  readonly localTime: () => string;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
}

const JOB = 'job';
/** So much more than a sync used is lent to it, or it would be held by every chunk that is a bit early. */
const HEADROOM = 1.02;
/** Who is held for all but this part of the time may have any speed: it gets what it can. */
const LEAST_FREE = 0.05;

/** The limits of one running sync as they are at this moment: its own by the clock, and its shares. */
export class LiveChannel {
  readonly #options: LiveChannelOptions;
  #news: ChannelNews = { change: {}, shares: {}, sharesForMs: 0 };
  #heardMs = 0;
  #toldMs: number;
  #said = '';
  #known = new Set<string>();

  constructor(options: LiveChannelOptions) {
    this.#options = options;
    this.#toldMs = options.nowMs();
    this.apply();
  }

  hear(news: ChannelNews): void {
    this.#news = news;
    this.#heardMs = this.#options.nowMs();
    this.apply();
  }

  /** Brings the limits up to date; to be called once a second, because windows begin and shares end. */
  apply(): void {
    const { limiter, quarantine, dirtyLimit } = this.#options;
    limiter.change(JOB, this.#jobRate());
    const isOver = this.#options.nowMs() - this.#heardMs > this.#news.sharesForMs;
    for (const [name, share] of Object.entries(this.#news.shares)) {
      limiter.change(name, isOver ? { bytesPerSecond: 0 } : share);
    }
    for (const name of this.#known) {
      if (!Object.hasOwn(this.#news.shares, name)) limiter.change(name, {});
    }
    this.#known = new Set(Object.keys(this.#news.shares));
    quarantine.limit = this.#news.change.dirtyLimit ?? dirtyLimit;
    this.#say();
  }

  /**
   * Of the data sources that are limited, by what was used since the last call. A sync that was held for a
   * part of the time is as much faster than it was. To ask for all as soon as it was held at all would keep
   * from others what it cannot use, second after second.
   */
  demands(): RateDemands {
    const { limiter, nowMs } = this.#options;
    const ms = Math.max(1, nowMs() - this.#toldMs);
    this.#toldMs = nowMs();
    const demands: Record<string, Rate> = {};
    for (const name of this.#known) {
      const { bytes, rows, heldMs } = limiter.drawn(name);
      const freeMs = ms - heldMs;
      if (freeMs < ms * LEAST_FREE) continue;
      const perSecond = (amount: number): number => Math.ceil((amount * 1000 * HEADROOM) / freeMs);
      demands[name] = { bytesPerSecond: perSecond(bytes), rowsPerSecond: perSecond(rows) };
    }
    return demands;
  }

  #jobRate(): Rate {
    const { rateLimit: changed } = this.#news.change;
    const limit = changed === undefined ? this.#options.rateLimit : (changed ?? {});
    return limit === undefined ? {} : rateAt(limit, this.#options.localTime());
  }

  #say(): void {
    const { log, quarantine } = this.#options;
    const limited = [...this.#known].map((name) => `; ${name} is limited over all workers`);
    const text =
      `Rate limit: ${rateText(this.#jobRate())}${limited.join('')}. ` +
      `Dirty records allowed: ${dirtyText(quarantine.limit)}.`;
    if (text !== this.#said) log.info(text);
    this.#said = text;
  }
}

function rateText({ bytesPerSecond, rowsPerSecond }: Rate): string {
  const parts = [
    ...(bytesPerSecond === undefined ? [] : [`${bytesPerSecond / 1_000_000} MB/s`]),
    ...(rowsPerSecond === undefined ? [] : [`${rowsPerSecond} rows/s`]),
  ];
  return parts.length === 0 ? 'none' : parts.join(' and ');
}
