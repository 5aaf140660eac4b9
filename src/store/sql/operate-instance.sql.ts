import { MillraceError } from '../../domain/errors.js';
import { HELD_STATUSES, type InstanceStatus, isFinal } from '../../domain/instance/status.js';
import { type InstanceEvent, type Move, nextStatus } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import { type InstanceKey, type InstanceRow, keyOf } from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { enqueue } from './make-ready.sql.js';
import { releaseSatisfied, settleEdges } from './settle-edges.sql.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

export const OPERATE_MOVES: readonly Move[] = [
  { from: ['succeeded', 'failed', 'cancelled'], events: ['rerun'], to: 'waiting_upstream' },
  { from: ['failed', 'cancelled'], events: ['set_success'], to: 'succeeded' },
  {
    from: ['waiting_upstream', 'waiting_time', 'waiting_resource', 'gated', 'retry_wait'],
    events: ['stopped'],
    to: 'cancelled',
  },
];

async function lockOne(tx: Sql, key: InstanceKey): Promise<InstanceRow> {
  const [row] = await lockInstances(tx, [key]);
  if (row === undefined) throw new MillraceError('MR-A104', `There is no instance ${key.id}.`);
  return row;
}

function requireEvent(row: InstanceRow, event: InstanceEvent): InstanceStatus {
  const to = nextStatus(row.status, event);
  if (to === undefined) {
    throw new MillraceError(
      'MR-S205',
      `"${event}" does not apply to an instance in ${row.status}.`,
    );
  }
  return to;
}

/**
 * Starts a final instance again. Edges to children that have not started are opened, its own edges are
 * written anew by what its upstreams are now, and time and gates are checked again (engine rule 3).
 */
export async function rerunInstance(tx: Sql, key: InstanceKey, now: Date): Promise<void> {
  // Upstreams before their child, as a finish locks them: the other way round the two wait for each other.
  const upstreams = await lockUpstreams(tx, key);
  const row = await lockOne(tx, key);
  requireEvent(row, 'rerun');
  await refuseByRerunMode(tx, row);
  const pending = await refreshEdges(tx, row, upstreams);
  await tx.run(
    `UPDATE node_instance SET status = 'waiting_upstream', pending = $3, epoch = epoch + 1,
            run_number = run_number + 1, attempt = 0, lost_leases = 0, upstream_done_at = NULL,
            ready_at = NULL, dispatched_at = NULL, started_at = NULL, ended_at = NULL,
            dry_run = dry_run AND reason IS DISTINCT FROM 'skipped',
            reason = CASE WHEN dry_run AND reason <> 'skipped' THEN reason END
      WHERE plan_day = $1 AND id = $2`,
    [row.plan_day, row.id, pending],
  );
  await writeEvents(tx, now, [statusEvent(row, 'waiting_upstream', { rerun: true })]);
  await settleEdges(
    tx,
    [{ ...keyOf(row), lastChildDay: row.last_child_day, outcome: 'open' }],
    now,
  );
  if (pending > 0) return;
  const [fresh] = await lockInstances(tx, [key]);
  if (fresh !== undefined) await settleEdges(tx, await releaseSatisfied(tx, [fresh], now), now);
}

async function refuseByRerunMode(tx: Sql, row: InstanceRow): Promise<void> {
  const [node] = await tx.rows<{ rerun_mode: string }>(
    `SELECT rerun_mode FROM node_version WHERE version_id = $1 AND node_id = $2`,
    [row.version_id, row.node_id],
  );
  const refused =
    node?.rerun_mode === 'never' ||
    (node?.rerun_mode === 'on_failure' && row.status === 'succeeded');
  if (refused) {
    throw new MillraceError('MR-S205', `The rerun mode of the node is "${node.rerun_mode}".`);
  }
}

interface Upstream {
  readonly id: number;
  readonly status: InstanceStatus;
  readonly reason: string | null;
}

async function lockUpstreams(tx: Sql, key: InstanceKey): Promise<Upstream[]> {
  const upstreams = await tx.rows<{ upstream_plan_day: string; upstream_id: number }>(
    `SELECT upstream_plan_day, upstream_id FROM instance_edge
      WHERE plan_day = $1 AND downstream_id = $2 AND NOT removed`,
    [key.planDay, key.id],
  );
  return await tx.rows<Upstream>(
    `SELECT id, status, reason FROM node_instance
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[]) ORDER BY id FOR SHARE`,
    [
      [...new Set(upstreams.map((each) => each.upstream_plan_day))],
      upstreams.map((each) => each.upstream_id),
    ],
  );
}

