import type { InstanceStatus } from '../../domain/instance/status.js';

/** The columns of `node_instance` that moving an instance needs. */
export interface InstanceRow {
  readonly plan_day: string;
  readonly id: number;
  readonly workspace_id: number;
  readonly workflow_id: number;
  readonly node_id: number;
  readonly version_id: number;
  readonly run_group_id: number;
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
  /** Attempts of this run that their workers gave back: they use up no retry. */
  readonly returned: number;
  readonly priority: number;
  readonly slots: number;
  readonly frozen: boolean;
  readonly dry_run: boolean;
  readonly reason: string | null;
  /** Why it was planned as a dry run; `null`: it was not, and is one only as long as it is skipped. */
  readonly dry_run_reason: string | null;
  readonly last_child_day: string;
  /** Its own plan day, or an earlier one of a downstream that was planned before it. */
  readonly first_child_day: string;
  /** Only then may its business date be waiting for its turn. */
  readonly in_backfill: boolean;
  readonly upstream_done_at: Date | null;
  readonly ready_at: Date | null;
  readonly dispatched_at: Date | null;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
}

export const INSTANCE_COLUMNS = `i.plan_day, i.id, i.workspace_id, i.workflow_id, i.node_id, i.version_id,
  i.run_group_id, i.resource_group_id, i.node_type, i.bizdate, i.scheduled_at, i.path, i.run_at, i.status, i.pending,
  i.epoch, i.run_number, i.attempt, i.lost_leases, i.returned, i.priority, i.slots, i.frozen, i.dry_run, i.reason,
  i.dry_run_reason, i.last_child_day, coalesce(i.first_child_day, i.plan_day) AS first_child_day,
  i.in_backfill, i.upstream_done_at, i.ready_at, i.dispatched_at, i.started_at, i.ended_at`;

/** What releasing an instance that waits needs of its row: the row as a whole costs as much to read as to write. */
export type WaitingRow = Pick<
  InstanceRow,
  | 'plan_day'
  | 'id'
  | 'run_group_id'
  | 'bizdate'
  | 'run_at'
  | 'status'
  | 'pending'
  | 'epoch'
  | 'slots'
  | 'frozen'
  | 'dry_run'
  | 'reason'
  | 'priority'
  | 'last_child_day'
  | 'first_child_day'
  | 'in_backfill'
  | 'resource_group_id'
>;

export const WAITING_COLUMNS = `i.plan_day, i.id, i.run_group_id, i.bizdate, i.run_at, i.status, i.pending, i.epoch,
  i.slots, i.frozen, i.dry_run, i.reason, i.priority, i.last_child_day,
  coalesce(i.first_child_day, i.plan_day) AS first_child_day, i.in_backfill, i.resource_group_id`;

/** Names one instance: the plan day leads to its partition. */
export interface InstanceKey {
  readonly planDay: string;
  readonly id: number;
}

export function keyOf(row: Pick<InstanceRow, 'plan_day' | 'id'>): InstanceKey {
  return { planDay: row.plan_day, id: row.id };
}

/** Plan days and ids as the two arrays every statement over several instances takes. */
export function keyArrays(keys: readonly InstanceKey[]): [days: string[], ids: number[]] {
  return [daysOf(keys.map((key) => key.planDay)), keys.map((key) => key.id)];
}

/** Each once, the first one first. */
export function daysOf(days: readonly string[]): string[] {
  return [...new Set(days)].sort();
}

/**
 * A test of a plan day beside one of ids: from the first to the last of `days`, a parameter as
 * {@link daysOf} makes it. By `= ANY` of a parameter the server leaves no partition out of a kept plan.
 */
export function onDays(days: string): string {
  return `BETWEEN (${days}::date[])[1] AND (${days}::date[])[cardinality(${days}::date[])]`;
}
