import type { Database } from '../database.js';

/** Rows come and go: what is gone stays in the way of whoever looks for what is there. */
const QUEUES = ['running_attempt', 'ready_instance', 'due_instance', 'event_outbox'] as const;

/**
 * Fewer cost those who look less than a vacuum does: after it every connection plans each of its kept statements
 * over the queue once more. At 500 instances a second a downstream started half a millisecond later with 500.
 */
const MIN_DEAD_ROWS = 5_000;

/**
 * Vacuums the queues that have many dead rows, and returns which. Autovacuum looks once a minute, in which a
 * busy group makes ten thousand of them: each claim then read them all, in the index that sums up its slots.
 */
export async function vacuumQueues(database: Database): Promise<string[]> {
  const rows = await database.rows<{ name: string }>(
    `SELECT relname AS name FROM pg_stat_user_tables
      WHERE schemaname = current_schema() AND relname = ANY($1::text[]) AND n_dead_tup >= $2`,
    [QUEUES, MIN_DEAD_ROWS],
  );
  const busy = QUEUES.filter((queue) => rows.some(({ name }) => name === queue));
  // Also where few pages have dead rows: it is the index that counts.
  for (const queue of busy)
    await database.run(`VACUUM (SKIP_LOCKED, INDEX_CLEANUP ON, TRUNCATE OFF) ${queue}`);
  return busy;
}
