import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import type { BarStore } from './bar-store.ts';
import type { StateMask } from './row-model.ts';
import type { TileStore } from './tile-store.ts';
import { type ViewWindow, xOf } from './view-window.ts';

/** The least width of a column of a lane in px. */
export const COLUMN_PX = 4;
const STATES = VISIBLE_STATES.length;

/** A stack of states at a place of a lane; `x` and `width` in px. */
export interface Column {
  readonly x: number;
  readonly width: number;
  readonly counts: Int32Array;
  readonly total: number;
}

/** The tiles of a group as columns: neighbours that would be narrower than a column are one. */
export function columnsOfTiles(
  tiles: TileStore,
  group: number,
  on: { readonly view: ViewWindow; readonly width: number; readonly mask: StateMask },
): Column[] {
  const { view, width, mask } = on;
  const bucketPx = (tiles.bucketMs / (view.to - view.from)) * width;
  const merged = Math.max(1, Math.ceil(COLUMN_PX / bucketPx));
  const columns = new Map<number, Int32Array>();
  const first = tiles.bucketOf(view.from);
  const last = tiles.bucketOf(view.to);
  for (const [bucket, cell] of tiles.groups[group]!) {
    if (bucket < first - merged || bucket > last) continue;
    const counts = cellIn(columns, Math.floor(bucket / merged));
    for (let state = 0; state < STATES; state++)
      if (mask[state] === 1) counts[state]! += cell[state]!;
  }
  const columnPx = Math.max(COLUMN_PX, merged * bucketPx);
  return finished(columns, columnPx, (column) =>
    xOf(view, width, tiles.origin + column * merged * tiles.bucketMs),
  );
}

/** The instances of nodes as columns, for a group that is folded. */
export function columnsOfBars(
  bars: BarStore,
  nodes: readonly number[],
  on: { readonly view: ViewWindow; readonly width: number; readonly mask: StateMask },
): Column[] {
  const { view, width, mask } = on;
  const columnMs = ((view.to - view.from) / width) * COLUMN_PX;
  const columns = new Map<number, Int32Array>();
  for (const node of nodes)
    for (const at of bars.ofNode[node]!) {
      const state = bars.state[at]!;
      const anchor = bars.anchorAt(at);
      if (mask[state] !== 1 || anchor < view.from - columnMs || anchor > view.to) continue;
      // Columns are cut by the clock and not by the view: they must not flicker while it is moved.
      cellIn(columns, Math.floor(anchor / columnMs))[state]! += 1;
    }
  return finished(columns, COLUMN_PX, (column) => xOf(view, width, column * columnMs));
}

function cellIn(columns: Map<number, Int32Array>, place: number): Int32Array {
  const known = columns.get(place);
  if (known !== undefined) return known;
  const made = new Int32Array(STATES);
  columns.set(place, made);
  return made;
}

function finished(
  columns: ReadonlyMap<number, Int32Array>,
  width: number,
  xOfColumn: (column: number) => number,
): Column[] {
  const list: Column[] = [];
  for (const [column, counts] of columns) {
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total > 0) list.push({ x: xOfColumn(column), width, counts, total });
  }
  return list;
}
