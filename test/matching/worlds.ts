import { type Period, referencePeriod, type World } from './reference.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const MIDNIGHT = Date.UTC(2026, 10, 21);
const PERIODS: readonly Period[] = ['day', 'hour', 'minute'];

/** A small world of two nodes, in one zone or in two. */
export function randomWorld(random: () => number): World {
  const below = (limit: number): number => Math.floor(random() * limit);
  const down = timesOfDay(PERIODS[below(3)] ?? 'day', below);
  const upClock = timesOfDay(PERIODS[below(3)] ?? 'day', below);
  const sameZone = random() < 0.75;
  // Half-hour zones too: the other zone's days begin where ours have begun long ago, or will begin.
  const offset = sameZone ? 0 : (below(48) - 24) * 30 * MINUTE;
  const onDay = (day: number): number[] =>
    upClock.map((time) => MIDNIGHT + day * DAY + offset + time);
  return {
    down: down.map((time) => MIDNIGHT + time),
    up: sameZone ? onDay(0) : [-2, -1, 0, 1].flatMap(onDay),
    before: random() < 0.1 ? [] : onDay(-1),
    downPeriod: referencePeriod(down),
    upPeriod: referencePeriod(upClock),
    downSelf: random() < 0.3,
    upSelf: random() < 0.3,
    sameZone,
  };
}

/** Clock times in milliseconds after midnight, on the whole or half hour half of the time, so that they meet. */
function timesOfDay(period: Period, below: (limit: number) => number): number[] {
  if (period === 'day') return [below(48) * 30 * MINUTE];
  const isRound = below(2) === 0;
  const times = new Set<number>();
  const step = period === 'hour' ? 60 : isRound ? 30 : 5;
  const start = isRound ? 0 : below(60);
  const wanted = 2 + below(5);
  const room = Math.floor((24 * 60 - 60) / step);
  while (times.size < wanted) {
    const near = period === 'minute' ? below(Math.min(room, 24)) : below(room);
    times.add((start + near * step) * MINUTE);
  }
  return [...times].sort((a, b) => a - b);
}
