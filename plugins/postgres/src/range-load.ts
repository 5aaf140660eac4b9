/** Rows 0, 1, … of something that takes a range of them all or nothing. */
export interface RangeTarget {
  /** Resolves to the error when the range was refused for its data; throws for any other failure. */
  put(from: number, to: number): Promise<unknown>;
  /** Which row of the refused range is the bad one, counted from its begin, where the error says so. */
  badRowOf(error: unknown): number | undefined;
  refuse(index: number, error: unknown): Promise<void>;
}

/** After a bad row was cut out, the next ranges are about this long. */
const MIN_RANGE = 64;

/**
 * Puts the rows [from, to) and hands each row the target will not take to `refuse`. Ranges shrink around
 * bad rows and grow again after good ones: resending all that is left after each bad row would cost the
 * square of their number. Returns how many were taken.
 */
export async function loadRange(from: number, to: number, target: RangeTarget): Promise<number> {
  let taken = 0;
  let at = from;
  let size = to - from;
  while (at < to) {
    const end = Math.min(to, at + size);
    const error = await target.put(at, end);
    if (error === undefined) {
      taken += end - at;
      at = end;
      size *= 2;
      continue;
    }
    const bad = end - at === 1 ? 0 : target.badRowOf(error);
    if (bad === undefined || bad >= end - at) {
      size = Math.max(1, (end - at) >> 1);
      continue;
    }
    const before = bad === 0 ? undefined : await target.put(at, at + bad);
    if (before !== undefined) {
      // The same rows were taken a moment ago: a trigger or another session is at work. Go by halves.
      size = Math.max(1, bad >> 1);
      continue;
    }
    taken += bad;
    await target.refuse(at + bad, error);
    at += bad + 1;
    size = Math.max(MIN_RANGE, 2 * bad);
  }
  return taken;
}
