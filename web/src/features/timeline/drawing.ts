import { formatDuration } from '../../ui/time.ts';
import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import { barSpan, type BarSpan, type Wait, WAITS } from './bar-geometry.ts';
import type { BarStore } from './bar-store.ts';
import { RectList } from './rect-list.ts';
import { ROW_HEIGHT, type StateMask, type TimelineRow } from './row-model.ts';
import { type Column, columnsOfBars, columnsOfTiles } from './tile-merge.ts';
import type { TileStore } from './tile-store.ts';
import { type ViewWindow, xOf } from './view-window.ts';

export const RUN_PX = 14;
export const WAIT_PX = 6;
/** What runs for less is still to be seen; the tooltip has the true time. */
export const LEAST_PX = 3;
/** Narrower bars of a state that touch become one rectangle. */
const MERGED_PX = 6;
const TEXT_PX = 60;
const GLYPH_PX = 16;
const LANE_PX = 20;

export interface Label {
  readonly x: number;
  readonly y: number;
  readonly state: number;
  readonly text: string;
}

/** Everything a frame draws, sorted by look: one fill style is set for all rectangles of a state. */
export class Frame {
  readonly waits: Readonly<Record<Wait, RectList>> = {
    upstream: new RectList(),
    time: new RectList(),
    resource: new RectList(),
  };
  readonly runs = VISIBLE_STATES.map(() => new RectList());
  readonly usual = VISIBLE_STATES.map(() => new RectList());
  readonly columns = VISIBLE_STATES.map(() => new RectList());
  /** Signs beside the bars. */
  readonly glyphs: Label[] = [];
  /** Durations inside of bars that have room. */
  readonly texts: Label[] = [];

  get rects(): number {
    const lists = [...Object.values(this.waits), ...this.runs, ...this.usual, ...this.columns];
    return lists.reduce((sum, list) => sum + list.count, 0);
  }

  clear(): void {
    for (const list of [...Object.values(this.waits), ...this.runs, ...this.usual, ...this.columns])
      list.clear();
    this.glyphs.length = 0;
    this.texts.length = 0;
  }
}

export interface Shown {
  readonly bars: BarStore | undefined;
  readonly tiles: TileStore | undefined;
  readonly rows: readonly TimelineRow[];
  /** The nodes of each group that have rows or would have them unfolded. */
  readonly nodesOfGroup: readonly (readonly number[])[];
  readonly mask: StateMask;
  readonly view: ViewWindow;
  /** The canvas in px, and how far its rows are scrolled. */
  readonly width: number;
  readonly height: number;
  readonly scrollTop: number;
  /** The engine's clock, epoch ms. */
  readonly now: number;
}

/** Fills `frame` with what the rows in sight show. */
export function collect(frame: Frame, shown: Shown): void {
  frame.clear();
  const first = Math.max(0, Math.floor(shown.scrollTop / ROW_HEIGHT));
  const last = Math.min(
    shown.rows.length,
    Math.ceil((shown.scrollTop + shown.height) / ROW_HEIGHT),
  );
  for (let place = first; place < last; place++) {
    const row = shown.rows[place]!;
    const y = place * ROW_HEIGHT - shown.scrollTop;
    if (row.kind === 'node') collectNode(frame, shown, { node: row.node, y });
    else if (row.isFolded) collectLane(frame, shown, { group: row.group, y });
  }
}

function collectNode(frame: Frame, shown: Shown, row: { node: number; y: number }): void {
  const { bars, mask, view, now } = shown;
  if (bars === undefined) return;
  let sign: Label | undefined;
  for (const at of bars.ofNode[row.node]!) {
    const state = bars.state[at]!;
    if (mask[state] !== 1) continue;
    const span = barSpan(bars, at, now);
    if (isOutside(span, view)) continue;
    const left = collectWaits(frame, shown, { span, y: row.y });
    const bar = collectBar(frame, shown, { state, span, y: row.y });
    // A sign has its place only where the next bar leaves it.
    if (sign !== undefined && Math.min(left, bar?.x ?? Infinity) > sign.x + GLYPH_PX)
      frame.glyphs.push(sign);
    if (bar !== undefined)
      sign = {
        x: Math.max(bar.right, sign?.x ?? 0) + 3,
        y: row.y + ROW_HEIGHT / 2,
        state,
        text: '',
      };
  }
  if (sign !== undefined) frame.glyphs.push(sign);
}

