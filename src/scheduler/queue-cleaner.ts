import type { Clock } from '../domain/clock.js';
import type { Database } from '../store/database.js';
import { vacuumQueues } from '../store/sql/vacuum-queues.sql.js';
import { Loop, type LoopLogger } from './loop.js';

const REST_MS = 2000;

/** Keeps the queues of the line short for those that look into them. */
export function createQueueCleaner(database: Database, clock: Clock, logger: LoopLogger): Loop {
  return new Loop({
    name: 'queue cleaner',
    logger,
    clock,
    round: async () => {
      await vacuumQueues(database);
      return REST_MS;
    },
  });
}
