import type { Sql } from '../database.js';
import { type InstanceKey, keyArrays, onDays } from './instance-row.js';
import { queueing, ranksOf, withRank } from './make-ready.sql.js';
import { batchOf, statusPayload } from './write-events.sql.js';

/**
 * Moves those of these locked instances that are still due to `waiting_resource`, tells of it and puts all but
 * frozen ones before the workers: in one statement, because 50,000 may fall into one minute and reading each
 * row here to send it back took half of the time. `due_instance` is left to the caller.
 *
 * The ids as values on both sides: by the join alone all that is due was read for each 500 of it.
 *
 *   Update on node_instance i
 *     CTE due
 *       ->  Merge Join
 *             ->  Index Scan using due_instance_pkey on due_instance d
 *             ->  Index Scan using node_instance_20261121_pkey on node_instance_20261121 i
 *     ->  Nested Loop
 *           ->  CTE Scan on due
 *           ->  Tid Scan on node_instance_20261121 i
 */
export async function moveDueToReady(
  tx: Sql,
  rows: readonly (InstanceKey & { readonly priority: number })[],
  now: Date,
): Promise<void> {
  if (rows.length === 0) return;
  await tx.send(
    `WITH due AS MATERIALIZED (
       -- Another scheduler may have been first, or the instance was stopped or moved in the meantime; it may
       -- also have run, failed and got a later time.
       SELECT i.*, i.tableoid AS part, i.ctid AS place
         FROM due_instance d JOIN node_instance i ON i.plan_day = d.plan_day AND i.id = d.instance_id
        WHERE d.due_at <= $3 AND d.instance_id = ANY($2::bigint[])
          AND i.plan_day ${onDays('$1')} AND i.id = ANY($2::bigint[])
          AND i.status IN ('waiting_time', 'retry_wait')
     ), told AS (
       INSERT INTO event_outbox (workspace_id, type, at, events, payload)
       SELECT i.workspace_id, 'batch', $3::timestamptz, count(*),
              ${batchOf(statusPayload({ status: `'waiting_resource'`, dryRun: 'i.dry_run' }))}
         FROM due i
         LEFT JOIN resource_group g ON g.id = i.resource_group_id
         LEFT JOIN run_group r ON r.id = i.run_group_id
        GROUP BY i.workspace_id
     ), queued AS (
       ${await queueing(tx)}
         FROM due i ${withRank('$4', '$5')}
        WHERE NOT i.frozen
       ON CONFLICT (instance_id) DO NOTHING
     )
     UPDATE node_instance i
        SET status = 'waiting_resource', ready_at = $3,
            upstream_done_at = coalesce(i.upstream_done_at, $3)
       FROM due WHERE i.tableoid = due.part AND i.ctid = due.place AND i.plan_day ${onDays('$1')}`,
    [...keyArrays(rows), now, ...ranksOf(rows, now)],
  );
}
