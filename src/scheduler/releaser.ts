import type { Clock } from '../domain/clock.js';
import type { Database } from '../store/database.js';
import { nextDueAt, releaseDue } from '../store/sql/release-due.sql.js';
import type { WakeBus } from '../store/wake-bus.js';
import { Loop, type LoopLogger } from './loop.js';

const BATCH = 500;
const MAX_REST_MS = 1000;

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
  const { database, clock, wakeBus, logger, crashPoint } = options;
  return new Loop({
    name: 'releaser',
    logger,
    clock,
    round: async () => {
      const released = await database.transaction(async (tx) => {
        const found = await releaseDue(tx, clock.now(), BATCH);
        if (found > 0) await crashPoint('release:before-commit');
        return found;
      });
      if (released > 0) {
        await crashPoint('release:after-commit');
        wakeBus.wake();
      }
      return released === BATCH ? 'again' : 'rest';
    },
    restMs: async () => {
      const due = await nextDueAt(database);
      return due === undefined
        ? MAX_REST_MS
        : Math.min(MAX_REST_MS, due.getTime() - clock.now().getTime());
    },
  });
}
