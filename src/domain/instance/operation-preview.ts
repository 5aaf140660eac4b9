import {
  endsAtOnce,
  isHeld,
  judge,
  isSkippedBy,
  moveOfChild,
  type Operation,
  outcomeOf,
  type RerunMode,
  type Verdict,
} from './operation.js';
import {
  type EdgeKind,
  type EdgeOutcome,
  type InstanceStatus,
  NOT_STARTED_STATUSES,
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
}

export interface SeenEdge {
  readonly upstream: number;
  readonly downstream: number;
  readonly kind: EdgeKind;
  /** Null: what its kind does. */
  readonly inheritsDryRun: boolean | null;
  readonly outcome: EdgeOutcome;
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
 * `stays blocked`: it would have waited for what is stopped; it waits until that is rerun or set to
 * success. `ends as a dry run`: it succeeds at once without running.
 */
export const EFFECTS = [
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
 * What `operation` on `ids`, one after another, would do. It follows `operate-instance.sql.ts` and
 * `settle-edges.sql.ts` step by step, on copies, under no lock; a test compares it with what they do.
 */
export function previewOperation(
  operation: Operation,
  ids: readonly number[],
  seen: Neighbourhood,
  now: Date,
): OperationPreview {
  return new Preview(seen, now).run(operation, ids);
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

  run(operation: Operation, ids: readonly number[]): OperationPreview {
    const items = ids.flatMap((id) => {
      const state = this.#states.get(id);
      if (state === undefined) return [];
      const verdict = judge(operation, state);
      if (verdict.verdict === 'will') this.#operate(operation, state);
      return [{ id, verdict, status: state.status, frozen: state.frozen }];
    });
    const moved = items.filter(({ verdict }) => verdict.verdict === 'will').map(({ id }) => id);
    return { items, effects: this.#effects(operation, moved) };
  }

  #operate(operation: Operation, state: State): void {
    switch (operation) {
      case 'rerun':
        this.#rerun(state);
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
      default:
        operation satisfies never;
    }
  }

  #rerun(state: State): void {
    const edges = this.#into.get(state.id) ?? [];
    for (const edge of edges) edge.outcome = this.#outcomeOf(edge.upstream) ?? edge.outcome;
    state.pending = edges.filter(isPending).length + state.awaited;
    this.#waitAgain(state);
    this.#settle([[state.id, 'open']]);
    if (state.pending === 0) this.#settle(this.#release([state]));
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
        if (child === undefined || !isNotStarted(child) || edge.outcome === outcome) continue;
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
      if (isSkippedBy(this.#into.get(state.id) ?? []))
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
    const own = new Set(moved);
    const found = new Map<number, Effect>();
    const before = new Map(this.#seen.instances.map((each) => [each.id, each.status]));
    const frontier = [...moved];
    for (let id = frontier.pop(); id !== undefined; id = frontier.pop()) {
      for (const { downstream } of this.#outOf.get(id) ?? []) {
        const state = this.#states.get(downstream);
        const status = before.get(downstream);
        if (own.has(downstream) || found.has(downstream) || !state || !status) continue;
        found.set(downstream, effectOf(operation, status, state));
        frontier.push(downstream);
      }
    }
    return found;
  }
}

function effectOf(operation: Operation, before: InstanceStatus, state: State): Effect {
  if (operation === 'stop') return isNotStarted(state) ? 'stays blocked' : 'unchanged';
  if (before === state.status) return 'unchanged';
  if (state.status === 'waiting_upstream') return 'waits again';
  return state.status === 'succeeded' && state.dryRun ? 'ends as a dry run' : 'may start';
}

function isNotStarted({ status }: State): boolean {
  return (NOT_STARTED_STATUSES as readonly InstanceStatus[]).includes(status);
}

function isPending({ outcome }: SeenEdge): boolean {
  return outcome === 'open' || outcome === 'failed';
}

function listIn<K, V>(map: Map<K, V[]>, key: K): V[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
