import {
  HELD_STATUSES,
  type InstanceStatus,
  WAITING_STATUSES,
} from '../../domain/instance/status.js';
import type { Move } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import { INSTANCE_COLUMNS, type InstanceRow, keyArrays, keyOf } from './instance-row.js';
import { closeRuns } from './open-runs.sql.js';
import { recordLast } from './record-last.sql.js';
import { settleEdges } from './settle-edges.sql.js';
import { settlementOf } from './settlement.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

export const CANCEL_MOVES: readonly Move[] = [
  { from: [...WAITING_STATUSES], events: ['stopped'], to: 'cancelled' },
];

/** Instances of one run group; of these runs of workflows alone where they are named. */
export interface CancelScope {
  readonly planDay: string;
  readonly runGroupId: number;
  readonly workflowInstanceIds?: readonly number[];
}

/** So many are locked at once (engine rule 5). */
const CHUNK = 500;

/**
 * Cancels some of what waits, at most 500 instances, and asks the workers to stop what they hold. Returns
 * how many instances have not been dealt with before this call: 0 says that nothing is left to cancel.
 */
export async function cancelInstances(tx: Sql, scope: CancelScope, now: Date): Promise<number> {
  const waiting = await lockSome(tx, scope, WAITING_STATUSES, false);
  await cancelWaiting(tx, waiting, now);
  const held = await lockSome(tx, scope, HELD_STATUSES, true);
  await tx.run(
    `UPDATE running_attempt SET stop_requested = true WHERE instance_id = ANY($1::bigint[])`,
    [held.map((row) => row.id)],
  );
  await writeEvents(
    tx,
    now,
    held.map((row) => ({ ...statusEvent(row, row.status), type: 'instance.stop_requested' })),
  );
  return waiting.length + held.length;
}

async function lockSome(
  tx: Sql,
  scope: CancelScope,
  statuses: readonly InstanceStatus[],
  unasked: boolean,
): Promise<InstanceRow[]> {
  return await tx.rows<InstanceRow>(
    `SELECT ${INSTANCE_COLUMNS} FROM node_instance i
      WHERE i.plan_day = $1 AND i.run_group_id = $2 AND i.status = ANY($3::text[])
        AND ($4::bigint[] IS NULL OR i.workflow_instance_id = ANY($4))
        AND (NOT $5 OR EXISTS (SELECT FROM running_attempt a
                                WHERE a.instance_id = i.id AND NOT a.stop_requested))
      ORDER BY i.id LIMIT ${CHUNK} FOR NO KEY UPDATE`,
    [scope.planDay, scope.runGroupId, statuses, scope.workflowInstanceIds ?? null, unasked],
  );
}

async function cancelWaiting(tx: Sql, rows: readonly InstanceRow[], now: Date): Promise<void> {
  if (rows.length === 0) return;
  const to = 'cancelled';
  const [days, ids] = keyArrays(rows.map(keyOf));
  await tx.run(`DELETE FROM ready_instance WHERE instance_id = ANY($1::bigint[])`, [ids]);
  await tx.run(`DELETE FROM due_instance WHERE instance_id = ANY($1::bigint[])`, [ids]);
  await tx.run(
    `UPDATE node_instance SET status = $3, ended_at = $4, epoch = epoch + 1
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])`,
    [days, ids, to, now],
  );
  await closeRuns(tx, ids);
  await recordLast(
    tx,
    rows.map((row) => ({ row, status: to })),
  );
  await writeEvents(
    tx,
    now,
    rows.map((row) => statusEvent(row, to, { code: 'MR-S203' })),
  );
  await settleEdges(
    tx,
    rows.map((row) => settlementOf(row, 'failed')),
    now,
  );
}
