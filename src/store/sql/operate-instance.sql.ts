import { MillraceError } from '../../domain/errors.js';
import {
  isHeld,
  judge,
  type Operation,
  outcomeOf,
  type RerunMode,
} from '../../domain/instance/operation.js';
import type { InstanceStatus } from '../../domain/instance/status.js';
import type { Move } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import type { InstanceKey, InstanceRow } from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { enqueue } from './make-ready.sql.js';
import { closeRuns } from './open-runs.sql.js';
import { recordLast } from './record-last.sql.js';
import { releaseSatisfied, rowEndsAtOnce, settleEdges, settlementOf } from './settle-edges.sql.js';
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

/** MR-S205 when the rules refuse it; false when there is nothing to do. */
function requireAllowed(
  operation: Operation,
  row: InstanceRow,
  rerunMode: RerunMode = 'always',
): boolean {
  const verdict = judge(operation, { ...row, rerunMode });
  if (verdict.verdict === 'refused') throw new MillraceError(verdict.code, verdict.reason);
  return verdict.verdict === 'will';
}

/**
 * Starts a final instance again. Edges to children that have not started are opened, its own edges are
 * written anew by what its upstreams are now, and time and gates are checked again (engine rule 3).
 */
export async function rerunInstance(tx: Sql, key: InstanceKey, now: Date): Promise<void> {
  // Upstreams before their child, as a finish locks them: the other way round the two wait for each other.
  const upstreams = await lockUpstreams(tx, key);
  const row = await lockOne(tx, key);
  requireAllowed('rerun', row, await rerunModeOf(tx, row));
  const pending = await refreshEdges(tx, row, upstreams);
  await tx.run(
    `UPDATE node_instance SET status = 'waiting_upstream', pending = $3, epoch = epoch + 1,
            run_number = run_number + 1, attempt = 0, lost_leases = 0, returned = 0, upstream_done_at = NULL,
            ready_at = NULL, dispatched_at = NULL, started_at = NULL, ended_at = NULL,
            dry_run = dry_run_reason IS NOT NULL, reason = dry_run_reason
      WHERE plan_day = $1 AND id = $2`,
    [row.plan_day, row.id, pending],
  );
  await writeEvents(tx, now, [
    statusEvent(row, 'waiting_upstream', {
      rerun: true,
      runNumber: row.run_number + 1,
      attempt: 0,
      dryRun: row.dry_run_reason !== null,
    }),
  ]);
  await settleEdges(tx, [settlementOf(row, 'open')], now);
  if (pending > 0) return;
  const [fresh] = await lockInstances(tx, [key]);
  if (fresh !== undefined) await settleEdges(tx, await releaseSatisfied(tx, [fresh], now), now);
}

async function rerunModeOf(tx: Sql, row: InstanceRow): Promise<RerunMode | undefined> {
  const [node] = await tx.rows<{ rerun_mode: RerunMode }>(
    `SELECT rerun_mode FROM node_version WHERE version_id = $1 AND node_id = $2`,
    [row.version_id, row.node_id],
  );
  return node?.rerun_mode;
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
    `SELECT (SELECT count(*) FROM instance_edge
              WHERE plan_day = $1 AND downstream_id = $2 AND NOT removed
                AND outcome IN ('open', 'failed'))::int
          + (SELECT count(*) FROM awaited_edge WHERE downstream_id = $2)::int AS pending`,
    [row.plan_day, row.id],
  );
  return count?.pending ?? 0;
}

/** Declares a failed instance a success: its children may go on. */
export async function setInstanceSuccess(tx: Sql, key: InstanceKey, now: Date): Promise<void> {
  const row = await lockOne(tx, key);
  requireAllowed('set-success', row);
  const to = 'succeeded';
  await tx.run(
    `UPDATE node_instance SET status = $3, reason = 'set_success', epoch = epoch + 1
      WHERE plan_day = $1 AND id = $2`,
    [row.plan_day, row.id, to],
  );
  await recordLast(tx, [{ row, status: to }]);
  await writeEvents(tx, now, [statusEvent(row, to, { setSuccess: true })]);
  await settleEdges(tx, [settlementOf(row, 'success')], now);
}

/**
 * Stops an instance. A waiting one is cancelled here; one that a worker holds is asked to stop, and the
 * worker's report cancels it.
 */
export async function stopInstance(tx: Sql, key: InstanceKey, now: Date): Promise<void> {
  const row = await lockOne(tx, key);
  requireAllowed('stop', row);
  const to = 'cancelled';
  if (isHeld(row.status)) {
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
  await closeRuns(tx, [row.id]);
  await recordLast(tx, [{ row, status: to }]);
  await writeEvents(tx, now, [statusEvent(row, to, { code: 'MR-S203' })]);
  await settleEdges(tx, [settlementOf(row, 'failed')], now);
}

/** Freezes a waiting instance where it is, or thaws it back to where it was. */
export async function setInstanceFrozen(
  tx: Sql,
  key: InstanceKey,
  frozen: boolean,
  now: Date,
): Promise<void> {
  const row = await lockOne(tx, key);
  if (!requireAllowed(frozen ? 'freeze' : 'unfreeze', row)) return;
  await tx.run(`UPDATE node_instance SET frozen = $3 WHERE plan_day = $1 AND id = $2`, [
    row.plan_day,
    row.id,
    frozen,
  ]);
  // Before the thaw moves it: the status in this event is the one it was frozen in.
  await writeEvents(tx, now, [
    { ...statusEvent(row, row.status, { frozen }), type: 'instance.frozen' },
  ]);
  if (frozen) await tx.run(`DELETE FROM ready_instance WHERE instance_id = $1`, [row.id]);
  else if (row.status === 'waiting_resource') {
    const thawed = { ...row, frozen: false };
    if (rowEndsAtOnce(thawed))
      await settleEdges(tx, await releaseSatisfied(tx, [thawed], now), now);
    else await enqueue(tx, [thawed], now);
  }
}
