import { MillraceError } from '../../domain/errors.js';
import {
  isHeld,
  judge,
  type Operation,
  type RerunCode,
  type RerunMode,
} from '../../domain/instance/operation.js';
import { isFinal, WAITING_STATUSES } from '../../domain/instance/status.js';
import type { Move } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import { freezeRows } from './freeze-rows.sql.js';
import type { InstanceKey, InstanceRow } from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { closeRuns } from './open-runs.sql.js';
import { recordLast } from './record-last.sql.js';
import { releaseSatisfied } from './move-children.sql.js';
import { settleEdges } from './settle-edges.sql.js';
import { settlementOf } from './settlement.js';
import { lockForRerun, passUpstreams, type RerunRow, startAgain } from './start-again.sql.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

export const OPERATE_MOVES: readonly Move[] = [
  { from: ['succeeded', 'failed', 'cancelled'], events: ['rerun'], to: 'waiting_upstream' },
  { from: ['failed', 'cancelled'], events: ['set_success'], to: 'succeeded' },
  {
    from: [...WAITING_STATUSES],
    events: ['stopped'],
    to: 'cancelled',
  },
];

/** MR-A104 where there is none. */
export async function lockOne(tx: Sql, key: InstanceKey): Promise<InstanceRow> {
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

/** Starts a final instance again. */
export async function rerunInstance(
  tx: Sql,
  key: InstanceKey,
  now: Date,
  code?: RerunCode,
): Promise<void> {
  const row = await lockOneForRerun(tx, key);
  requireAllowed('rerun', row, row.rerun_mode);
  await startAgain(tx, [row], now, { code });
}

/**
 * Runs an instance past upstreams that are not satisfied and past its rerun mode. The edges it passes
 * over count again in its next rerun. Its time and a slot it waits for all the same.
 */
export async function forceInstance(tx: Sql, key: InstanceKey, now: Date): Promise<void> {
  const row = await lockOneForRerun(tx, key);
  if (!requireAllowed('force-rerun', row)) return;
  if (isFinal(row.status)) {
    await startAgain(tx, [row], now, { isForced: true });
    return;
  }
  await passUpstreams(tx, [row]);
  await settleEdges(tx, await releaseSatisfied(tx, [{ ...row, pending: 0 }], now), now);
}

async function lockOneForRerun(tx: Sql, key: InstanceKey): Promise<RerunRow> {
  const [row] = await lockForRerun(tx, [key]);
  if (row === undefined) throw new MillraceError('MR-A104', `There is no instance ${key.id}.`);
  return row;
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
  if (requireAllowed(frozen ? 'freeze' : 'unfreeze', row)) await freezeRows(tx, [row], frozen, now);
}
