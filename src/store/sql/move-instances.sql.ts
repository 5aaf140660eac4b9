import type { Sql } from '../database.js';
import { daysOf, onDays } from './instance-row.js';
import { queueing, ranksOf, withRank } from './make-ready.sql.js';
import { batchOf, statusPayload } from './write-events.sql.js';

/** What becomes of one locked instance that no worker has. */
export interface InstanceMove {
  readonly row: { readonly plan_day: string; readonly id: number; readonly priority: number };
  /** By how much its `pending` changes. */
  readonly delta: number;
  /** Absent: it stays where it is. */
  readonly to?: 'waiting_time' | 'waiting_resource' | 'succeeded';
  /** All its upstreams were: it becomes a dry run. */
  readonly isSkipped?: boolean;
}

const READY = `FROM move m
         JOIN node_instance i ON i.plan_day = m.plan_day AND i.id = m.id ${withRank('$8', '$9')}
        WHERE m.status = 'waiting_resource' AND NOT i.frozen AND i.plan_day ${onDays('$7')}
          AND i.id = ANY($2::bigint[])
       ON CONFLICT (instance_id) DO NOTHING`;

/**
 * Moves locked instances, writes their events and puts what is ready before the workers, but for frozen ones.
 * Each row is written once: counting an edge down and ending the
 * instance in two updates wrote every row, and where the page was full all its index entries, twice.
 *
 * Days and ids stand there as values as well: a join alone prunes no partition, and reads the whole of a
 * small one.
 *
 *   Update on node_instance i
 *     ->  Hash Join
 *           ->  Index Scan using node_instance_20261121_pkey on node_instance_20261121 i
 *           ->  Hash
 *                 ->  CTE Scan on move m
 */
export async function moveInstances(
  tx: Sql,
  moves: readonly InstanceMove[],
  now: Date,
): Promise<void> {
  if (moves.length === 0) return;
  const ready = moves.filter(({ to }) => to === 'waiting_resource').map(({ row }) => row);
  await tx.send(
    `WITH move AS (
       SELECT * FROM unnest($1::date[], $2::bigint[], $3::int[], $4::text[], $5::boolean[])
                  AS m(plan_day, id, delta, status, is_skipped)
     ), told AS (
       -- All parts of a statement see the rows as they were before it.
       INSERT INTO event_outbox (workspace_id, type, at, events, payload)
       SELECT i.workspace_id, 'batch', $6::timestamptz, count(*),
              ${batchOf(statusPayload({ status: 'm.status', dryRun: 'i.dry_run OR m.is_skipped' }))}
         FROM move m
         JOIN node_instance i ON i.plan_day = m.plan_day AND i.id = m.id
         LEFT JOIN resource_group g ON g.id = i.resource_group_id
         LEFT JOIN run_group r ON r.id = i.run_group_id
        WHERE m.status IS NOT NULL AND i.plan_day ${onDays('$7')} AND i.id = ANY($2::bigint[])
        GROUP BY i.workspace_id
     )${ready.length === 0 ? '' : `, queued AS (${await queueing(tx, '$6')} ${READY})`}
     UPDATE node_instance i
        SET pending = i.pending + m.delta,
            status = coalesce(m.status, i.status),
            upstream_done_at = CASE m.status
              WHEN 'waiting_time' THEN $6 WHEN 'waiting_resource' THEN coalesce(i.upstream_done_at, $6)
              WHEN 'succeeded' THEN coalesce(i.upstream_done_at, $6) ELSE i.upstream_done_at END,
            ready_at = CASE m.status WHEN 'waiting_resource' THEN $6 ELSE i.ready_at END,
            ended_at = CASE m.status WHEN 'succeeded' THEN $6 ELSE i.ended_at END,
            dry_run = i.dry_run OR m.is_skipped,
            reason = CASE WHEN m.is_skipped THEN 'skipped'
              WHEN m.status = 'succeeded' THEN CASE WHEN i.dry_run THEN coalesce(i.reason, 'dry_run') END
              ELSE i.reason END
       FROM move m
      WHERE i.plan_day = m.plan_day AND i.id = m.id AND i.plan_day ${onDays('$7')}
        AND i.id = ANY($2::bigint[])`,
    [
      moves.map(({ row }) => row.plan_day),
      moves.map(({ row }) => row.id),
      moves.map(({ delta }) => delta),
      moves.map(({ to }) => to ?? null),
      moves.map(({ isSkipped }) => isSkipped === true),
      now,
      daysOf(moves.map(({ row }) => row.plan_day)),
      ...(ready.length === 0 ? [] : ranksOf(ready, now)),
    ],
  );
}
