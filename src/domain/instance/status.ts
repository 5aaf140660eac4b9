/** Every state a node instance can be in. `docs/instance-state.spec.md` draws them. */
export const INSTANCE_STATUSES = [
  'waiting_upstream',
  'waiting_time',
  'waiting_resource',
  'gated',
  'dispatched',
  'running',
  'checking',
  'checking_condition',
  'retry_wait',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type InstanceStatus = (typeof INSTANCE_STATUSES)[number];

export const FINAL_STATUSES = [
  'succeeded',
  'failed',
  'cancelled',
] as const satisfies InstanceStatus[];
export type FinalStatus = (typeof FINAL_STATUSES)[number];

/** A worker holds it: it has a row in `running_attempt`. */
export const HELD_STATUSES = [
  'dispatched',
  'running',
  'checking',
  'checking_condition',
] as const satisfies InstanceStatus[];

/** It has not been handed to a worker in this run: a reopened edge takes it back to waiting. */
export const NOT_STARTED_STATUSES = [
  'waiting_upstream',
  'waiting_time',
  'waiting_resource',
  'gated',
] as const satisfies InstanceStatus[];

/** It is not over, and no worker holds it: also between two attempts. */
export const WAITING_STATUSES = [
  ...NOT_STARTED_STATUSES,
  'retry_wait',
] as const satisfies InstanceStatus[];

export function isNotStarted(status: InstanceStatus): boolean {
  return (NOT_STARTED_STATUSES as readonly InstanceStatus[]).includes(status);
}

export function isFinal(status: InstanceStatus): status is FinalStatus {
  return (FINAL_STATUSES as readonly InstanceStatus[]).includes(status);
}

/** `previous_cycle`: of another node; `self_previous`: of the node itself. */
export const EDGE_KINDS = ['same_cycle', 'self_previous', 'previous_cycle'] as const;
export type EdgeKind = (typeof EDGE_KINDS)[number];

export const EDGE_OUTCOMES = ['open', 'success', 'skipped', 'failed'] as const;
export type EdgeOutcome = (typeof EDGE_OUTCOMES)[number];
