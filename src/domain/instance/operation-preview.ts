import {
  endsAtOnce,
  type InstanceChange,
  isHeld,
  isRerunWith,
  isWideRerun,
  judge,
  isSkippedBy,
  judgeChange,
  judgeUnlink,
  moveOfChild,
  type Operation,
  outcomeOf,
  type RerunCode,
  type RerunMode,
  type Verdict,
  type WideRerun,
} from './operation.js';
import {
  type EdgeKind,
  type EdgeOutcome,
  type InstanceStatus,
  isFinal,
  isNotStarted,
} from './status.js';

/** An instance as the store has it. */
export interface SeenInstance {
  readonly id: number;
  readonly status: InstanceStatus;
  readonly frozen: boolean;
  readonly dryRun: boolean;
  /** Why it was planned as a dry run; null for one that runs. */
  readonly dryRunReason: string | null;
  readonly reason: string | null;
  readonly runAt: Date;
  readonly pending: number;
  /** How many upstreams it waits for that have not been planned yet. */
  readonly awaited: number;
  /** 0: of zero load. */
  readonly slots: number;
  readonly rerunMode: RerunMode;
  readonly priority: number;
  readonly resourceGroup: string;
}

export interface SeenEdge {
  readonly upstream: number;
  readonly downstream: number;
  readonly kind: EdgeKind;
  /** Null: what its kind does. */
  readonly inheritsDryRun: boolean | null;
  readonly outcome: EdgeOutcome;
  /** Until its downstream is rerun. Edges that are removed for good are not seen at all. */
  readonly removed: boolean;
}

/** What is asked for. */
export interface AskedOperation {
  readonly operation: Operation;
  /** Of `unlink`. */
  readonly upstreams?: readonly number[] | undefined;
  /** Of `change`. */
  readonly change?: InstanceChange | undefined;
  /** Of a rerun that is not forced. */
  readonly code?: RerunCode | undefined;
}

/** Everything that operations on some instances can reach. */
export interface Neighbourhood {
  /** Those that are operated on and all that lie downstream of them. */
  readonly instances: readonly SeenInstance[];
  /** All edges into `instances`. */
  readonly edges: readonly SeenEdge[];
  /** Upstreams of `instances` that are not among them. */
  readonly outside: readonly Pick<SeenInstance, 'id' | 'status' | 'reason'>[];
}

/**
 * `runs again`: it is rerun together with what is upstream of it. `is left out`: it would be, but a worker
 * holds it or its rerun mode bars it. `stays blocked`: it would have waited for what is stopped; it waits
 * until that is rerun or set to success. `ends as a dry run`: it succeeds at once without running.
 */
export const EFFECTS = [
  'runs again',
  'is left out',
  'waits again',
  'may start',
  'ends as a dry run',
  'stays blocked',
  'unchanged',
] as const;
export type Effect = (typeof EFFECTS)[number];

export interface PreviewedItem {
  readonly id: number;
  readonly verdict: Verdict;
  /** Right after its own operation. */
  readonly status: InstanceStatus;
  readonly frozen: boolean;
}

export interface OperationPreview {
  readonly items: readonly PreviewedItem[];
  /** Of everything downstream of what will be operated on, without that itself. */
  readonly effects: ReadonlyMap<number, Effect>;
}

type State = { -readonly [K in keyof SeenInstance]: SeenInstance[K] };
type Edge = { -readonly [K in keyof SeenEdge]: SeenEdge[K] };
type Settlement = readonly [upstream: number, outcome: EdgeOutcome];

/**
 * What an operation on `ids` would do: wide reruns on all of them at once, others one after another. It
 * follows the statements of `store/sql` step by step, on copies, under no lock; a test compares it with
 * what they do.
 */
export function previewOperation(
  asked: AskedOperation,
  ids: readonly number[],
  seen: Neighbourhood,
  now: Date,
): OperationPreview {
  const { operation } = asked;
  const preview = new Preview(seen, now);
  return isWideRerun(operation) ? preview.rerunWide(operation, ids) : preview.run(asked, ids);
}

class Preview {
  readonly #seen: Neighbourhood;
  readonly #now: Date;
  readonly #states: Map<number, State>;
  readonly #outside: Map<number, Neighbourhood['outside'][number]>;
  readonly #into = new Map<number, Edge[]>();
  readonly #outOf = new Map<number, Edge[]>();

