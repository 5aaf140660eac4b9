import { barSpan } from './bar-geometry.ts';
import { LEAST_PX, RUN_PX, type Shown } from './drawing.ts';
import type { RectList } from './rect-list.ts';
import { ROW_HEIGHT } from './row-model.ts';
import { xOf } from './view-window.ts';

const BEYOND_PX = 8;
const AROUND_PX = 2;

/** Pushes the frame around the bar `at` of the row at `y`, where there is something to frame. */
function pushBox(list: RectList, { bars, view, width, now }: Shown, at: number, y: number): void {
  if (bars === undefined) return;
  const { run, usual } = barSpan(bars, at, now);
  const part = run ?? usual;
  if (part === undefined || part.to < view.from || part.from > view.to) return;
  const x = Math.max(-BEYOND_PX, xOf(view, width, part.from));
  const right = Math.min(width + BEYOND_PX, Math.max(x + LEAST_PX, xOf(view, width, part.to)));
  const top = y + (ROW_HEIGHT - RUN_PX) / 2;
  list.push(x - AROUND_PX, top - AROUND_PX, right - x + 2 * AROUND_PX, RUN_PX + 2 * AROUND_PX);
}

/** Frames around the bars in sight that `marks` has, and around those of `single`. */
export function collectBoxes(
  lists: { readonly chosen: RectList; readonly single: RectList },
  shown: Shown,
  marked: { readonly marks: Uint8Array | undefined; readonly single: ReadonlySet<number> },
): void {
  lists.chosen.clear();
  lists.single.clear();
  const { bars, rows, mask, scrollTop, height } = shown;
  if (bars === undefined || (marked.marks === undefined && marked.single.size === 0)) return;
  const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT));
  const last = Math.min(rows.length, Math.ceil((scrollTop + height) / ROW_HEIGHT));
  for (let place = first; place < last; place++) {
    const row = rows[place]!;
    if (row.kind !== 'node') continue;
    const y = place * ROW_HEIGHT - scrollTop;
    for (const at of bars.ofNode[row.node]!) {
      if (marked.single.has(at)) pushBox(lists.single, shown, at, y);
      if (marked.marks?.[at] === 1 && mask[bars.state[at]!] === 1)
        pushBox(lists.chosen, shown, at, y);
    }
  }
}
