import { VISIBLE_STATES, type VisibleState, visibleStateOf } from '../../ui/visible-state.ts';

export interface StateCount {
  readonly state: VisibleState;
  readonly count: number;
}

/** What the api counts apart from the statuses. */
const APART: Readonly<Record<string, VisibleState>> = {
  upstream_failed: 'upstreamFailed',
  frozen: 'frozen',
  dry_run: 'dryRun',
};

/** Counts by the states that are shown, in their order; states of none are left out. */
export function shownCounts(
  counts: Readonly<Record<string, number | undefined>>,
): readonly StateCount[] {
  const byState = new Map<VisibleState, number>();
  for (const [key, count] of Object.entries(counts)) {
    if (count === undefined || count === 0) continue;
    const state = APART[key] ?? visibleStateOf({ status: key });
    byState.set(state, (byState.get(state) ?? 0) + count);
  }
  return VISIBLE_STATES.flatMap((state) => {
    const count = byState.get(state);
    return count === undefined ? [] : [{ state, count }];
  });
}

/** How many instances there are in all. */
export function totalOf(counts: readonly StateCount[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0);
}

export interface Slice extends StateCount {
  /** Where it begins and how long it is, of a whole of 1. */
  readonly start: number;
  readonly length: number;
}

/** At least this much of the ring, so that one failure among thousands is seen. */
const LEAST = 0.012;

/** The counts as parts of a ring. They fill it; small ones are drawn larger than they are. */
export function slicesOf(counts: readonly StateCount[]): readonly Slice[] {
  const total = totalOf(counts);
  const lengths = counts.map(({ count }) => Math.max(count / total, LEAST));
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  let start = 0;
  return counts.map((each, index) => {
    const length = (lengths[index] ?? 0) / whole;
    const slice = { ...each, start, length };
    start += length;
    return slice;
  });
}
