import type { Clock } from '../domain/clock.js';
import type { Database } from '../store/database.js';
import type { LogStore } from '../store/log-store.js';
import { archiveLogs } from '../store/sql/archive-logs.sql.js';
import { Loop, type LoopLogger } from './loop.js';

const MIN_AGE_MS = 60_000;
const REST_MS = 10_000;
const BATCH = 100;

/** Moves the run logs of ended attempts out of the database. */
export function createLogArchiver(
  database: Database,
  clock: Clock,
  logStore: LogStore,
  logger: LoopLogger,
): Loop {
  return new Loop({
    name: 'log archiver',
    logger,
    clock,
    round: async () =>
      (await archiveLogs(database, logStore, MIN_AGE_MS, BATCH)) === BATCH ? 'again' : REST_MS,
  });
}
