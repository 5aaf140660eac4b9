import { type InstanceEvent, nextStatus } from '../../src/domain/instance/transitions.js';
import type { Model, Step } from './explore.js';
import {
  increased,
  type Instance,
  keyOf,
  type Left,
  type LineState,
  NOBODY,
  type Report,
  type Status,
  type Task,
  withInstance,
  withLease,
  withLess,
  withoutTask,
  withWorker,
} from './line-state.js';

/** The checks that make the line safe. A mutant of the model is without one of them. */
export const RULES = {
  /** A report is taken only under the present epoch of its instance. */
  reportNeedsEpoch: true,
  /** A report is taken only while its instance is held. */
  reportNeedsHold: true,
  /** The reaper looks at the lease once more when it has the lock. */
  reapChecksLease: true,
  /** The reaper looks at state and epoch once more when it has the lock. */
  reapChecksEpoch: true,
  /** Claim, reap, give back and rerun raise the epoch. */
  epochsRise: true,
  /** Rows and ledger row are written together, and whoever finds the row of its run writes nothing. */
  hasLedger: true,
  /** The target refuses an attempt when it has seen a later one. */
  hasFence: true,
};
export type Rules = Readonly<typeof RULES>;

/** How much may happen. */
export interface Bounds extends Left {
  /** Which lost lease fails an instance. */
  readonly lostLeases: number;
}

const INSTANCES = [0, 1] as const;
const WORKERS = [0, 1] as const;

/**
 * Two workers with one place each, two instances, one reaper. Each step is one transaction of the store, one
 * of the target, or one thing inside a worker. Reports travel: they arrive late, or never, or are sent
 * again; the answer to any request may be lost. Leases end at any moment, which takes in every frozen
 * process and every clock. A process that is killed forgets everything but what it has sent.
 */
export class LineModel implements Model<LineState> {
  readonly initial: LineState;
  readonly #rules: Rules;
  readonly #lostLeases: number;
  /** Registrations of each worker. */
  readonly #lives: number;

