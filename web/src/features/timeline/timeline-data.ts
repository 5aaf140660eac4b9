import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import { BarStore, type TimelineAnswer } from './bar-store.ts';
import type { InstanceChange } from './instance-change.ts';
import { StatusCounts } from './status-counts.ts';
import { TileStore } from './tile-store.ts';
import { type Grouping, isAskedFor, type TimelineFilter } from './timeline-filter.ts';

/** What has to follow a change that was taken in. */
export type Effect = 'none' | 'shown' | 'reload';

/** What an answer was asked with, to know which events are about it. */
export interface Asked {
  readonly filter: TimelineFilter;
  readonly grouping: Grouping;
  /** The status filter the API was given; absent: none. */
  readonly statuses: readonly string[] | undefined;
}

/** An answer of the timeline, kept true by the events that follow it. */
export class TimelineData {
  readonly answer: TimelineAnswer;
  readonly asked: Asked;
  readonly bars: BarStore | undefined;
  readonly tiles: TileStore | undefined;
  /** Absent where the bars are all there is: they count themselves. */
  readonly #counts: StatusCounts | undefined;
  /** The number of the last event that is in. */
  seq: number;

  constructor(answer: TimelineAnswer, asked: Asked) {
    this.answer = answer;
    this.asked = asked;
    this.seq = answer.seq;
    if (answer.lod === 'bars') this.bars = new BarStore(answer);
    else this.tiles = new TileStore(answer, asked.grouping);
    if (this.bars === undefined || asked.statuses !== undefined)
      this.#counts = new StatusCounts(answer.counts);
  }

  /** How many instances each of VISIBLE_STATES has, of all that match without the state filter. */
  get counts(): Int32Array {
    return this.#counts?.counts ?? this.bars?.counts ?? new Int32Array(VISIBLE_STATES.length);
  }

  /** Takes in what is newer than the answer. */
  apply(change: InstanceChange): Effect {
    if (change.seq <= this.seq) return 'none';
    this.seq = change.seq;
    const { filter } = this.asked;
    const wasIn = isAskedFor(filter, change, change.before);
    const isIn = isAskedFor(filter, change, change.after);
    const known = this.bars?.apply(change);
    if (known !== undefined && this.#counts === undefined) return 'shown';
    if (wasIn === 'unknown' || isIn === 'unknown') return this.#applyUnknown(known !== undefined);
    if (!wasIn && !isIn) return 'none';
    this.#count(change, wasIn, isIn);
    if (this.tiles !== undefined) return this.#applyTiles(change, wasIn, isIn);
    if (known !== undefined) return 'shown';
    return isIn && this.#isStatusAsked(change.status) ? 'reload' : 'shown';
  }

  #applyUnknown(isKnown: boolean): Effect {
    // A whole answer has every instance that matches; a new one comes with a plan, which reloads.
    if (this.bars !== undefined && this.#counts === undefined) return isKnown ? 'shown' : 'none';
    return 'reload';
  }

  #applyTiles(change: InstanceChange, wasIn: boolean, isIn: boolean): Effect {
    if (change.kind === 'frozen') return 'shown';
    const left = !wasIn || !this.#isStatusAsked(change.from) || this.tiles?.leave(change) === true;
    const entered =
      !isIn || !this.#isStatusAsked(change.status) || this.tiles?.enter(change) === true;
    return left && entered ? 'shown' : 'reload';
  }

  #count(change: InstanceChange, wasIn: boolean, isIn: boolean): void {
    if (this.#counts === undefined) return;
    if (change.kind === 'frozen') return this.#counts.addFrozen(change.isFrozen ? 1 : -1);
    if (wasIn) this.#counts.add(change.from, -1);
    if (isIn) this.#counts.add(change.status, 1);
  }

  #isStatusAsked(status: string): boolean {
    return this.asked.statuses?.includes(status) ?? true;
  }
}
