import type { Clock } from '../domain/clock.js';
import type { Database } from '../store/database.js';
import { type DueShare, nextDueAt, releaseDue } from '../store/sql/release-due.sql.js';
import type { WakeBus } from '../store/wake-bus.js';
import { Loop, type LoopLogger } from './loop.js';

/** Whoever brings something wakes it: this is for one that was killed before it could. */
const MAX_REST_MS = 2000;
/** Whatever ends wakes it. What falls due within so long shares a transaction: workers hear no more often. */
const PACE_MS = 20;

interface Part {
  readonly share: DueShare;
  /** How many at most: the first workers wait for the end of the transaction. */
  readonly limit: number;
}

const WHOLE: readonly Part[] = [{ share: { of: 1, no: 0 }, limit: 500 }];
/**
 * Where more is due than that: in halves, so that the server works on one while this process works on the
 * other, and in larger steps, because each look at what is due passes the index entries of what was.
 */
const HALVES: readonly Part[] = [0, 1].map((no) => ({ share: { of: 2, no }, limit: 1_000 }));

export interface ReleaserOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly wakeBus: WakeBus;
  readonly logger: LoopLogger;
  /** Reached by rounds that release something, and by no other. */
  readonly crashPoint: (name: string) => Promise<void>;
}

/** Makes instances ready when their time comes. Many may run: each statement is compare-and-set. */
export function createReleaser(options: ReleaserOptions): Loop {
  const { database, clock, logger } = options;
  const release = releaseRounds(options);
  const untilDue = async (): Promise<number> => {
    const due = await nextDueAt(database.few);
    return due === undefined ? MAX_REST_MS : due.getTime() - clock.now().getTime();
  };
  return new Loop({
    name: 'releaser',
    logger,
    clock,
    round: async () => {
      const leftMs = await untilDue();
      if (leftMs > 0) return Math.min(MAX_REST_MS, leftMs);
      return (await release()) ? 'again' : 0;
    },
    paceMs: PACE_MS,
  });
}

/** One call is one round of the releaser, and says whether more is due. */
export function releaseRounds({
  database,
  clock,
  wakeBus,
  crashPoint,
}: Omit<ReleaserOptions, 'logger'>): () => Promise<boolean> {
  let parts = WHOLE;
  const release = async ({ share, limit }: Part): Promise<boolean> => {
    const released = await database.few.transaction(async (tx) => {
      const found = await releaseDue(tx, clock.now(), limit, share);
      if (found > 0) await crashPoint('release:before-commit');
      return found;
    });
    if (released > 0) {
      await crashPoint('release:after-commit');
      wakeBus.wake();
    }
    return released === limit;
  };
  return async () => {
    // The round ends when all its parts have: none of them may live on into the next one, or past the end.
    const ended = await Promise.allSettled(parts.map(release));
    const failed = ended.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const isMore = ended.some((each) => each.status === 'fulfilled' && each.value);
    parts = isMore ? HALVES : WHOLE;
    return isMore;
  };
}