  constructor(seen: Neighbourhood, now: Date) {
    this.#seen = seen;
    this.#now = now;
    this.#states = new Map(seen.instances.map((each) => [each.id, { ...each }]));
    this.#outside = new Map(seen.outside.map((each) => [each.id, each]));
    for (const each of seen.edges) {
      const edge = { ...each };
      listIn(this.#into, edge.downstream).push(edge);
      listIn(this.#outOf, edge.upstream).push(edge);
    }
  }

  run(asked: AskedOperation, ids: readonly number[]): OperationPreview {
    const items = ids.flatMap((id) => {
      const state = this.#states.get(id);
      if (state === undefined) return [];
      const verdict = this.#judge(asked, state);
      if (verdict.verdict === 'will') this.#operate(asked, state);
      return [{ id, verdict, status: state.status, frozen: state.frozen }];
    });
    const moved = items.filter(({ verdict }) => verdict.verdict === 'will').map(({ id }) => id);
    return { items, effects: this.#effects(asked.operation, moved) };
  }

  rerunWide(operation: WideRerun, ids: readonly number[]): OperationPreview {
    const roots = ids.flatMap((id) => {
      const state = this.#states.get(id);
      return state === undefined ? [] : [{ state, verdict: judge(operation, state) }];
    });
    const chosen = roots.flatMap(({ state, verdict }) =>
      verdict.verdict === 'will' ? [state] : [],
    );
    const own = chosen.map(({ id }) => id);
    const downstream = this.#downstreamOf(own).flatMap((id) => this.#states.get(id) ?? []);
    const along = downstream.filter((state) => isRerunWith(operation, state));
    const leftOut = downstream.filter((state) => isLeftOut(operation, state));
    this.#startAgain([...chosen, ...along]);
    const effects = this.#effects(operation, own);
    for (const { id } of along) effects.set(id, 'runs again');
    for (const { id } of leftOut) effects.set(id, 'is left out');
    const items = roots.map(({ state: { id, status, frozen }, verdict }) => ({
      id,
      verdict,
      status,
      frozen,
    }));
    return { items, effects };
  }

  #judge({ operation, upstreams = [], change = {} }: AskedOperation, state: State): Verdict {
    if (operation === 'change') return judgeChange(state, change);
    if (operation !== 'unlink') return judge(operation, state);
    const linked = (this.#into.get(state.id) ?? []).map((edge) => edge.upstream);
    return judgeUnlink(state, upstreams, new Set(linked));
  }

  #operate({ operation, upstreams = [], change = {} }: AskedOperation, state: State): void {
    switch (operation) {
      case 'rerun':
      case 'rerun-from-here':
      case 'rerun-downstream':
        this.#startAgain([state]);
        return;
      case 'force-rerun':
        this.#force(state);
        return;
      case 'set-success':
        Object.assign(state, { status: 'succeeded', reason: 'set_success' });
        this.#settle([[state.id, 'success']]);
        return;
      case 'stop':
        // A worker that holds it is asked to stop; its report cancels it later.
        if (isHeld(state.status)) return;
        state.status = 'cancelled';
        this.#settle([[state.id, 'failed']]);
        return;
      case 'freeze':
        state.frozen = true;
        return;
      case 'unfreeze':
        state.frozen = false;
        if (state.status === 'waiting_resource' && endsAtOnce(state))
          this.#settle(this.#release([state]));
        return;
      case 'unlink':
        this.#unlink(state, upstreams);
        return;
      case 'change':
        state.priority = change.priority ?? state.priority;
        state.resourceGroup = change.resourceGroup ?? state.resourceGroup;
        return;
      default:
        operation satisfies never;
    }
  }

  #startAgain(states: readonly State[], isForced = false): void {
    for (const state of states) this.#waitAgain(state);
    for (const state of states) {
      const edges = this.#into.get(state.id) ?? [];
      for (const edge of edges) {
        edge.removed = false;
        edge.outcome = this.#outcomeOf(edge.upstream) ?? edge.outcome;
      }
      state.pending = edges.filter(isPending).length + state.awaited;
    }
    if (isForced) states.forEach((state) => this.#dropUnsatisfied(state));
    this.#settle(states.map(({ id }) => [id, 'open'] as const));
    this.#settle(this.#release(states.filter(isReleased)));
  }

  #force(state: State): void {
    if (isFinal(state.status)) {
      this.#startAgain([state], true);
      return;
    }
    this.#dropUnsatisfied(state);
    this.#settle(this.#release([state]));
  }

  #dropUnsatisfied(state: State): void {
    for (const edge of this.#into.get(state.id) ?? [])
      if (edge.outcome !== 'success') edge.removed = true;
    state.pending = 0;
  }

  #unlink(state: State, upstreams: readonly number[]): void {
    const edges = (this.#into.get(state.id) ?? []).filter(({ upstream }) =>
      upstreams.includes(upstream),
    );
    const held = edges.filter(isPending).length;
    for (const edge of edges) edge.removed = true;
    state.pending -= held;
    if (held === 0) return;
    const move = moveOfChild(state.status, state.pending);
    if (move === 'release') this.#settle(this.#release([state]));
    else if (move === 'takeBack') this.#waitAgain(state);
  }

