import type { Move } from '../../domain/instance/transitions.js';
import { rankOf } from '../../domain/resource/rank-of.js';
import type { Sql } from '../database.js';
import { laneOf } from './gates-of.js';
import { type InstanceRow, keyArrays, keyOf, type WaitingRow, onDays } from './instance-row.js';
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
 * Moves locked instances that were taken from their workers back to `waiting_resource` and puts them before
 * the workers, under a new epoch: `lost` counts towards the three deaths of engine rule 19, `returned` (a
 * worker that was stopped in order) towards nothing. A frozen one gets the status and no place in the queue:
 * thawing gives it one.
 */
export async function makeReadyAgain(
  tx: Sql,
  rows: readonly InstanceRow[],
  now: Date,
  taken: 'lost' | 'returned',
): Promise<void> {
  if (rows.length === 0) return;
  const [days, ids] = keyArrays(rows.map(keyOf));
  await tx.send(
    `UPDATE node_instance SET status = 'waiting_resource', ready_at = $3,
            upstream_done_at = coalesce(upstream_done_at, $3), epoch = epoch + 1,
            lost_leases = lost_leases + CASE WHEN $4 = 'lost' THEN 1 ELSE 0 END,
            returned = returned + CASE WHEN $4 = 'returned' THEN 1 ELSE 0 END
      WHERE plan_day ${onDays('$1')} AND id = ANY($2::bigint[])`,
    [days, ids, now, taken],
  );
  await enqueueReady(tx, rows, now);
  await writeEvents(
    tx,
    now,
    rows.map((row) => statusEvent(row, 'waiting_resource')),
  );
}

/** Puts instances that have just become ready into the queue, but for frozen ones. */
export async function enqueueReady(tx: Sql, rows: readonly WaitingRow[], now: Date): Promise<void> {
  if (rows.length === 0) return;
  await tx.send(`DELETE FROM due_instance WHERE instance_id = ANY($1::bigint[])`, [
    rows.map((row) => row.id),
  ]);
  await enqueue(
    tx,
    rows.filter((row) => !row.frozen),
    now,
  );
}

/** Puts instances that wait for a resource into the queue of their group. */
export async function enqueue(tx: Sql, rows: readonly WaitingRow[], now: Date): Promise<void> {
  if (rows.length === 0) return;
  const [days, ids] = keyArrays(rows.map(keyOf));
  await tx.send(
    `${await queueing(tx)}
       FROM node_instance i ${withRank('$4', '$5')}
      WHERE i.plan_day ${onDays('$1')} AND i.id = ANY($2::bigint[])
     ON CONFLICT (instance_id) DO NOTHING`,
    [days, ids, now, ...ranksOf(rows, now)],
  );
}

/** Joins to each instance `i` the rank of its priority, as {@link ranksOf} gives them. */
export function withRank(priorities: string, ranks: string): string {
  return `JOIN unnest(${priorities}::int[], ${ranks}::bigint[]) AS p(priority, rank) ON p.priority = i.priority`;
}

/** Each instance has one rank from becoming ready to its start: what its priority makes of that moment. */
export function ranksOf(
  rows: readonly { readonly priority: number }[],
  readyAt: Date,
): [priorities: number[], ranks: string[]] {
  const priorities = [...new Set(rows.map((row) => row.priority))];
  return [priorities, priorities.map((priority) => rankOf({ readyAt, priority }).toString())];
}

/**
 * Inserts into the queue what comes from an instance `i` and its rank `p`, ready at `readyAt`: into the lane of a
 * gate it has to go through, and of the labels that the latest version of its node asks for.
 */
export async function queueing(tx: Sql, readyAt = '$3'): Promise<string> {
  const hasLanes = tx.keepsPlans || (await hasGates(tx));
  return `INSERT INTO ready_instance (resource_group_id, rank, plan_day, instance_id, node_id, scheduled_at,
            path, node_type, slots, backfill_id, ready_at, gate_id, labels)
     SELECT i.resource_group_id, p.rank, i.plan_day, i.id, i.node_id, i.scheduled_at, i.path, i.node_type,
            i.slots, CASE WHEN i.in_backfill THEN i.run_group_id ELSE 0 END, ${readyAt}::timestamptz,
            ${hasLanes ? laneOf('i') : 0},
            coalesce((SELECT array_to_string(nv.labels, ' ') FROM node_version nv
                       WHERE nv.node_id = i.node_id ORDER BY nv.version_id DESC LIMIT 1), '')`;
}

/** To plan the search for lanes takes longer than all the rest; a claim looks for gates again. */
async function hasGates(tx: Sql): Promise<boolean> {
  const [gates] = await tx.rows<{ any: boolean }>('SELECT EXISTS (SELECT FROM gate) AS any');
  return gates?.any === true;
}
