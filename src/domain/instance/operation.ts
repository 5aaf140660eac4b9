import type { RegisteredCode } from '../errors.js';
import {
  type EdgeKind,
  type EdgeOutcome,
  HELD_STATUSES,
  type InstanceStatus,
  isFinal,
} from './status.js';
import { type InstanceEvent, nextStatus } from './transitions.js';

/** What a person may do to an instance. */
export const OPERATIONS = ['rerun', 'stop', 'set-success', 'freeze', 'unfreeze'] as const;
export type Operation = (typeof OPERATIONS)[number];

export const RERUN_MODES = ['always', 'on_failure', 'never'] as const;
export type RerunMode = (typeof RERUN_MODES)[number];

/** What the rules look at. */
export interface Operand {
  readonly status: InstanceStatus;
  readonly frozen: boolean;
  readonly rerunMode: RerunMode;
}

/** `nothing`: it is like that already, which is no error. */
export type Verdict =
  | { readonly verdict: 'will' }
  | { readonly verdict: 'nothing'; readonly reason: string }
  | { readonly verdict: 'refused'; readonly code: RegisteredCode; readonly reason: string };

const EVENTS: Partial<Record<Operation, InstanceEvent>> = {
  rerun: 'rerun',
  stop: 'stopped',
  'set-success': 'set_success',
};

/** May `operation` be done to an instance that is like this? The operation itself and its preview ask here. */
export function judge(operation: Operation, instance: Operand): Verdict {
  const { status, frozen, rerunMode } = instance;
  const event = EVENTS[operation];
  if (event === undefined) return judgeFreezing(operation === 'freeze', status, frozen);
  if (nextStatus(status, event) === undefined)
    return refused(`"${event}" does not apply to an instance in ${status}.`);
  const isBarred = rerunMode === 'never' || (rerunMode === 'on_failure' && status === 'succeeded');
  if (operation === 'rerun' && isBarred)
    return refused(`The rerun mode of the node is "${rerunMode}".`);
  return { verdict: 'will' };
}

function judgeFreezing(freeze: boolean, status: InstanceStatus, frozen: boolean): Verdict {
  if (isFinal(status) || isHeld(status))
    return refused(`Freezing applies to an instance that waits; this one is in ${status}.`);
  if (freeze !== frozen) return { verdict: 'will' };
  return { verdict: 'nothing', reason: frozen ? 'It is frozen already.' : 'It is not frozen.' };
}

function refused(reason: string): Verdict {
  return { verdict: 'refused', code: 'MR-S205', reason };
}

/** Does a worker hold it? */
export function isHeld(status: InstanceStatus): boolean {
  return (HELD_STATUSES as readonly InstanceStatus[]).includes(status);
}

/**
 * Does it succeed by itself once its turn has come, without a worker? A dry run, and one of zero load:
 * its node does nothing, so it needs no slot.
 */
export function endsAtOnce(instance: {
  readonly dryRun: boolean;
  readonly slots: number;
  readonly frozen: boolean;
}): boolean {
  return (instance.dryRun || instance.slots === 0) && !instance.frozen;
}

/** What the edge from an upstream in this state says to its child. */
export function outcomeOf(status: InstanceStatus, reason: string | null): EdgeOutcome {
  if (!isFinal(status)) return 'open';
  if (status !== 'succeeded') return 'failed';
  return reason === 'skipped' ? 'skipped' : 'success';
}

/**
 * Is a child with these upstream edges a dry run, once they are satisfied? Only if every same-cycle upstream
 * was skipped, and every one of another cycle whose edge inherits; an edge that does not inherit takes
 * skipped as a success (engine rule 10).
 */
export function isSkippedBy(
  edges: readonly {
    readonly kind: EdgeKind;
    readonly inheritsDryRun: boolean | null;
    readonly outcome: EdgeOutcome;
  }[],
): boolean {
  const deciding = edges.filter(
    ({ kind, inheritsDryRun }) => kind === 'same_cycle' || inheritsDryRun === true,
  );
  return (
    deciding.length > 0 &&
    deciding.every(
      ({ outcome, inheritsDryRun }) => outcome === 'skipped' && inheritsDryRun !== false,
    )
  );
}

/** What a child that has not started does when `pending` of its edges are unsatisfied now. */
export function moveOfChild(
  status: InstanceStatus,
  pending: number,
): 'release' | 'takeBack' | undefined {
  if (status === 'waiting_upstream') return pending === 0 ? 'release' : undefined;
  return pending > 0 ? 'takeBack' : undefined;
}
