import type { InstanceStatus } from './status.js';

/** What can happen to an instance. Freezing is a flag beside the status, so it is not here. */
export const INSTANCE_EVENTS = [
  /** The last edge was satisfied. */
  'upstream_done',
  /** An upstream left its final state before this instance started. */
  'upstream_reopened',
  'time_reached',
  'gate_closed',
  'gate_opened',
  /** A worker claimed it. */
  'slot_granted',
  'started',
  'checks_begun',
  'condition_begun',
  'succeeded',
  'failed',
  /** Failed with retries left. */
  'retry_due_later',
  /** The worker's lease ended; another worker may take it. */
  'lease_lost',
  /** Its worker died three times (engine rule 19). */
  'poisoned',
  'stopped',
  /** A dry run, or a node of zero load, ends at once, without a worker. */
  'dry_run_done',
  'set_success',
  'rerun',
] as const;
export type InstanceEvent = (typeof INSTANCE_EVENTS)[number];

type Row = Partial<Record<InstanceEvent, InstanceStatus>>;

const waiting: Row = { stopped: 'cancelled', upstream_reopened: 'waiting_upstream' };
const held: Row = {
  succeeded: 'succeeded',
  failed: 'failed',
  retry_due_later: 'retry_wait',
  lease_lost: 'waiting_resource',
  poisoned: 'failed',
  stopped: 'cancelled',
};
const ended: Row = { rerun: 'waiting_upstream' };

/**
 * The whole state machine. A missing cell means "refused". Statements in `store/sql` export the
 * (from, event) pairs they perform and a test compares them with this table.
 */
export const TRANSITIONS: Record<InstanceStatus, Row> = {
  waiting_upstream: { ...waiting, upstream_done: 'waiting_time' },
  waiting_time: { ...waiting, time_reached: 'waiting_resource', dry_run_done: 'succeeded' },
  waiting_resource: {
    ...waiting,
    slot_granted: 'dispatched',
    gate_closed: 'gated',
    dry_run_done: 'succeeded',
  },
  gated: { ...waiting, gate_opened: 'waiting_resource' },
  dispatched: { ...held, started: 'running' },
  running: { ...held, checks_begun: 'checking', condition_begun: 'checking_condition' },
  checking: { ...held },
  checking_condition: { ...held },
  retry_wait: { stopped: 'cancelled', time_reached: 'waiting_resource' },
  succeeded: { ...ended },
  failed: { ...ended, set_success: 'succeeded' },
  cancelled: { ...ended, set_success: 'succeeded' },
};

/** The status after `event`, or `undefined` when the event does not apply to `from`. */
export function nextStatus(from: InstanceStatus, event: InstanceEvent): InstanceStatus | undefined {
  return TRANSITIONS[from][event];
}

/** One move a statement performs on many rows; compared with the table by a test. */
export interface Move {
  readonly from: readonly InstanceStatus[];
  readonly events: readonly InstanceEvent[];
  readonly to: InstanceStatus;
}