function isOutside({ waits, run, usual }: BarSpan, view: ViewWindow): boolean {
  const from = waits.upstream.from;
  const to = Math.max(
    run?.to ?? 0,
    usual?.to ?? 0,
    waits.resource.to,
    waits.time.to,
    waits.upstream.to,
  );
  return to < view.from || from > view.to;
}

/** The result is where the first wait begins that was drawn. */
function collectWaits(frame: Frame, shown: Shown, bar: { span: BarSpan; y: number }): number {
  const y = bar.y + (ROW_HEIGHT - WAIT_PX) / 2;
  let left = Infinity;
  for (const wait of WAITS) {
    const part = pixels(shown, bar.span.waits[wait]);
    // Waits of less than a pixel say nothing, and each instance has some.
    if (part === undefined || part.right - part.x < 1) continue;
    left = Math.min(left, part.x);
    if (frame.waits[wait].extend(part.x, y, part.right)) continue;
    frame.waits[wait].push(part.x, y, part.right - part.x, WAIT_PX);
  }
  return left;
}

/** Draws run and outline; the result is what the two take of the row. */
function collectBar(
  frame: Frame,
  shown: Shown,
  bar: { state: number; span: BarSpan; y: number },
): { x: number; right: number } | undefined {
  const { state, span } = bar;
  const y = bar.y + (ROW_HEIGHT - RUN_PX) / 2;
  const usual = span.usual && pixels(shown, span.usual);
  if (usual !== undefined && (span.run === undefined || usual.right - usual.x >= 2 * LEAST_PX)) {
    const width = Math.max(LEAST_PX, usual.right - usual.x);
    frame.usual[state]!.push(usual.x, y, width, RUN_PX);
  }
  const run = span.run && pixels(shown, span.run);
  if (run !== undefined) collectRun(frame, { state, y, run, long: span.run!.to - span.run!.from });
  const begin = run ?? usual;
  if (begin === undefined) return undefined;
  return { x: begin.x, right: Math.max(begin.x + LEAST_PX, begin.right, usual?.right ?? 0) };
}

function collectRun(
  frame: Frame,
  bar: { state: number; y: number; run: { x: number; right: number }; long: number },
): void {
  const { state, run, y } = bar;
  const width = Math.max(LEAST_PX, run.right - run.x);
  const list = frame.runs[state]!;
  if (width < MERGED_PX && list.extend(run.x, y, run.x + width)) return;
  list.push(run.x, y, width, RUN_PX);
  if (width < TEXT_PX) return;
  const x = Math.max(run.x, 0) + 5;
  if (run.right - x >= TEXT_PX - 5)
    frame.texts.push({ x, y: y + RUN_PX / 2, state, text: formatDuration(bar.long) });
}

/** Clipped a little outside of the canvas: coordinates far away lose the pixels of their edges. */
function pixels(
  { view, width }: Shown,
  { from, to }: { readonly from: number; readonly to: number },
): { x: number; right: number } | undefined {
  if (to < view.from || from > view.to || (from === 0 && to === 0)) return undefined;
  const x = Math.max(-16, xOf(view, width, from));
  return { x, right: Math.min(width + 16, xOf(view, width, to)) };
}

function collectLane(frame: Frame, shown: Shown, row: { group: number; y: number }): void {
  const columns = laneColumns(shown, row.group);
  const most = columns.reduce((max, { total }) => Math.max(max, total), 1);
  for (const { x, width, counts, total } of columns) {
    // By the root: one failed instance beside a thousand others still has to be seen.
    const height = Math.max(4, LANE_PX * Math.sqrt(total / most));
    let bottom = row.y + (ROW_HEIGHT + LANE_PX) / 2;
    for (let state = 0; state < counts.length; state++) {
      if (counts[state] === 0) continue;
      const part = Math.max(2, (height * counts[state]!) / total);
      bottom -= part;
      frame.columns[state]!.push(x, bottom, Math.max(1, width - 0.5), part);
    }
  }
}

function laneColumns(shown: Shown, group: number): Column[] {
  const { bars, tiles } = shown;
  if (tiles !== undefined) return columnsOfTiles(tiles, group, shown);
  if (bars !== undefined) return columnsOfBars(bars, shown.nodesOfGroup[group] ?? [], shown);
  return [];
}
