import { type Database, sqlStateOf } from '../database.js';
import { ensureDays } from '../run-migrations.js';

/** At least so many, where there are that many. */
export const EVENTS_AT_ONCE = 1_000;
const NO_PARTITION = '23514';

/** Whether {@link publishEvents} has something to do, asked without its lock. */
export async function hasEventsToPublish(database: Database): Promise<boolean> {
  const [row] = await database.rows<{ waiting: boolean }>(
    `SELECT EXISTS (SELECT FROM event_outbox) AS waiting`,
  );
  return row?.waiting === true;
}

/**
 * Numbers committed events: moves about 1,000 of them from `event_outbox` into `event`, and returns how
 * many; 0 as well while another publisher is at it.
 *
 * A bigserial column was tried first: numbers are drawn before the commit, so a reader that has seen 2
 * can miss 1. Here the counter's row lock is held until the commit, which makes seeing n mean having
 * seen everything below n (engine rule 22). The lock is a statement of its own: the batch must be read
 * with a snapshot that is younger than the commit of the publisher before.
 */
export async function publishEvents(database: Database): Promise<number> {
  try {
    return await publishBatch(database);
  } catch (error) {
    if (sqlStateOf(error) !== NO_PARTITION) throw error;
    await ensureDays(database);
    return await publishBatch(database);
  }
}

async function publishBatch(database: Database): Promise<number> {
  return await database.transaction(async (tx) => {
    const locked = await tx.rows<{ seq: number }>(
      'SELECT seq FROM event_counter FOR UPDATE SKIP LOCKED',
    );
    const counter = locked[0];
    if (counter === undefined) return 0;
    const moved = await tx.run(
      `WITH batch AS (
         DELETE FROM event_outbox
          WHERE id IN (SELECT id FROM (
                  SELECT id, sum(events) OVER (ORDER BY id) - events AS before
                    FROM (SELECT id, events FROM event_outbox ORDER BY id LIMIT ${EVENTS_AT_ONCE}) oldest) counted
                 WHERE before < ${EVENTS_AT_ONCE})
          RETURNING *), told AS (
         SELECT id, 0::bigint AS no, workspace_id, type, at, plan_day, instance_id, payload::jsonb AS payload
           FROM batch WHERE type <> 'batch'
         UNION ALL
         SELECT b.id, e.no, b.workspace_id, 'instance.status', b.at, (e.event ->> 'd')::date,
                (e.event ->> 'i')::bigint, e.event -> 'p'
           FROM batch b
          CROSS JOIN LATERAL jsonb_array_elements(b.payload::jsonb) WITH ORDINALITY AS e(event, no)
          WHERE b.type = 'batch')
       INSERT INTO event (plan_day, seq, workspace_id, type, at, instance_plan_day, instance_id, payload)
       SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date, $1 + row_number() OVER (ORDER BY id, no),
              workspace_id, type, at, plan_day, instance_id, payload
         FROM told`,
      [counter.seq],
    );
    if (moved > 0) await tx.run('UPDATE event_counter SET seq = seq + $1', [moved]);
    return moved;
  });
}
