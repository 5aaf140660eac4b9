import { MillraceError } from '../../domain/errors.js';
import { judge } from '../../domain/instance/operation.js';
import { WAITING_STATUSES } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';
import { chunksOf } from './chunks.js';
import { freezeRows } from './freeze-rows.sql.js';
import { type InstanceKey, keyOf } from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { writeEvents } from './write-events.sql.js';

export interface NodeFreeze {
  readonly workflowId: number;
  /** By name. */
  readonly node: string;
  readonly frozen: boolean;
  /** Also what is planned already and has not started. */
  readonly withInstances: boolean;
}

export interface NodeFrozen {
  /** The instances that were frozen or thawed with it. */
  readonly instances: readonly InstanceKey[];
  /** What the latest version says: `frozen` keeps its instances frozen whatever the node is. */
  readonly scheduleType: string;
}

/**
 * Freezes a node: all instances that are planned from now on are made frozen. The lock on the workflow is
 * the one that planning shares, so what is being planned now is seen here or sees this. MR-A104 for an
 * unknown node.
 */
export async function setNodeFrozen(tx: Sql, order: NodeFreeze, now: Date): Promise<NodeFrozen> {
  const { workflowId, node: name, frozen, withInstances } = order;
  const [workflow] = await tx.rows<{ workspace_id: number }>(
    `SELECT workspace_id FROM workflow WHERE id = $1 FOR NO KEY UPDATE`,
    [workflowId],
  );
  const [node] = await tx.rows<{ id: number; was: boolean; schedule_type: string | null }>(
    `SELECT n.id, n.frozen AS was,
            (SELECT schedule_type FROM node_version WHERE node_id = n.id
              ORDER BY version_id DESC LIMIT 1) AS schedule_type
       FROM node n WHERE n.workflow_id = $1 AND n.name = $2`,
    [workflowId, name],
  );
  if (workflow === undefined || node === undefined)
    throw new MillraceError('MR-A104', `The workflow has no submitted node "${name}".`);
  const { workspace_id: workspaceId } = workflow;
  if (node.was !== frozen) {
    await tx.run(`UPDATE node SET frozen = $2 WHERE id = $1`, [node.id, frozen]);
    const payload = { workflowId, nodeId: node.id, frozen };
    await writeEvents(tx, now, [{ workspaceId, type: 'node.frozen', payload }]);
  }
  const instances: InstanceKey[] = [];
  const waiting = withInstances ? await waitingOf(tx, workspaceId, node.id, frozen) : [];
  for (const chunk of chunksOf(waiting)) {
    const rows = (await lockInstances(tx, chunk)).filter(
      (row) =>
        judge(frozen ? 'freeze' : 'unfreeze', { ...row, rerunMode: 'always' }).verdict === 'will',
    );
    await freezeRows(tx, rows, frozen, now);
    instances.push(...rows.map(keyOf));
  }
  return { instances, scheduleType: node.schedule_type ?? 'normal' };
}

async function waitingOf(
  tx: Sql,
  workspaceId: number,
  nodeId: number,
  frozen: boolean,
): Promise<InstanceKey[]> {
  const days = await tx.rows<{ plan_day: string }>(
    `SELECT plan_day FROM plan WHERE workspace_id = $1
     UNION SELECT plan_day FROM run_group WHERE workspace_id = $1 AND plan_day IS NOT NULL`,
    [workspaceId],
  );
  return await tx.rows<InstanceKey>(
    `SELECT plan_day AS "planDay", id FROM node_instance
      WHERE plan_day = ANY($1::date[]) AND node_id = $2 AND frozen <> $3
        AND status = ANY($4::text[])
      ORDER BY id`,
    [days.map((day) => day.plan_day), nodeId, frozen, WAITING_STATUSES],
  );
}