  #outcomeOf(upstream: number): EdgeOutcome | undefined {
    const row = this.#states.get(upstream) ?? this.#outside.get(upstream);
    return row && outcomeOf(row.status, row.reason);
  }

  #waitAgain(state: State): void {
    state.status = 'waiting_upstream';
    state.dryRun = state.dryRunReason !== null;
    state.reason = state.dryRunReason;
  }

  #settle(settlements: readonly Settlement[]): void {
    for (let wave = settlements; wave.length > 0;) wave = this.#settleOnce(wave);
  }

  #settleOnce(settlements: readonly Settlement[]): Settlement[] {
    const deltas = new Map<State, number>();
    for (const [upstream, outcome] of settlements) {
      for (const edge of this.#outOf.get(upstream) ?? []) {
        const child = this.#states.get(edge.downstream);
        if (child === undefined || !isNotStarted(child.status)) continue;
        if (edge.removed || edge.outcome === outcome) continue;
        const before = isPending(edge);
        edge.outcome = outcome;
        deltas.set(child, (deltas.get(child) ?? 0) + Number(isPending(edge)) - Number(before));
      }
    }
    const released: State[] = [];
    for (const [child, delta] of deltas) {
      if (delta === 0) continue;
      child.pending += delta;
      const move = moveOfChild(child.status, child.pending);
      if (move === 'release') released.push(child);
      else if (move === 'takeBack') this.#waitAgain(child);
    }
    return this.#release(released);
  }

  #release(states: readonly State[]): Settlement[] {
    return states.flatMap((state): Settlement[] => {
      if (isSkippedBy((this.#into.get(state.id) ?? []).filter((edge) => !edge.removed)))
        Object.assign(state, { dryRun: true, reason: 'skipped' });
      if (state.runAt > this.#now) state.status = 'waiting_time';
      else if (!endsAtOnce(state)) state.status = 'waiting_resource';
      else {
        state.status = 'succeeded';
        return [[state.id, state.reason === 'skipped' ? 'skipped' : 'success']];
      }
      return [];
    });
  }

  #effects(operation: Operation, moved: readonly number[]): Map<number, Effect> {
    const before = new Map(this.#seen.instances.map((each) => [each.id, each.status]));
    const found = new Map<number, Effect>();
    for (const id of this.#downstreamOf(moved)) {
      const state = this.#states.get(id);
      const status = before.get(id);
      if (state && status) found.set(id, effectOf(operation, status, state));
    }
    return found;
  }

  /** All that lies downstream of `ids`, without these. */
  #downstreamOf(ids: readonly number[]): number[] {
    const own = new Set(ids);
    const found = new Set<number>();
    const frontier = [...ids];
    for (let id = frontier.pop(); id !== undefined; id = frontier.pop()) {
      for (const { downstream, removed } of this.#outOf.get(id) ?? []) {
        if (removed || own.has(downstream) || found.has(downstream)) continue;
        found.add(downstream);
        frontier.push(downstream);
      }
    }
    return [...found];
  }
}

function isLeftOut(operation: WideRerun, state: State): boolean {
  if (isNotStarted(state.status) || isRerunWith(operation, state)) return false;
  return operation === 'rerun-downstream' || state.status !== 'succeeded';
}

function effectOf(operation: Operation, before: InstanceStatus, state: State): Effect {
  if (before === state.status)
    return operation === 'stop' && isNotStarted(state.status) ? 'stays blocked' : 'unchanged';
  if (state.status === 'waiting_upstream') return 'waits again';
  return state.status === 'succeeded' && state.dryRun ? 'ends as a dry run' : 'may start';
}

/** Nothing holds it any more, and it has not gone on yet. */
function isReleased({ status, pending }: State): boolean {
  return status === 'waiting_upstream' && pending === 0;
}

function isPending({ outcome, removed }: SeenEdge): boolean {
  return !removed && (outcome === 'open' || outcome === 'failed');
}

function listIn<K, V>(map: Map<K, V[]>, key: K): V[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
