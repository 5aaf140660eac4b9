import type { ZoneClock } from './zone-transitions.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const FARTHEST_OFFSET_MS = 15 * 3_600_000;

/** Written out here as well: nothing in a reference comes from src/, not even a name. */
export type DstPolicy = 'run_at_next_valid' | 'run_twice' | 'dataworks';

/** Every instant, to the minute, of one local day, by the minute of the day that its clock shows. */
export type LocalDay = ReadonlyMap<number, readonly number[]>;

/** Walks through the real time around the day: what the clock shows, not what it should. */
export function localDay(clock: ZoneClock, date: string): LocalDay {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  const [first, last] = [midnight - FARTHEST_OFFSET_MS, midnight + DAY_MS + FARTHEST_OFFSET_MS];
  const changes = clock.transitions.filter(({ at }) => at > first && at < last);
  const day = new Map<number, number[]>();
  let offset = clock.offsetAt(first);
  for (let at = first; at < last; at += MINUTE_MS) {
    if (changes[0] !== undefined && changes[0].at <= at) offset = changes.shift()?.after ?? offset;
    const sinceMidnight = at + offset - midnight;
    if (sinceMidnight < 0 || sinceMidnight >= DAY_MS) continue;
    const minute = Math.floor(sinceMidnight / MINUTE_MS);
    const known = day.get(minute);
    if (known === undefined) day.set(minute, [at]);
    else known.push(at);
  }
  return day;
}

/**
 * The cycles that the policy promises for minutes of a local day, one line each: number, instant, clock and
 * why it is a dry run. Written from the table in docs, without a look at how src/ does it.
 */
export function expectedCycles(
  clock: ZoneClock,
  date: string,
  day: LocalDay,
  { minutes, isByHours }: { readonly minutes: readonly number[]; readonly isByHours: boolean },
  policy: DstPolicy,
): string[] {
  const hours = new Set(isByHours ? minutes.map((minute) => Math.floor(minute / 60)) : []);
  // Out of the day a moved cycle leaves the next day's own times to the next day, a minute at a time.
  const free = (at: number): number => {
    const [shownDate, shownTime = ''] = shows(clock, at).split(' ');
    const [hour = 0, minute = 0] = shownTime.split(':').map(Number);
    return shownDate !== date && minutes.includes(hour * 60 + minute) ? free(at + MINUTE_MS) : at;
  };
  const own = new Set<number>();
  const moved = new Map<number, string>();
  for (const minute of minutes) {
    const hour = Math.floor(minute / 60);
    const isHourly = hours.has(hour - 1) || hours.has(hour + 1);
    const [first, second] = day.get(minute) ?? [];
    if (first === undefined) {
      if (isHourly) continue;
      const gap = gapOf(clock, date, minute);
      if (policy === 'dataworks') moved.set(free(gap.shifted), ' dst_gap');
      else moved.set(free(gap.end), '');
    } else if (second === undefined) own.add(first);
    else if (policy === 'dataworks') own.add(second);
    else {
      own.add(first);
      if (policy === 'run_twice' || isHourly) own.add(second);
    }
  }
  const lines = new Map([...moved, ...[...own].map((at) => [at, ''] as const)]);
  return [...lines]
    .sort(([a], [b]) => a - b)
    .map(
      ([at, reason], no) => `${no + 1} ${new Date(at).toISOString()} ${shows(clock, at)}${reason}`,
    );
}

/** `2026-11-21 00:15`, as the clock of the zone shows it. */
function shows(clock: ZoneClock, at: number): string {
  return new Date(at + clock.offsetAt(at)).toISOString().slice(0, 16).replace('T', ' ');
}

/** The change that leaves out a clock time: when it happens, and the time moved on by its length. */
function gapOf(clock: ZoneClock, date: string, minute: number): { end: number; shifted: number } {
  const local = Date.parse(`${date}T00:00:00Z`) + minute * MINUTE_MS;
  const change = clock.transitions.find(
    ({ at, before, after }) => at + before <= local && local < at + after,
  );
  if (change === undefined) throw new Error(`${date} ${minute}: no change leaves it out`);
  return { end: change.at, shifted: local - change.before };
}
