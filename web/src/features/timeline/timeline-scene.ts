import type { LiveEvent } from '../../api/realtime.ts';
import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import type { TimelineAnswer } from './bar-store.ts';
import { changeOf } from './instance-change.ts';
import { BarChoice, idsInRows, idsWhere } from './bar-choice.ts';
import { extentOf } from './bar-geometry.ts';
import { rowsOf, type StateMask, stateMask, type TimelineRow } from './row-model.ts';
import { type Asked, TimelineData } from './timeline-data.ts';
import { centreNow, clamp, fit, pan, type ViewWindow, zoomAt } from './view-window.ts';

/** React is told at most ten times a second, however many events there are. */
const NOTIFY_MS = 100;

/** For tests and the bench: when what was seen. Times as `performance.now()` gives them. */
export interface SceneMarks {
  dataAt: number | undefined;
  firstPaintAt: number | undefined;
}

/**
 * What the timeline shows, outside of React: events change it, the chart draws it, and the components
 * hear of it a few times a second.
 */
export class TimelineScene {
  data: TimelineData | undefined;
  rows: readonly TimelineRow[] = [];
  nodesOfGroup: readonly (readonly number[])[] = [];
  mask: StateMask = stateMask([]);
  view: ViewWindow = { from: 0, to: 1 };
  isFollowing = false;
  hovered: number | undefined;
  selected: string | undefined;
  readonly choice = new BarChoice();
  readonly marks: SceneMarks = { dataAt: undefined, firstPaintAt: undefined };
  lastEvent: { seq: number; at: number; paintedAt: number | undefined } | undefined;
  #folded: ReadonlySet<string> = new Set();
  #clockAhead = 0;
  #version = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #painters = new Set<(what: 'all' | 'overlay') => void>();

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly version = (): number => this.#version;

  /** Calls `paint` when something has to be drawn anew. */
  onDirty(paint: (what: 'all' | 'overlay') => void): () => void {
    this.#painters.add(paint);
    return () => this.#painters.delete(paint);
  }

  /** The engine's clock, epoch ms: that of the viewer may be wrong by minutes. */
  get now(): number {
    return Date.now() + this.#clockAhead;
  }

  get folded(): ReadonlySet<string> {
    return this.#folded;
  }

  /** All that can be seen in time. */
  get extent(): ViewWindow {
    const answer = this.data?.answer;
    return answer === undefined ? { from: 0, to: 1 } : { from: answer.from, to: answer.to };
  }

  /** Whether less or more than everything is shown. */
  get isZoomed(): boolean {
    const all = fit(this.extent);
    return Math.abs(all.from - this.view.from) > 1 || Math.abs(all.to - this.view.to) > 1;
  }

  /** Counts by visible state, of everything that matches without the state filter. */
  counts(): Record<string, number> {
    const counts = this.data?.counts;
    return Object.fromEntries(VISIBLE_STATES.map((state, place) => [state, counts?.[place] ?? 0]));
  }

  /** Takes an answer in. A view that was given stays; else everything is shown. */
  load(answer: TimelineAnswer, asked: Asked, view: ViewWindow | undefined): void {
    this.#clockAhead = answer.now - Date.now();
    this.data = new TimelineData(answer, asked);
    this.hovered = undefined;
    this.choice.renew(this.data.bars);
    this.marks.dataAt = performance.now();
    this.marks.firstPaintAt = undefined;
    this.view = view ?? fit(this.extent);
    this.#makeRows();
    this.#notify();
  }

  /** Whether the answer has to be loaded again. */
  apply(events: readonly LiveEvent[]): boolean {
    const { data } = this;
    if (data === undefined) return false;
    let isReload = false;
    for (const event of events) {
      if (event.seq <= data.seq) continue;
      if (event.type === 'run.planned') isReload = true;
      const change = changeOf(event);
      if (change === undefined) continue;
      if (data.apply(change) === 'reload') isReload = true;
      this.lastEvent = { seq: change.seq, at: change.at, paintedAt: undefined };
      // Our idea of the engine's clock is late by the way of the answer: no event is from the future.
      if (change.at > this.now) this.#clockAhead += change.at - this.now;
    }
    this.changed();
    return isReload;
  }

