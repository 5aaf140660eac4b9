import { barSpan } from './bar-geometry.ts';
import { LEAST_PX, type Shown } from './drawing.ts';
import { ROW_HEIGHT, type TimelineRow } from './row-model.ts';
import { xOf } from './view-window.ts';

/** A bar is hit this far beside it, since the narrowest is 3 px wide. */
const REACH_PX = 4;

export function rowAt(shown: Shown, y: number): TimelineRow | undefined {
  return shown.rows[Math.floor((shown.scrollTop + y) / ROW_HEIGHT)];
}

/** The instance under a point of the canvas: of its run before its waits, of several the latest. */
export function instanceAt(shown: Shown, x: number, y: number): number | undefined {
  const row = rowAt(shown, y);
  if (row?.kind !== 'node' || shown.bars === undefined) return undefined;
  let waiting: number | undefined;
  const list = shown.bars.ofNode[row.node]!;
  for (let place = list.length - 1; place >= 0; place--) {
    const at = list[place]!;
    if (shown.mask[shown.bars.state[at]!] !== 1) continue;
    const hit = partAt(shown, at, x);
    if (hit === 'run') return at;
    if (hit === 'wait') waiting ??= at;
  }
  return waiting;
}

function partAt(shown: Shown, at: number, x: number): 'run' | 'wait' | undefined {
  const { view, width, bars, now } = shown;
  if (bars === undefined) return undefined;
  const { run, usual, waits } = barSpan(bars, at, now);
  const isIn = (part: { from: number; to: number } | undefined, reach: number): boolean => {
    if (part === undefined) return false;
    const left = xOf(view, width, part.from);
    const right = Math.max(left + LEAST_PX, xOf(view, width, part.to));
    return x >= left - reach && x <= right + reach;
  };
  if (isIn(run, REACH_PX) || isIn(usual, REACH_PX)) return 'run';
  const isWait = Object.values(waits).some((part) => part.to > part.from && isIn(part, 0));
  return isWait ? 'wait' : undefined;
}
