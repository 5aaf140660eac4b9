import type { Clock } from '../domain/clock.js';
import type { Database } from '../store/database.js';
import { nextDueAt, releaseDue } from '../store/sql/release-due.sql.js';
import type { WakeBus } from '../store/wake-bus.js';
import { Loop, type LoopLogger } from './loop.js';

const BATCH = 500;
const MAX_REST_MS = 1000;

/** Makes instances ready when their time comes. Many may run: each statement is compare-and-set. */
export function createReleaser(
  database: Database,
  clock: Clock,
  wakeBus: WakeBus,
  logger: LoopLogger,
): Loop {
  return new Loop({
    name: 'releaser',
    logger,
    clock,
    round: async () => {
      const released = await database.transaction((tx) => releaseDue(tx, clock.now(), BATCH));
      if (released > 0) wakeBus.wake();
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
