import type { RegisteredCode } from '../error-registry.js';
import {
  type EdgeKind,
  type EdgeOutcome,
  HELD_STATUSES,
  type InstanceStatus,
  isFinal,
  isNotStarted,
} from './status.js';
import { type InstanceEvent, nextStatus } from './transitions.js';

/** What a person may do to an instance. */
export const OPERATIONS = [
  'rerun',
  /** With all of its downstream that has ended without success. */
  'rerun-from-here',
  /** With all of its downstream that has ended. */
  'rerun-downstream',
  /** Past upstreams that are not satisfied and past the rerun mode. */
  'force-rerun',
  'stop',
  'set-success',
  'freeze',
  'unfreeze',
  /** It waits no more for the upstreams that are named. */
  'unlink',
  /** Another priority or resource group. */
  'change',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Whose code and configuration a rerun takes: of the latest version, or of the one it was planned with. */
export const RERUN_CODES = ['latest', 'planned'] as const;
export type RerunCode = (typeof RERUN_CODES)[number];

/** Reruns that reach further than the instances that are named. */
export type WideRerun = Extract<Operation, 'rerun-from-here' | 'rerun-downstream'>;

export const RERUN_MODES = ['always', 'on_failure', 'never'] as const;
export type RerunMode = (typeof RERUN_MODES)[number];

/** What the rules look at. */
export interface Operand {
  readonly status: InstanceStatus;
  readonly frozen: boolean;
  readonly rerunMode: RerunMode;
}

/** How an instance takes its turn; what is absent stays. */
export interface InstanceChange {
  /** 1 to 8, larger first. */
  readonly priority?: number | undefined;
  /** By name. */
  readonly resourceGroup?: string | undefined;
}

/** `nothing`: it is like that already, which is no error. */
export type Verdict =
  | { readonly verdict: 'will' }
  | { readonly verdict: 'nothing'; readonly reason: string }
  | { readonly verdict: 'refused'; readonly code: RegisteredCode; readonly reason: string };

const EVENTS = {
  rerun: 'rerun',
  'rerun-from-here': 'rerun',
  'rerun-downstream': 'rerun',
  stop: 'stopped',
  'set-success': 'set_success',
} as const satisfies Partial<Record<Operation, InstanceEvent>>;

/** May `operation` be done to an instance that is like this? The operation itself and its preview ask here. */
export function judge(operation: Operation, instance: Operand): Verdict {
  const { status, frozen, rerunMode } = instance;
  switch (operation) {
    case 'freeze':
    case 'unfreeze':
      return judgeFreezing(operation === 'freeze', status, frozen);
    case 'force-rerun':
      return judgeForce(status, frozen);
    case 'unlink':
      return isNotStarted(status)
        ? { verdict: 'will' }
        : refused(`An edge is removed while its instance waits; this one is in ${status}.`);
    case 'change':
      return isFinal(status) || isHeld(status)
        ? refused(`What waits can be changed; this one is in ${status}.`)
        : { verdict: 'will' };
    case 'stop':
    case 'set-success':
    case 'rerun':
    case 'rerun-from-here':
    case 'rerun-downstream': {
      const event = EVENTS[operation];
      if (nextStatus(status, event) === undefined)
        return refused(`"${event}" does not apply to an instance in ${status}.`);
      const isBarred =
        rerunMode === 'never' || (rerunMode === 'on_failure' && status === 'succeeded');
      if (event === 'rerun' && isBarred)
        return refused(`The rerun mode of the node is "${rerunMode}".`);
      return { verdict: 'will' };
    }
  }
}

/** Is an instance downstream of one that is rerun in this way rerun with it? */
export function isRerunWith(operation: WideRerun, instance: Operand): boolean {
  if (operation === 'rerun-from-here' && instance.status === 'succeeded') return false;
  return judge('rerun', instance).verdict === 'will';
}

export function isWideRerun(operation: Operation): operation is WideRerun {
  return operation === 'rerun-from-here' || operation === 'rerun-downstream';
}

/** Like {@link judge} for a change: what it would set is there already is nothing to do. */
export function judgeChange(
  instance: Operand & { readonly priority: number; readonly resourceGroup: string },
  { priority, resourceGroup }: InstanceChange,
): Verdict {
  const verdict = judge('change', instance);
  const isSame =
    (priority ?? instance.priority) === instance.priority &&
    (resourceGroup ?? instance.resourceGroup) === instance.resourceGroup;
  if (verdict.verdict !== 'will' || !isSame) return verdict;
  return { verdict: 'nothing', reason: 'It has this priority and resource group.' };
}

/** Like {@link judge} for removing the edges from `upstreams`; `linked` are those it waits for. */
export function judgeUnlink(
  instance: Operand,
  upstreams: readonly number[],
  linked: ReadonlySet<number>,
): Verdict {
  const verdict = judge('unlink', instance);
  if (verdict.verdict !== 'will' || upstreams.every((id) => linked.has(id))) return verdict;
  return {
    verdict: 'refused',
    code: 'MR-S140',
    reason: 'It has no edge from an upstream that is named, or it was removed before.',
  };
}

function judgeForce(status: InstanceStatus, frozen: boolean): Verdict {
  if (isHeld(status)) return refused(`A worker holds it: it is in ${status}. Stop it first.`);
  if (isFinal(status)) return { verdict: 'will' };
  if (frozen) return refused('It is frozen. Unfreeze it first.');
  if (status === 'waiting_upstream') return { verdict: 'will' };
  if (status === 'retry_wait') return refused('It is tried again by itself. Stop it first.');
  return { verdict: 'nothing', reason: `Its upstreams do not hold it: it is in ${status}.` };
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