/** Writes the edges into `row` by the present state of its upstreams, which are locked. */
async function refreshEdges(
  tx: Sql,
  row: InstanceRow,
  locked: readonly Upstream[],
): Promise<number> {
  const outcomes = locked.map((upstream) => outcomeOf(upstream.status, upstream.reason));
  await tx.run(
    `UPDATE instance_edge e SET outcome = s.outcome
       FROM unnest($3::bigint[], $4::text[]) AS s(upstream_id, outcome)
      WHERE e.plan_day = $1 AND e.downstream_id = $2 AND e.upstream_id = s.upstream_id
        AND NOT e.removed AND e.outcome <> s.outcome`,
    [row.plan_day, row.id, locked.map((upstream) => upstream.id), outcomes],
  );
  const [count] = await tx.rows<{ pending: number }>(
    `SELECT count(*)::int AS pending FROM instance_edge
      WHERE plan_day = $1 AND downstream_id = $2 AND NOT removed AND outcome IN ('open', 'failed')`,
    [row.plan_day, row.id],
  );
  return count?.pending ?? 0;
}

function outcomeOf(status: InstanceStatus, reason: string | null): string {
  if (!isFinal(status)) return 'open';
  if (status !== 'succeeded') return 'failed';
  return reason === 'skipped' ? 'skipped' : 'success';
}

/** Declares a failed instance a success: its children may go on. */
export async function setInstanceSuccess(tx: Sql, key: InstanceKey, now: Date): Promise<void> {
  const row = await lockOne(tx, key);
  const to = requireEvent(row, 'set_success');
  await tx.run(
    `UPDATE node_instance SET status = $3, reason = 'set_success', epoch = epoch + 1
      WHERE plan_day = $1 AND id = $2`,
    [row.plan_day, row.id, to],
  );
  await writeEvents(tx, now, [statusEvent(row, to, { setSuccess: true })]);
  await settleEdges(
    tx,
    [{ ...keyOf(row), lastChildDay: row.last_child_day, outcome: 'success' }],
    now,
  );
}

/**
 * Stops an instance. A waiting one is cancelled here; one that a worker holds is asked to stop, and the
 * worker's report cancels it.
 */
export async function stopInstance(tx: Sql, key: InstanceKey, now: Date): Promise<void> {
  const row = await lockOne(tx, key);
  const to = requireEvent(row, 'stopped');
  if ((HELD_STATUSES as readonly string[]).includes(row.status)) {
    await tx.run(`UPDATE running_attempt SET stop_requested = true WHERE instance_id = $1`, [
      row.id,
    ]);
    await writeEvents(tx, now, [
      { ...statusEvent(row, row.status), type: 'instance.stop_requested' },
    ]);
    return;
  }
  await tx.run(`DELETE FROM ready_instance WHERE instance_id = $1`, [row.id]);
  await tx.run(`DELETE FROM due_instance WHERE instance_id = $1`, [row.id]);
  await tx.run(
    `UPDATE node_instance SET status = $3, ended_at = $4, epoch = epoch + 1
      WHERE plan_day = $1 AND id = $2`,
    [row.plan_day, row.id, to, now],
  );
  await writeEvents(tx, now, [statusEvent(row, to, { code: 'MR-S203' })]);
  await settleEdges(
    tx,
    [{ ...keyOf(row), lastChildDay: row.last_child_day, outcome: 'failed' }],
    now,
  );
}

/** Freezes a waiting instance where it is, or thaws it back to where it was. */
export async function setInstanceFrozen(
  tx: Sql,
  key: InstanceKey,
  frozen: boolean,
  now: Date,
): Promise<void> {
  const row = await lockOne(tx, key);
  if (isFinal(row.status) || (HELD_STATUSES as readonly string[]).includes(row.status)) {
    throw new MillraceError(
      'MR-S205',
      `Freezing applies to an instance that waits; this one is in ${row.status}.`,
    );
  }
  if (row.frozen === frozen) return;
  await tx.run(`UPDATE node_instance SET frozen = $3 WHERE plan_day = $1 AND id = $2`, [
    row.plan_day,
    row.id,
    frozen,
  ]);
  if (frozen) await tx.run(`DELETE FROM ready_instance WHERE instance_id = $1`, [row.id]);
  else if (row.status === 'waiting_resource') {
    const thawed = { ...row, frozen: false };
    if (row.dry_run) await settleEdges(tx, await releaseSatisfied(tx, [thawed], now), now);
    else await enqueue(tx, [thawed], now);
  }
  await writeEvents(tx, now, [
    { ...statusEvent(row, row.status, { frozen }), type: 'instance.frozen' },
  ]);
}
