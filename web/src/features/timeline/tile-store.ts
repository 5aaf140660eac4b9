import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import type { TimelineAnswer } from './bar-store.ts';
import { anchorOf, type InstanceChange } from './instance-change.ts';
import { placeOf } from './status-places.ts';
import { type Grouping, groupKeyOf } from './timeline-filter.ts';

const STATES = VISIBLE_STATES.length;

/** How many instances a group has by bucket of time and state, kept exact by events. */
export class TileStore {
  readonly bucketMs: number;
  readonly origin: number;
  /** For each group, the counts by state of each bucket that has any. */
  readonly groups: readonly Map<number, Int32Array>[];
  readonly #grouping: Grouping;
  readonly #places: ReadonlyMap<string, number>;

  constructor(answer: TimelineAnswer, grouping: Grouping) {
    const { tiles, groups } = answer;
    if (tiles === undefined) throw new Error('an answer of bars was read as one of tiles');
    this.bucketMs = tiles.bucketMs;
    this.origin = tiles.origin;
    this.#grouping = grouping;
    this.groups = groups.map(() => new Map());
    this.#places = new Map(groups.map(({ key }, place) => [key, place]));
    for (let cell = 0; cell < tiles.group.length; cell++) {
      const status = answer.statuses[tiles.status[cell]!] ?? '';
      this.#add(tiles.group[cell]!, tiles.bucket[cell]!, status, tiles.count[cell]!);
    }
  }

  bucketOf(at: number): number {
    return Math.floor((at - this.origin) / this.bucketMs);
  }

  /** Takes an instance out of the cell it leaves; false where its group is not here. */
  leave(change: InstanceChange): boolean {
    return this.#move(change, anchorOf(change.before, change.run), change.from, -1);
  }

  /** Puts an instance into the cell it enters; false where its group is not here. */
  enter(change: InstanceChange): boolean {
    return this.#move(change, anchorOf(change.after, change.run), change.status, 1);
  }

  #move(change: InstanceChange, anchor: number, status: string, by: number): boolean {
    const group = this.#places.get(groupKeyOf(this.#grouping, change));
    if (group === undefined) return false;
    this.#add(group, this.bucketOf(anchor), status, by);
    return true;
  }

  #add(group: number, bucket: number, status: string, by: number): void {
    const buckets = this.groups[group]!;
    let cell = buckets.get(bucket);
    if (cell === undefined) {
      cell = new Int32Array(STATES);
      buckets.set(bucket, cell);
    }
    cell[placeOf(status, false, false)]! += by;
  }
}
