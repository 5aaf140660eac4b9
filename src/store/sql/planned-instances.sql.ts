import type { Sql } from '../database.js';
import { INSTANCE_COLUMNS, type InstanceRow } from './instance-row.js';

/** A planned instance, and what the version it was planned with says of it. */
export interface PlannedRow extends InstanceRow {
  readonly node_name: string;
  /** The node itself, by hand: all its instances are frozen. */
  readonly node_frozen: boolean;
  readonly period_no: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly planned_priority: number;
  readonly planned_resource_group_id: number;
  readonly planned_slots: number;
  readonly planned_schedule_type: string;
}

/** The instances of one workflow in one daily plan in id order, locked in it unless somebody only looks. */
export async function plannedInstances(
  tx: Sql,
  plan: {
    readonly planDay: string;
    readonly runGroupId: number;
    readonly workflowId: number;
    readonly bizdate: string;
  },
  { lock }: { readonly lock: boolean },
): Promise<PlannedRow[]> {
  return await tx.rows<PlannedRow>(
    `SELECT ${INSTANCE_COLUMNS}, n.name AS node_name, n.frozen AS node_frozen, i.period_no, coalesce(d.parameters, '{}') AS parameters,
            nv.priority AS planned_priority, nv.resource_group_id AS planned_resource_group_id,
            nv.slots AS planned_slots, nv.schedule_type AS planned_schedule_type
       FROM node_instance i
       JOIN node n ON n.id = i.node_id
       JOIN node_version nv ON nv.version_id = i.version_id AND nv.node_id = i.node_id
       LEFT JOIN node_instance_detail d ON d.plan_day = $1 AND d.instance_id = i.id
      WHERE i.plan_day = $1 AND i.run_group_id = $2 AND i.workflow_id = $3 AND i.bizdate = $4
        AND i.path = ''
      ORDER BY i.id ${lock ? 'FOR NO KEY UPDATE OF i' : ''}`,
    [plan.planDay, plan.runGroupId, plan.workflowId, plan.bizdate],
  );
}
