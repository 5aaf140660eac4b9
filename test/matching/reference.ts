/**
 * The rules of docs (matching of cycles) written a second time, the slow way: for each pair of cycles, does
 * the one wait for the other? Nothing here comes from src. Times are milliseconds.
 */
export type Period = 'day' | 'hour' | 'minute';

export interface World {
  /** Ascending, of one day. */
  readonly down: readonly number[];
  /** Ascending, of the same day; of the days around where the zones differ. */
  readonly up: readonly number[];
  /** The upstream's cycles of the day before. */
  readonly before: readonly number[];
  readonly downPeriod: Period;
  readonly upPeriod: Period;
  readonly downSelf: boolean;
  readonly upSelf: boolean;
  readonly sameZone: boolean;
}

export type Edge = readonly [down: number, up: number];

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

export function referencePeriod(times: readonly number[]): Period {
  if (times.length <= 1) return 'day';
  const isClose = times.some((a) => times.some((b) => a !== b && Math.abs(a - b) < HOUR));
  return isClose ? 'minute' : 'hour';
}

export function referenceSame(world: World): Edge[] {
  return pairs(world.down, world.up).filter(([down, up]) => waits(world, down, up));
}

export function referencePrevious(world: World): Edge[] {
  const { down, up, before, sameZone } = world;
  const isDaily = world.downPeriod === 'day' || world.upPeriod === 'day';
  if (isDaily && !sameZone) {
    const shifted = { ...world, down: down.map((time) => time - DAY) };
    return pairs(down, up).filter(([d, u]) => waits(shifted, d - DAY, u));
  }
  if (isDaily) {
    return pairs(down, before).filter(([d, u]) => {
      const isLast = before.every((other) => other <= u);
      if (world.downPeriod === 'day') return isLast || (world.upPeriod !== 'day' && !world.upSelf);
      return isLast && (!world.downSelf || down.every((other) => other >= d));
    });
  }
  return down.flatMap((d) => {
    const earlier = down.filter((other) => other < d);
    const mine = earlier.length === 0 ? undefined : Math.max(...earlier);
    const ups = up.filter(
      (u) => mine !== undefined && waits(world, mine, u) && (pairsUp(world) || u <= mine),
    );
    if (ups.length > 0) return ups.map((u): Edge => [d, u]);
    const last = sameZone ? before : up.filter((u) => u < Math.min(...firstWaitsFor(world)));
    return last.length === 0 ? [] : [[d, Math.max(...last)] as const];
  });
}

function firstWaitsFor(world: World): number[] {
  const first = Math.min(...world.down);
  const ups = world.up.filter((u) => waits(world, first, u));
  return ups.length === 0 ? [Number.NEGATIVE_INFINITY] : ups;
}

function waits(world: World, d: number, u: number): boolean {
  const { down, up, downPeriod, upPeriod } = world;
  if (downPeriod === 'day') {
    if (upPeriod === 'day' || world.upSelf) return isNearest(up, d, u);
    if (world.sameZone) return true;
    return within(up, d, u, (time) => time <= d && time > d - DAY);
  }
  if (upPeriod === 'day') {
    return isNearest(up, d, u) && (!world.downSelf || down.every((other) => other >= d));
  }
  if (pairsUp(world)) return countBelow(down, d) === countBelow(up, u);
  if (world.upSelf || (downPeriod === 'minute' && upPeriod === 'hour')) return isNearest(up, d, u);
  const isFirst = down.every((other) => other >= d);
  if (isFirst && !world.sameZone) return isNearest(up, d, u);
  return within(up, d, u, (time) => time <= d && down.every((other) => other >= d || other < time));
}

/** Equal counts of one period in one zone go by ordinal. */
function pairsUp({ down, up, downPeriod, upPeriod, sameZone }: World): boolean {
  return sameZone && downPeriod === upPeriod && down.length === up.length;
}

/** All that `belongs`; where nothing does, the nearest. */
function within(
  up: readonly number[],
  d: number,
  u: number,
  belongs: (time: number) => boolean,
): boolean {
  return up.some(belongs) ? belongs(u) : isNearest(up, d, u);
}

function isNearest(up: readonly number[], d: number, u: number): boolean {
  if (u <= d) return !up.some((other) => other > u && other <= d);
  return !up.some((other) => other <= d || other < u);
}

function countBelow(times: readonly number[], time: number): number {
  return times.filter((other) => other < time).length;
}

function pairs(down: readonly number[], up: readonly number[]): Edge[] {
  return down.flatMap((d) => up.map((u): Edge => [d, u]));
}