  setStates(states: readonly string[]): void {
    this.mask = stateMask(states);
    this.#makeRows();
    this.changed();
  }

  fold(keys: ReadonlySet<string>): void {
    this.#folded = keys;
    this.#makeRows();
    this.changed();
  }

  toggle(key: string): void {
    const folded = new Set(this.#folded);
    if (!folded.delete(key)) folded.add(key);
    this.fold(folded);
  }

  show(view: ViewWindow): void {
    this.view = clamp(view, { from: this.extent.from, to: Math.max(this.extent.to, this.now) });
    this.dirty('all');
    this.#notifySoon();
  }

  zoom(at: number, factor: number): void {
    this.isFollowing = false;
    this.show(zoomAt(this.view, at, factor));
  }

  panBy(ms: number): void {
    this.isFollowing = false;
    this.show(pan(this.view, ms));
  }

  fitAll(): void {
    this.isFollowing = false;
    this.show(fit(this.extent));
  }

  /** Shows one instance as wide as it goes. */
  fitInstance(at: number): void {
    const bars = this.data?.bars;
    if (bars === undefined) return;
    const { from, to } = extentOf(bars, at, this.now);
    const room = Math.max(1_000, (to - from) * 0.2);
    this.isFollowing = false;
    this.show({ from: from - room, to: to + room });
  }

  goNow(isFollowing: boolean): void {
    this.isFollowing = isFollowing;
    this.show(centreNow(this.view, this.now));
  }

  hover(at: number | undefined): void {
    if (this.hovered === at) return;
    this.hovered = at;
    this.dirty('overlay');
  }

  select(id: string | undefined): void {
    this.selected = id;
    this.dirty('overlay');
  }

  /** Chooses a bar or gives it up; a range reaches to it from the one before, over the rows in between. */
  chooseBar(at: number, isRange: boolean): void {
    const bars = this.data?.bars;
    if (bars === undefined) return;
    const { rows, mask } = this;
    this.choice.toggle(bars, at, isRange ? idsInRows({ bars, rows, mask }) : undefined);
    this.#chose();
  }

  /** Chooses what the filters leave of a group or a state, of neither all; gives it up where it is. */
  chooseWhere(what: { readonly group?: number; readonly state?: number }): void {
    const bars = this.data?.bars;
    if (bars === undefined) return;
    this.choice.toggleAll(bars, idsWhere({ bars, mask: this.mask }, what));
    this.#chose();
  }

  chooseNothing(): void {
    if (this.choice.size === 0) return;
    this.choice.clear();
    this.#chose();
  }

  /** The data moved: draw, and tell React soon. */
  changed(): void {
    this.dirty('all');
    this.#notifySoon();
  }

  dirty(what: 'all' | 'overlay'): void {
    for (const paint of this.#painters) paint(what);
  }

  // At once: who has clicked waits for it.
  #chose(): void {
    this.#tell();
    this.dirty('overlay');
  }

  #notifySoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // With a filter of states a node comes and goes with its instances.
      if (this.mask.includes(0)) this.#makeRows();
      this.#notify();
    }, NOTIFY_MS);
  }

  #notify(): void {
    this.#tell();
    this.dirty('all');
  }

  #tell(): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }

  #makeRows(): void {
    const { data } = this;
    if (data === undefined) return;
    this.rows = rowsOf(data.answer, data.bars, { folded: this.#folded, mask: this.mask });
    const nodes: number[][] = data.answer.groups.map(() => []);
    for (const [node, { group }] of (data.bars?.nodes ?? []).entries()) nodes[group]?.push(node);
    this.nodesOfGroup = nodes;
  }
}