  constructor(rules: Rules, { lostLeases, ...left }: Bounds) {
    this.#rules = rules;
    this.#lostLeases = lostLeases;
    this.#lives = 1 + left.restarts;
    const none = Array.from({ length: 1 + left.reruns }, () => 0);
    const instance: Instance = {
      status: 'waiting_resource',
      epoch: 0,
      run: 1,
      lostLeases: 0,
      holder: NOBODY,
      ledger: { run: 0, fence: 0 },
      effects: none,
      accepted: none,
    };
    this.initial = {
      instances: INSTANCES.map(() => instance),
      workers: WORKERS.map((at) => ({ registration: at * this.#lives, isAlive: true })),
      leases: Array.from({ length: WORKERS.length * this.#lives }, () => true),
      reports: [],
      left,
    };
  }

  key(state: LineState): string {
    return keyOf(state, this.#lives);
  }

  wrong(state: LineState): string | undefined {
    for (const { status, holder, effects, accepted, run } of state.instances) {
      if (effects.some((count) => count > 1)) return 'the rows of a run are in the target twice';
      if (accepted.some((count) => count > 1)) return 'a run was finished twice';
      if ((status === 'dispatched') !== (holder !== NOBODY)) return 'held, and by nobody';
      if (status === 'succeeded' && effects[run - 1] === 0) return 'succeeded without its rows';
    }
    return undefined;
  }

  /** Without claims that are left, an instance that waits is as far as it can get. */
  isDone({ instances, left }: LineState): boolean {
    return instances.every(
      ({ status }) =>
        status === 'succeeded' ||
        status === 'failed' ||
        (status === 'waiting_resource' && left.claims === 0),
    );
  }

  *steps(state: LineState): Iterable<Step<LineState>> {
    for (const at of WORKERS) {
      yield* this.#lifeSteps(state, at);
      yield* this.#claimSteps(state, at);
      yield* this.#taskSteps(state, at);
      yield* this.#renewalSteps(state, at);
    }
    for (const report of state.reports) yield* this.#reportSteps(state, report);
    yield* this.#leaseSteps(state);
    yield* this.#reapSteps(state);
    for (const at of INSTANCES) yield* this.#rerunSteps(state, at);
  }

  /** A worker is killed only where it may start again. */
  *#lifeSteps(state: LineState, at: number): Iterable<Step<LineState>> {
    const { registration = NOBODY, isAlive } = state.workers[at] ?? {};
    if (isAlive !== true)
      yield {
        action: `w${at} starts again`,
        state: withWorker(state, at, { isAlive: true, registration: registration + 1 }),
      };
    else if (state.left.restarts > 0)
      yield {
        action: `w${at} is killed`,
        state: withWorker(withLess(withoutTask(state, at), 'restarts'), at, { isAlive: false }),
      };
  }

  *#claimSteps(state: LineState, at: number): Iterable<Step<LineState>> {
    const { registration = NOBODY, isAlive, task } = state.workers[at] ?? {};
    if (isAlive !== true || task !== undefined || state.left.claims === 0) return;
    for (const no of INSTANCES) {
      const instance = state.instances[no];
      if (instance?.status !== 'waiting_resource') continue;
      const epoch = this.#raised(instance.epoch);
      const given: Task = { instance: no, epoch, run: instance.run, phase: 'claimed' };
      const claimed = withInstance(withLease(withLess(state, 'claims'), registration, true), no, {
        status: moved(instance.status, 'slot_granted'),
        epoch,
        holder: registration,
      });
      const action = `w${at} claims ${nameOf(given)}`;
      yield { action, state: withWorker(claimed, at, { task: given }) };
      yield { action: `${action}, unheard`, state: claimed };
    }
  }

  *#taskSteps(state: LineState, at: number): Iterable<Step<LineState>> {
    const { registration = NOBODY, task } = state.workers[at] ?? {};
    const instance = state.instances[task?.instance ?? 0];
    if (task === undefined || instance === undefined) return;
    const { ledger } = instance;
    const isRefused = this.#rules.hasFence && ledger.fence > task.epoch;
    const inPhase = (phase: Task['phase']) => ({ task: { ...task, phase } });
    if (task.phase === 'claimed') {
      const fence = Math.max(ledger.fence, task.epoch);
      yield {
        action: `${nameOf(task)} of w${at} shows the target its fence`,
        state: isRefused
          ? withWorker(state, at, inPhase('failed'))
          : withInstance(withWorker(state, at, inPhase('opened')), task.instance, {
              ledger: { ...ledger, fence },
            }),
      };
    } else if (task.phase === 'opened') {
      yield {
        action: `${nameOf(task)} of w${at} fails`,
        state: withWorker(state, at, inPhase('failed')),
      };
      yield isRefused
        ? {
            action: `${nameOf(task)} of w${at} is refused by the target`,
            state: withWorker(state, at, inPhase('failed')),
          }
        : this.#commit(withWorker(state, at, inPhase('succeeded')), task, instance);
    } else {
      const report: Report = {
        registration,
        instance: task.instance,
        epoch: task.epoch,
        outcome: task.phase,
      };
      if (!state.reports.some((each) => isSame(each, report)))
        yield {
          action: `w${at} reports that ${nameOf(task)} has ${task.phase}`,
          state: { ...state, reports: [...state.reports, report] },
        };
    }
  }

  #commit(state: LineState, task: Task, { ledger, effects }: Instance): Step<LineState> {
    if (this.#rules.hasLedger && ledger.run === task.run)
      return { action: `${nameOf(task)} finds that its rows are there`, state };
    return {
      action: `${nameOf(task)} commits`,
      state: withInstance(state, task.instance, {
        effects: increased(effects, task.run - 1),
        ledger: { run: task.run, fence: Math.max(ledger.fence, task.epoch) },
      }),
      ...(ledger.run > task.run ? { breaks: 'an older run wrote over a newer one' } : {}),
    };
  }

  *#reportSteps(state: LineState, report: Report): Iterable<Step<LineState>> {
    const { reportNeedsEpoch, reportNeedsHold } = this.#rules;
    const instance = state.instances[report.instance];
    if (instance === undefined) return;
    const { status, epoch, run, holder, accepted } = instance;
    const isTaken =
      (!reportNeedsHold || status === 'dispatched') &&
      (!reportNeedsEpoch || epoch === report.epoch);
    const isOwner = holder === report.registration && epoch === report.epoch;
    const arrived = { ...state, reports: state.reports.filter((each) => each !== report) };
    const after = isTaken
      ? withInstance(arrived, report.instance, {
          status: report.outcome,
          holder: NOBODY,
          ...(report.outcome === 'succeeded' ? { accepted: increased(accepted, run - 1) } : {}),
        })
      : arrived;
    const what = `the report of ${report.instance}@${report.epoch} (${report.outcome}) is ${isTaken ? 'taken' : 'refused'}`;
    const breaks =
      isTaken && !isOwner
        ? { breaks: 'a report was taken from an attempt that does not hold the instance' }
        : {};
    const teller = state.workers.findIndex(
      ({ registration, task }) =>
        registration === report.registration &&
        task?.instance === report.instance &&
        task.epoch === report.epoch,
    );
    if (teller >= 0) yield { action: what, state: withoutTask(after, teller), ...breaks };
    // The answer is lost, or there is nobody left to hear it.
    yield { action: `${what}, unheard`, state: after, ...breaks };
  }

  /** Its lease is new, what it does not have goes back to the queue, and it hears what is no longer its own. */
  *#renewalSteps(state: LineState, at: number): Iterable<Step<LineState>> {
    const { registration = NOBODY, isAlive, task } = state.workers[at] ?? {};
    const holds = state.instances.some((each) => each.holder === registration);
    if (isAlive !== true || (!holds && task === undefined)) return;
    let after = withLease(state, registration, true);
    for (const [no, { holder, epoch, status }] of state.instances.entries())
      if (holder === registration && no !== task?.instance)
        after = withInstance(after, no, {
          status: moved(status, 'lease_lost'),
          epoch: this.#raised(epoch),
          holder: NOBODY,
        });
    yield { action: `w${at} renews, unheard`, state: after };
    const own = task === undefined ? undefined : state.instances[task.instance];
    if (task !== undefined && (own?.holder !== registration || own.epoch !== task.epoch))
      yield {
        action: `w${at} renews and hears that ${nameOf(task)} is lost`,
        state: withoutTask(after, at),
      };
  }

  *#leaseSteps(state: LineState): Iterable<Step<LineState>> {
    for (const registration of new Set(state.instances.map((each) => each.holder)))
      if (registration !== NOBODY && state.leases[registration] === true)
        yield {
          action: `the lease of registration ${registration} ends`,
          state: withLease(state, registration, false),
        };
  }

