import type { Move } from '../../domain/instance/transitions.js';
import { rankOf } from '../../domain/resource/rank-of.js';
import type { Sql } from '../database.js';
import { laneOf } from './gates-of.js';
import { type InstanceRow, keyArrays, keyOf } from './instance-row.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

export const MAKE_READY_MOVES: readonly Move[] = [
  { from: ['waiting_upstream'], events: ['upstream_done', 'time_reached'], to: 'waiting_resource' },
  { from: ['waiting_time', 'retry_wait'], events: ['time_reached'], to: 'waiting_resource' },
  {
    from: ['dispatched', 'running', 'checking', 'checking_condition'],
    events: ['lease_lost'],
    to: 'waiting_resource',
  },
];

/**
 * Moves locked instances to `waiting_resource` and puts them before the workers. A frozen one gets the
 * status and no place in the queue: thawing gives it one. What was taken from a worker gets a new epoch;
 * `lost` counts towards the three deaths of engine rule 19, `returned` (a worker that was stopped in
 * order) towards nothing.
 */
export async function makeReady(
  tx: Sql,
  rows: readonly InstanceRow[],
  now: Date,
  taken?: 'lost' | 'returned',
): Promise<void> {
  if (rows.length === 0) return;
  const [days, ids] = keyArrays(rows.map(keyOf));
  await tx.run(
    `UPDATE node_instance SET status = 'waiting_resource', ready_at = $3,
            upstream_done_at = coalesce(upstream_done_at, $3),
            epoch = epoch + CASE WHEN $4::text IS NULL THEN 0 ELSE 1 END,
            lost_leases = lost_leases + CASE WHEN $4 = 'lost' THEN 1 ELSE 0 END,
            returned = returned + CASE WHEN $4 = 'returned' THEN 1 ELSE 0 END
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])`,
    [days, ids, now, taken ?? null],
  );
  await tx.run(`DELETE FROM due_instance WHERE instance_id = ANY($1::bigint[])`, [ids]);
  await enqueue(
    tx,
    rows.filter((row) => !row.frozen),
    now,
  );
  await writeEvents(
    tx,
    now,
    rows.map((row) => statusEvent(row, 'waiting_resource')),
  );
}

/**
 * Puts instances that wait for a resource into the queue of their group, under one immutable rank: into the
 * lane of a gate they have to go through, and of the labels that the latest version of their node asks for.
 */
export async function enqueue(tx: Sql, rows: readonly InstanceRow[], now: Date): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(
    `INSERT INTO ready_instance (resource_group_id, rank, plan_day, instance_id, node_id, scheduled_at,
            path, node_type, slots, backfill_id, ready_at, gate_id, labels)
     SELECT r.*, $11::timestamptz,
            CASE WHEN (SELECT EXISTS (SELECT FROM gate)) THEN ${laneOf('r')} ELSE 0 END,
            coalesce((SELECT array_to_string(nv.labels, ' ') FROM node_version nv
                       WHERE nv.node_id = r.node_id ORDER BY nv.version_id DESC LIMIT 1), '')
       FROM unnest($1::bigint[], $2::bigint[], $3::date[], $4::bigint[], $5::bigint[],
            $6::timestamptz[], $7::text[], $8::text[], $9::smallint[], $10::bigint[])
            AS r(resource_group_id, rank, plan_day, instance_id, node_id, scheduled_at, path, node_type, slots,
                 backfill_id)
     ON CONFLICT (instance_id) DO NOTHING`,
    [
      rows.map((row) => row.resource_group_id),
      rows.map((row) => rankOf({ readyAt: now, priority: row.priority }).toString()),
      rows.map((row) => row.plan_day),
      rows.map((row) => row.id),
      rows.map((row) => row.node_id),
      rows.map((row) => row.scheduled_at),
      rows.map((row) => row.path),
      rows.map((row) => row.node_type),
      rows.map((row) => row.slots),
      rows.map((row) => (row.in_backfill ? row.run_group_id : 0)),
      now,
    ],
  );
}
