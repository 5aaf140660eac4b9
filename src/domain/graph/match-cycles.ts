/** The part of a cycle that matching looks at; callers pass their own rows and get them back. */
export interface CycleRef {
  readonly periodNo: number;
  readonly scheduledAt: Date;
}

/** `day` is also every week, month and year schedule: each has one instance per day. */
export type CyclePeriod = 'day' | 'hour' | 'minute';

export interface MatchOptions {
  readonly downPeriod: CyclePeriod;
  readonly upPeriod: CyclePeriod;
  readonly downSelfDependent?: boolean;
  readonly upSelfDependent?: boolean;
  /** False when the two nodes are scheduled in different zones: then ordinals mean nothing (engine rule 12). */
  readonly sameZone?: boolean;
}

const DAY_MS = 86_400_000;

export interface CyclePair<D, U> {
  readonly down: D;
  readonly up: U;
}

/**
 * Which cycles of the upstream each cycle of the downstream waits for. Both lists ascend by time and hold one
 * day; where the zones differ, the upstream list holds the days around it and the instants decide. Clock
 * times only choose which upstream; nobody starts before it has succeeded.
 *
 * | down -> up | upstream not self-dependent | self-dependent |
 * |---|---|---|
 * | day -> day | the day's instance | same |
 * | day -> hour, minute | all of the day | the nearest that is not later |
 * | hour, minute -> day | each waits for the one | only the first, the others chain (down self-dependent) |
 * | same period, same count | by ordinal, whatever the clock times | same |
 * | else | those since my previous cycle; none: the nearest that is not later | the nearest |
 */
export function matchCycles<D extends CycleRef, U extends CycleRef>(
  downCycles: readonly D[],
  upCycles: readonly U[],
  options: MatchOptions,
): CyclePair<D, U>[] {
  const { downPeriod, upPeriod, sameZone = true } = options;
  if (downCycles.length === 0 || upCycles.length === 0) return [];
  if (downPeriod === 'day') {
    return downCycles.flatMap((down) => {
      const ups =
        upPeriod === 'day' || options.upSelfDependent === true
          ? nearest(upCycles, down)
          : sameZone
            ? upCycles
            : between(upCycles, down.scheduledAt.getTime() - DAY_MS, down);
      return (ups.length > 0 ? ups : nearest(upCycles, down)).map((up) => ({ down, up }));
    });
  }
  if (upPeriod === 'day') {
    const waiting = options.downSelfDependent === true ? downCycles.slice(0, 1) : downCycles;
    return waiting.flatMap((down) => nearest(upCycles, down).map((up) => ({ down, up })));
  }
  if (downPeriod === upPeriod && sameZone && downCycles.length === upCycles.length) {
    return downCycles.flatMap((down, i) => upCycles.slice(i, i + 1).map((up) => ({ down, up })));
  }
  return downCycles.flatMap((down, i) => {
    const since = downCycles[i - 1]?.scheduledAt.getTime() ?? Number.NEGATIVE_INFINITY;
    // In another zone the list begins a day early, so the first cycle's window would be far too wide.
    const isNearest = options.upSelfDependent === true || (i === 0 && !sameZone);
    const window = isNearest ? [] : between(upCycles, since, down);
    return (window.length > 0 ? window : nearest(upCycles, down)).map((up) => ({ down, up }));
  });
}

/**
 * Self-dependence: each cycle waits for the one before it, the first of a day for the last of the day before
 * (none when there was none, as on the first day).
 */
export function previousCycle<T extends CycleRef, B>(
  cycles: readonly T[],
  lastBefore: B | undefined,
): CyclePair<T, T | B>[] {
  return cycles.flatMap((down, i) => {
    const up = i === 0 ? lastBefore : cycles[i - 1];
    return up === undefined ? [] : [{ down, up }];
  });
}

/** The latest upstream that is not later; the first one when all are. */
function nearest<U extends CycleRef>(upCycles: readonly U[], down: CycleRef): U[] {
  const found = upCycles.findLastIndex((up) => up.scheduledAt <= down.scheduledAt);
  return upCycles.slice(Math.max(found, 0), Math.max(found, 0) + 1);
}

/** The upstreams after `since` (ms), up to `down`. */
function between<U extends CycleRef>(upCycles: readonly U[], since: number, down: CycleRef): U[] {
  return upCycles.filter(
    (up) => up.scheduledAt.getTime() > since && up.scheduledAt <= down.scheduledAt,
  );
}
