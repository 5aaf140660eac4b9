/** The part of a cycle that matching looks at; callers pass their own rows and get them back. */
export interface CycleRef {
  readonly periodNo: number;
  readonly scheduledAt: Date;
}

/** `day` is also every week, month and year schedule: each has one instance per day, real or dry. */
export type CyclePeriod = 'day' | 'hour' | 'minute';

export interface MatchOptions {
  readonly downPeriod: CyclePeriod;
  readonly upPeriod: CyclePeriod;
  readonly downSelfDependent?: boolean;
  readonly upSelfDependent?: boolean;
  /** False when the two nodes are scheduled in different zones: then ordinals mean nothing (engine rule 12). */
  readonly sameZone?: boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export interface CyclePair<D, U> {
  readonly down: D;
  readonly up: U;
}

/** What the cycles of one day say of their schedule; a single one is as good as daily. */
export function periodOf(cycles: readonly CycleRef[]): CyclePeriod {
  if (cycles.length < 2) return 'day';
  const isMinutely = cycles.some((cycle, i) => {
    const before = cycles[i - 1]?.scheduledAt.getTime() ?? Number.NEGATIVE_INFINITY;
    return cycle.scheduledAt.getTime() - before < HOUR_MS;
  });
  return isMinutely ? 'minute' : 'hour';
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
 * | minute -> hour | the nearest that is not later, shared | same |
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
  if (isByOrdinal(downCycles, upCycles, options)) {
    return downCycles.flatMap((down, i) => upCycles.slice(i, i + 1).map((up) => ({ down, up })));
  }
  const isShared = downPeriod === 'minute' && upPeriod === 'hour';
  return downCycles.flatMap((down, i) => {
    const since = downCycles[i - 1]?.scheduledAt.getTime() ?? Number.NEGATIVE_INFINITY;
    // In another zone the list begins a day early, so the first cycle's window would be far too wide.
    const isNearest = isShared || options.upSelfDependent === true || (i === 0 && !sameZone);
    const window = isNearest ? [] : between(upCycles, since, down);
    return (window.length > 0 ? window : nearest(upCycles, down)).map((up) => ({ down, up }));
  });
}

/**
 * Which cycles each cycle of the downstream waits for when it needs the *previous* cycle of the upstream.
 * `before` holds the upstream's cycles of the business date before; where the zones differ, `upCycles` holds
 * the days around, one more than for {@link matchCycles}, and `before` is not looked at.
 *
 * | down -> up | upstream not self-dependent | self-dependent |
 * |---|---|---|
 * | day -> day, hour, minute | all of yesterday | the last of yesterday |
 * | hour, minute -> day | each waits for yesterday's | only the first, if the downstream chains |
 * | hour, minute -> hour, minute | what my previous cycle is matched with; the first: the last of yesterday | same |
 *
 * In the last row nothing counts that is later than my previous cycle, unless matched by ordinal: two nodes
 * that need each other, one of them across cycles, would wait for each other for ever.
 */
export function matchPreviousCycles<D extends CycleRef, U extends CycleRef>(
  downCycles: readonly D[],
  upCycles: readonly U[],
  before: readonly U[],
  options: MatchOptions,
): CyclePair<D, U>[] {
  const { downPeriod, upPeriod, sameZone = true } = options;
  if (downPeriod === 'day' || upPeriod === 'day') {
    if (!sameZone) return matchDayEarlier(downCycles, upCycles, options);
    const chains = downPeriod !== 'day' && options.downSelfDependent === true;
    const takesLast = upPeriod === 'day' || options.upSelfDependent === true;
    const ups = takesLast ? before.slice(-1) : before;
    return (chains && upPeriod === 'day' ? downCycles.slice(0, 1) : downCycles).flatMap((down) =>
      ups.map((up) => ({ down, up })),
    );
  }
  const matched = new Map<D, U[]>();
  for (const { down, up } of matchCycles(downCycles, upCycles, options)) {
    matched.set(down, [...(matched.get(down) ?? []), up]);
  }
  const byOrdinal = isByOrdinal(downCycles, upCycles, options);
  return downCycles.flatMap((down, i) => {
    const previous = downCycles[i - 1];
    const ups =
      previous === undefined
        ? []
        : (matched.get(previous) ?? []).filter(
            (up) => byOrdinal || up.scheduledAt <= previous.scheduledAt,
          );
    const first = matched.get(downCycles[0] ?? down)?.[0];
    const last = sameZone ? before.at(-1) : first && upCycles[upCycles.indexOf(first) - 1];
    return (ups.length > 0 || last === undefined ? ups : [last]).map((up) => ({ down, up }));
  });
}

/** Between zones the previous cycle of something daily is what 24 hours earlier would be matched with. */
function matchDayEarlier<D extends CycleRef, U extends CycleRef>(
  downCycles: readonly D[],
  upCycles: readonly U[],
  options: MatchOptions,
): CyclePair<D, U>[] {
  const earlier = downCycles.map((down) => ({
    down,
    periodNo: down.periodNo,
    scheduledAt: new Date(down.scheduledAt.getTime() - DAY_MS),
  }));
  return matchCycles(earlier, upCycles, options).map(({ down, up }) => ({ down: down.down, up }));
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

function isByOrdinal(
  downCycles: readonly CycleRef[],
  upCycles: readonly CycleRef[],
  { downPeriod, upPeriod, sameZone = true }: MatchOptions,
): boolean {
  return downPeriod === upPeriod && sameZone && downCycles.length === upCycles.length;
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
