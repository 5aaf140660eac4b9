import type { Rate, RateLimit } from './rate-limit.js';

/** Without a limit of its own a ratio alone decides; with neither, no record is allowed. */
export interface DirtyLimit {
  readonly records?: number | undefined;
  /** Of the rows read. */
  readonly ratio?: number | undefined;
}

/** What an operator has set for one instance, in place of what its node says. Absent: as the node says. */
export interface ChannelChange {
  /** Null: no limit. */
  readonly rateLimit?: RateLimit | null | undefined;
  readonly dirtyLimit?: DirtyLimit | undefined;
}

/** What a running sync is told about once a second. */
export interface ChannelNews {
  readonly change: ChannelChange;
  /**
   * By name, of the data sources that have a rate limit: what this attempt may use of it for the moment.
   * A share of 0 is none as yet.
   */
  readonly shares: Readonly<Record<string, Rate>>;
  /** From the moment it was asked for; after that the shares are somebody else's. */
  readonly sharesForMs: number;
}

/** What a sync would use of the limited data sources, by name; absent: all it can get. */
export type RateDemands = Readonly<Record<string, Rate>>;

/** What a dirty limit allows, in words. */
export function dirtyText({ records, ratio }: DirtyLimit): string {
  return [
    ...(records !== undefined || ratio === undefined ? [`${records ?? 0} records`] : []),
    ...(ratio === undefined ? [] : [`${Number((ratio * 100).toFixed(4))} % of the rows read`]),
  ].join(' and ');
}
