import type { InstanceStatus } from '../../domain/instance/status.js';

/** The columns of `node_instance` that moving an instance needs. */
export interface InstanceRow {
  readonly plan_day: string;
  readonly id: number;
  readonly workspace_id: number;
  readonly workflow_id: number;
  readonly node_id: number;
  readonly version_id: number;
  readonly resource_group_id: number;
  readonly node_type: string;
  readonly bizdate: string;
  readonly scheduled_at: Date;
  readonly path: string;
  readonly run_at: Date;
  readonly status: InstanceStatus;
  readonly pending: number;
  readonly epoch: number;
  readonly run_number: number;
  readonly attempt: number;
  readonly lost_leases: number;
  readonly priority: number;
  readonly slots: number;
  readonly frozen: boolean;
  readonly dry_run: boolean;
  readonly reason: string | null;
  readonly last_child_day: string;
}

export const INSTANCE_COLUMNS = `i.plan_day, i.id, i.workspace_id, i.workflow_id, i.node_id, i.version_id,
  i.resource_group_id, i.node_type, i.bizdate, i.scheduled_at, i.path, i.run_at, i.status, i.pending,
  i.epoch, i.run_number, i.attempt, i.lost_leases, i.priority, i.slots, i.frozen, i.dry_run, i.reason,
  i.last_child_day`;

/** Names one instance: the plan day leads to its partition. */
export interface InstanceKey {
  readonly planDay: string;
  readonly id: number;
}

export function keyOf(row: InstanceRow): InstanceKey {
  return { planDay: row.plan_day, id: row.id };
}

/** Plan days and ids as the two arrays every statement over several instances takes. */
export function keyArrays(keys: readonly InstanceKey[]): [days: string[], ids: number[]] {
  return [[...new Set(keys.map((key) => key.planDay))], keys.map((key) => key.id)];
}
