import type { LocalDate } from './local-date.js';
import type { LocalTime } from './zone.js';

/** What every form of a schedule comes down to: the clock times of a run day, and which days are such. */
export interface ScheduleTimes {
  /** `HH:MM:00`, ascending, never empty. */
  readonly times: readonly LocalTime[];
  /**
   * Hours that are some of many: of these a skipped one is left out and a doubled one runs twice. A time
   * that was asked for by itself, as 02:30 each day, is never left out.
   */
  readonly hourly: ReadonlySet<number>;
  runsOn(date: LocalDate): boolean;
}

/** Those with a neighbour: `0-5` and `2,3` are hourly, `2,14` would lose a run. */
export function hourlyOf(hours: readonly number[]): ReadonlySet<number> {
  const known = new Set(hours);
  return new Set(hours.filter((hour) => known.has(hour - 1) || known.has(hour + 1)));
}
