import type { Clock } from '../domain/clock.js';
import type { Database } from '../store/database.js';
import { hasLostAttempts, reapLostAttempts } from '../store/sql/reap-lost-attempts.sql.js';
import { requeue } from '../store/sql/requeue.sql.js';
import type { WakeBus } from '../store/wake-bus.js';
import { Loop, type LoopLogger } from './loop.js';

const REQUEUE_MS = 10_000;
/** A tenth of a lease: that much later than it could be is an attempt taken back. */
const MAX_REST_MS = 3_000;

/**
 * The single place that repairs: attempts whose worker's lease has ended go back to the queue, and what was
 * queued while a version was submitted asks for what that version says. After a
 * time in which this process could not reach the database it waits one full lease first, because the
 * workers could not renew either (engine rule 19); and at its start, because it cannot know whether such a
 * time has just ended.
 */
export function createReaper(
  database: Database,
  clock: Clock,
  wakeBus: WakeBus,
  leaseMs: number,
  logger: LoopLogger,
): Loop {
  let lastSuccess = performance.now();
  let patientUntil = lastSuccess + leaseMs;
  let requeueAt = lastSuccess;
  const restMs = Math.min(MAX_REST_MS, leaseMs / 10);
  return new Loop({
    name: 'reaper',
    logger,
    clock,
    round: async () => {
      const isLost = await hasLostAttempts(database, leaseMs);
      const now = performance.now();
      if (now - lastSuccess > leaseMs / 2) patientUntil = now + leaseMs;
      lastSuccess = now;
      if (now >= requeueAt) {
        requeueAt = now + REQUEUE_MS;
        if ((await database.transaction((tx) => requeue(tx, 'lately'))) > 0) wakeBus.wake();
      }
      if (!isLost || now < patientUntil) return restMs;
      const reaped = await database.transaction((tx) => reapLostAttempts(tx, clock.now(), leaseMs));
      if (reaped > 0) wakeBus.wake();
      return reaped > 0 ? 'again' : restMs;
    },
  });
}
