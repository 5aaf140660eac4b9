/** What the canvas shows of time: `[from, to)` in epoch ms. */
export interface ViewWindow {
  readonly from: number;
  readonly to: number;
}

/** Between 100 ms and about three years across the canvas. */
const MIN_SPAN_MS = 100;
const MAX_SPAN_MS = 3 * 366 * 86_400_000;
/** Room for the sign beside the last bar. */
const MARGIN = 0.05;

/** Pixels of an instant on a canvas `width` wide. */
export function xOf(view: ViewWindow, width: number, at: number): number {
  return ((at - view.from) / (view.to - view.from)) * width;
}

export function timeAt(view: ViewWindow, width: number, x: number): number {
  return view.from + (x / width) * (view.to - view.from);
}

/** `data` with a margin; an instant becomes a minute. */
export function fit(data: ViewWindow): ViewWindow {
  const middle = (data.from + data.to) / 2;
  const span = Math.max(data.to - data.from, data.to > data.from ? MIN_SPAN_MS : 60_000);
  const half = (span * (1 + 2 * MARGIN)) / 2;
  return { from: middle - half, to: middle + half };
}

/** Zooms so that what is under the cursor stays under it; `factor` below 1 zooms in. */
export function zoomAt(view: ViewWindow, at: number, factor: number): ViewWindow {
  const span = view.to - view.from;
  const wanted = Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, span * factor));
  const share = (at - view.from) / span;
  const from = at - share * wanted;
  return { from, to: from + wanted };
}

export function pan(view: ViewWindow, ms: number): ViewWindow {
  return { from: view.from + ms, to: view.to + ms };
}

/** Keeps the view where the data is: at most one width of it may lie outside at either side. */
export function clamp(view: ViewWindow, data: ViewWindow): ViewWindow {
  const span = view.to - view.from;
  const lowest = data.from - span * 0.9;
  const highest = data.to + span * 0.9;
  if (view.from < lowest) return pan(view, lowest - view.from);
  if (view.to > highest) return pan(view, highest - view.to);
  return view;
}

/** The same zoom, with `at` at three quarters: what is over is worth more room than what is to come. */
export function centreNow(view: ViewWindow, at: number): ViewWindow {
  return pan(view, at - (view.from + (view.to - view.from) * 0.75));
}
