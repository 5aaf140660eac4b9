import type { components } from '../../api/schema.gen.ts';
import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import { type InstanceChange, type InstanceTimes, orElse } from './instance-change.ts';
import { PLACE_OF_STATE, placeOf } from './status-places.ts';

export type TimelineAnswer = components['schemas']['Timeline'];
type Column = readonly (number | null)[];

const PRE_START = new Set<number>([
  PLACE_OF_STATE.upstream,
  PLACE_OF_STATE.time,
  PLACE_OF_STATE.resource,
  PLACE_OF_STATE.frozen,
]);

/**
 * The instances of an answer as a struct of arrays: ten thousand objects would cost a frame what the
 * arrays cost in total. Times are epoch ms, NaN where not yet.
 */
export class BarStore {
  readonly ids: readonly string[];
  readonly nodes: NonNullable<TimelineAnswer['nodes']>;
  readonly p50: readonly (number | null)[];
  /** Place of the instance's node in `nodes`. */
  readonly node: Int32Array;
  readonly statuses: string[];
  /** Place in VISIBLE_STATES. */
  readonly state: Uint8Array;
  readonly frozen: Uint8Array;
  readonly dryRun: Uint8Array;
  readonly attempt: Uint16Array;
  readonly scheduled: Float64Array;
  readonly run: Float64Array;
  readonly created: Float64Array;
  readonly upstreamDone: Float64Array;
  readonly ready: Float64Array;
  readonly dispatched: Float64Array;
  readonly started: Float64Array;
  readonly ended: Float64Array;
  /** How many instances each visible state has. */
  readonly counts = new Int32Array(VISIBLE_STATES.length);
  /** For each node and visible state, at `node * states + state`: how many. */
  readonly nodeCounts: Int32Array;
  /** The instances of each node, by the earliest time they may start. */
  readonly ofNode: readonly Int32Array[];
  readonly #indexOf = new Map<string, number>();

  constructor(answer: TimelineAnswer) {
    const { inst, nodes = [], p50 = [], from } = answer;
    if (inst === undefined) throw new Error('an answer of tiles was read as one of bars');
    this.ids = inst.id;
    this.nodes = nodes;
    this.p50 = p50;
    this.node = Int32Array.from(inst.node);
    this.statuses = inst.status.map((place) => answer.statuses[place] ?? '');
    this.frozen = Uint8Array.from(inst.frozen);
    this.dryRun = Uint8Array.from(inst.dryRun);
    this.attempt = Uint16Array.from(inst.attempt);
    const times = (column: Column): Float64Array =>
      Float64Array.from(column, (offset) => (offset === null ? NaN : from + offset));
    this.scheduled = times(inst.scheduled);
    this.run = times(inst.run);
    this.created = times(inst.created);
    this.upstreamDone = times(inst.upstreamDone);
    this.ready = times(inst.ready);
    this.dispatched = times(inst.dispatched);
    this.started = times(inst.started);
    this.ended = times(inst.ended);
    this.state = Uint8Array.from(this.statuses, (status, at) =>
      placeOf(status, this.frozen[at] === 1, this.dryRun[at] === 1),
    );
    this.nodeCounts = new Int32Array(nodes.length * VISIBLE_STATES.length);
    for (let at = 0; at < this.ids.length; at++) {
      this.#indexOf.set(this.ids[at]!, at);
      this.#count(at, 1);
    }
    this.ofNode = instancesByNode(this.node, this.run, nodes.length);
  }

  get size(): number {
    return this.ids.length;
  }

  indexOf(id: string): number | undefined {
    return this.#indexOf.get(id);
  }

  timesOf(at: number): InstanceTimes {
    return {
      upstreamDone: this.upstreamDone[at]!,
      ready: this.ready[at]!,
      dispatched: this.dispatched[at]!,
      started: this.started[at]!,
      ended: this.ended[at]!,
    };
  }

  /** When its bar begins, running or not. */
  anchorAt(at: number): number {
    return orElse(this.started[at]!, this.run[at]!);
  }

  /** Whether it has not begun and will, unless somebody keeps it from that. */
  isAhead(at: number): boolean {
    return PRE_START.has(this.state[at]!);
  }

  /** Takes a change in; `undefined` where the instance is not here. */
  apply(change: InstanceChange): number | undefined {
    const at = this.#indexOf.get(change.instance);
    if (at === undefined) return undefined;
    this.#count(at, -1);
    if (change.kind === 'status') {
      const { after } = change;
      this.statuses[at] = change.status;
      this.dryRun[at] = change.isDryRun ? 1 : 0;
      this.attempt[at] = change.attempt;
      this.upstreamDone[at] = after.upstreamDone;
      this.ready[at] = after.ready;
      this.dispatched[at] = after.dispatched;
      this.started[at] = after.started;
      this.ended[at] = after.ended;
    }
    this.frozen[at] = change.isFrozen ? 1 : 0;
    this.state[at] = placeOf(this.statuses[at]!, change.isFrozen, this.dryRun[at] === 1);
    this.#count(at, 1);
    return at;
  }

  #count(at: number, by: number): void {
    const state = this.state[at]!;
    this.counts[state]! += by;
    this.nodeCounts[this.node[at]! * VISIBLE_STATES.length + state]! += by;
  }
}

function instancesByNode(node: Int32Array, run: Float64Array, nodes: number): Int32Array[] {
  const lists: number[][] = Array.from({ length: nodes }, () => []);
  for (let at = 0; at < node.length; at++) lists[node[at]!]!.push(at);
  return lists.map((list) => Int32Array.from(list.sort((a, b) => run[a]! - run[b]!)));
}
