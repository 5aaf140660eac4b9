/** The part of `node_instance.status` that claim, renew, reap and finish move about. */
export type Status = 'waiting_resource' | 'dispatched' | 'succeeded' | 'failed';

/** A life of a worker: each start registers anew, and the lease belongs to the registration. */
export type Registration = number;

export const NOBODY: Registration = -1;

export interface Instance {
  readonly status: Status;
  readonly epoch: number;
  readonly run: number;
  readonly lostLeases: number;
  /** `running_attempt`; {@link NOBODY} where there is none. */
  readonly holder: Registration;
  /** The row in the target: the run that has committed (0: none yet) and the largest fence seen. */
  readonly ledger: { readonly run: number; readonly fence: number };
  /** How often the rows of each run were written into the target, and its success taken by the store. */
  readonly effects: readonly number[];
  readonly accepted: readonly number[];
}

/** What may still happen before the search ends. */
export interface Left {
  readonly claims: number;
  readonly restarts: number;
  readonly reruns: number;
}

/** What a worker has in its hands. `claimed`: not begun; `opened`: the target knows its fence. */
export interface Task {
  readonly instance: number;
  readonly epoch: number;
  readonly run: number;
  readonly phase: 'claimed' | 'opened' | 'succeeded' | 'failed';
}

export interface WorkerState {
  readonly registration: Registration;
  readonly isAlive: boolean;
  readonly task?: Task;
}

/** A report on its way. It arrives at any time or never, and may be sent again. */
export interface Report {
  readonly registration: Registration;
  readonly instance: number;
  readonly epoch: number;
  readonly outcome: 'succeeded' | 'failed';
}

export interface LineState {
  readonly instances: readonly Instance[];
  readonly workers: readonly WorkerState[];
  /** By registration: does its lease still run? */
  readonly leases: readonly boolean[];
  readonly reports: readonly Report[];
  readonly left: Left;
  /** What the reaper has seen as lost and is about to take back. */
  readonly seenLost?: { readonly instance: number; readonly epoch: number } | undefined;
}

export function withInstance(state: LineState, at: number, change: Partial<Instance>): LineState {
  return { ...state, instances: replaced(state.instances, at, change) };
}

export function withWorker(state: LineState, at: number, change: Partial<WorkerState>): LineState {
  return { ...state, workers: replaced(state.workers, at, change) };
}

/** What the worker had in its hands is gone. */
export function withoutTask(state: LineState, at: number): LineState {
  const workers = state.workers.map(({ registration, isAlive, task }, no) =>
    no === at || task === undefined ? { registration, isAlive } : { registration, isAlive, task },
  );
  return { ...state, workers };
}

export function withLease(state: LineState, at: Registration, isValid: boolean): LineState {
  return { ...state, leases: state.leases.map((each, no) => (no === at ? isValid : each)) };
}

export function increased(counts: readonly number[], at: number): readonly number[] {
  return counts.map((count, no) => (no === at ? count + 1 : count));
}

function replaced<T>(list: readonly T[], at: number, change: Partial<T>): readonly T[] {
  return list.map((each, no) => (no === at ? { ...each, ...change } : each));
}

export function withLess(state: LineState, of: keyof Left): LineState {
  return { ...state, left: { ...state.left, [of]: state.left[of] - 1 } };
}

/**
 * States that differ only in which worker or instance is which are one: of their names the smallest counts.
 * `lives` is how many registrations each worker may have.
 */
export function keyOf(state: LineState, lives: number): string {
  const asIs = smallestName(state, (at) => at);
  const exchanged = smallestName(state, (at) => (at === NOBODY ? at : (at + lives) % (2 * lives)));
  return asIs < exchanged ? asIs : exchanged;
}

/** `registration` says what each registration is to be called. */
function smallestName(state: LineState, registration: (at: Registration) => Registration): string {
  const [first = '', second = ''] = state.instances.map((each) => {
    const { holder, ledger } = each;
    // A claim makes the lease new, so that of somebody who holds nothing says nothing.
    const lease = holder === NOBODY ? '-' : state.leases[holder] === true ? 'v' : 'e';
    return (
      each.status.charAt(0) +
      code(each.epoch, each.run, each.lostLeases, registration(holder)) +
      lease +
      code(ledger.run, ledger.fence, ...each.effects, ...each.accepted)
    );
  });
  const inOrder = first + second;
  if (first < second) return inOrder + restOfName(state, registration, (at) => at);
  if (first > second) return second + first + restOfName(state, registration, (at) => 1 - at);
  const names = [
    restOfName(state, registration, (at) => at),
    restOfName(state, registration, (at) => 1 - at),
  ];
  return inOrder + names.reduce((a, b) => (a < b ? a : b));
}

function restOfName(
  state: LineState,
  registration: (at: Registration) => Registration,
  instance: (at: number) => number,
): string {
  const [one = '', two = ''] = state.workers.map(({ registration: at, isAlive, task }) =>
    task === undefined
      ? code(registration(at), Number(isAlive))
      : code(registration(at), Number(isAlive), instance(task.instance), task.epoch, task.run) +
        task.phase.charAt(0),
  );
  const reports = state.reports.map(
    (each) =>
      code(registration(each.registration), instance(each.instance), each.epoch) +
      each.outcome.charAt(0),
  );
  const { seenLost, left } = state;
  return [
    code(left.claims, left.restarts, left.reruns),
    registration(0) === 0 ? `${one}.${two}` : `${two}.${one}`,
    seenLost === undefined ? '' : code(instance(seenLost.instance), seenLost.epoch),
    ...reports.sort(),
  ].join('|');
}

const LETTERS = 'ABCDEFGHIJKLMNOP';

/** One letter for each small number, from -1 on. */
function code(...numbers: readonly number[]): string {
  let letters = '';
  for (const number of numbers) letters += LETTERS.charAt(number + 1);
  return letters;
}
