/** What of a log of `total` rows is in view; all in pixels of rows that are not scaled. */
export interface LineScroll {
  readonly total: number;
  readonly rowHeight: number;
  readonly viewHeight: number;
}

/** No browser makes an element much higher than 16 M px; longer logs scroll on a shorter track. */
export const MAX_TRACK = 8_000_000;

/** The height that the scrollbar stands for. */
export function trackHeight({ total, rowHeight, viewHeight }: LineScroll): number {
  return Math.max(viewHeight, Math.min(MAX_TRACK, total * rowHeight));
}

/** How far down the rows can go. */
export function maxTop({ total, rowHeight, viewHeight }: LineScroll): number {
  return Math.max(0, total * rowHeight - viewHeight);
}

export function clampTop(scroll: LineScroll, top: number): number {
  return Math.min(Math.max(0, top), maxTop(scroll));
}

/** Where the scrollbar stands when the rows stand at `top`. */
export function trackOf(scroll: LineScroll, top: number): number {
  const room = trackHeight(scroll) - scroll.viewHeight;
  const max = maxTop(scroll);
  return max === 0 ? 0 : (clampTop(scroll, top) / max) * room;
}

/** Where the rows stand when the scrollbar does at `track`. */
export function topOf(scroll: LineScroll, track: number): number {
  const room = trackHeight(scroll) - scroll.viewHeight;
  return room <= 0 ? 0 : clampTop(scroll, (track / room) * maxTop(scroll));
}

/** Whether a pixel of the scrollbar is more than a pixel of the rows. */
export function isScaled(scroll: LineScroll): boolean {
  return scroll.total * scroll.rowHeight > MAX_TRACK;
}

/** First and last row in view, also those seen in part. */
export function rowsInView(scroll: LineScroll, top: number): { first: number; last: number } {
  const first = Math.floor(clampTop(scroll, top) / scroll.rowHeight);
  const last = Math.ceil((clampTop(scroll, top) + scroll.viewHeight) / scroll.rowHeight);
  return { first, last: Math.min(scroll.total - 1, last) };
}

/** Where the rows must stand so that `row` is in view: as they are if it is, else with it in the middle. */
export function topToShow(scroll: LineScroll, top: number, row: number): number {
  const { rowHeight, viewHeight } = scroll;
  const isInView = row * rowHeight >= top && (row + 1) * rowHeight <= top + viewHeight;
  return isInView ? top : clampTop(scroll, row * rowHeight - viewHeight / 2 + rowHeight / 2);
}