  /** First what it sees, then, with the lock, what it does: between the two anything may happen. */
  *#reapSteps(state: LineState): Iterable<Step<LineState>> {
    const { reapChecksLease, reapChecksEpoch } = this.#rules;
    const { seenLost, ...looked } = state;
    if (seenLost === undefined) {
      for (const [no, { status, epoch, holder }] of state.instances.entries())
        if (status === 'dispatched' && state.leases[holder] === false)
          yield {
            action: `the reaper sees that ${no}@${epoch} is lost`,
            state: { ...state, seenLost: { instance: no, epoch } },
          };
      return;
    }
    const at = seenLost.instance;
    const instance = state.instances[at];
    if (instance === undefined) return;
    const { status, epoch, holder, lostLeases } = instance;
    const hasLease = state.leases[holder] === true;
    const isLost =
      (!reapChecksEpoch || (status === 'dispatched' && epoch === seenLost.epoch)) &&
      (!reapChecksLease || !hasLease);
    if (!isLost) {
      yield { action: `the reaper leaves ${at} alone`, state: looked };
      return;
    }
    const isPoisoned = lostLeases + 1 >= this.#lostLeases;
    yield {
      action: `the reaper takes ${at}@${epoch}`,
      state: withInstance(looked, at, {
        status: isPoisoned ? 'failed' : 'waiting_resource',
        epoch: this.#raised(epoch),
        holder: NOBODY,
        lostLeases: lostLeases + 1,
      }),
      ...(status === 'dispatched' ? {} : { breaks: 'what had ended was put back' }),
      ...(hasLease ? { breaks: 'an attempt was taken from a worker whose lease runs' } : {}),
    };
  }

  *#rerunSteps(state: LineState, at: number): Iterable<Step<LineState>> {
    const instance = state.instances[at];
    if (instance === undefined || state.left.reruns === 0) return;
    if (instance.status !== 'succeeded' && instance.status !== 'failed') return;
    yield {
      action: `${at} is rerun`,
      state: withInstance(withLess(state, 'reruns'), at, {
        status: 'waiting_resource',
        epoch: this.#raised(instance.epoch),
        run: instance.run + 1,
        lostLeases: 0,
      }),
    };
  }

  #raised(epoch: number): number {
    return this.#rules.epochsRise ? epoch + 1 : Math.max(1, epoch);
  }
}

function nameOf({ instance, epoch }: Task): string {
  return `${instance}@${epoch}`;
}

function isSame(a: Report, b: Report): boolean {
  return (
    a.registration === b.registration &&
    a.instance === b.instance &&
    a.epoch === b.epoch &&
    a.outcome === b.outcome
  );
}

/** Along the product's own table of transitions. */
function moved(from: Status, event: InstanceEvent): Status {
  const to = nextStatus(from, event);
  if (to !== 'waiting_resource' && to !== 'dispatched' && to !== 'succeeded' && to !== 'failed')
    throw new Error(`${event} does not lead on from ${from}`);
  return to;
}
