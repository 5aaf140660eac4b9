import { bizdateOf, parseBizdate, runDayOf } from './bizdate.js';
import type { Bizdate } from './bizdate.js';
import { cyclesOf, runsOn } from './cycles-of.js';
import type { Cycle, CycleSchedule } from './cycles-of.js';
import { dateOfDay, dayOfDate } from './local-date.js';

export interface NextCycle extends Cycle {
  readonly bizdate: Bizdate;
}

/** Where to begin: with all of a business date, or right after an instant. */
export type CyclesFrom = { readonly bizdate: Bizdate } | { readonly after: Date };

/** How far ahead it looks: a schedule may never run, as on the days off of its calendar. */
const MAX_DAYS_AHEAD = 3_660;
// A day from either end of what dates can be, the clocks of some zones show another year.
const FIRST_BIZDATE = dayOfDate('1000-01-03');
const LAST_BIZDATE = dayOfDate('9999-12-28');

/**
 * The next `count` cycles, ascending; fewer when the schedule ends before or has no more within
 * {@link MAX_DAYS_AHEAD}. With `realOnly` days on which it rests are left out, otherwise each has its dry
 * run. Throws as `cyclesOf`.
 */
export function nextCycles(
  schedule: CycleSchedule,
  from: CyclesFrom,
  count: number,
  options: { readonly realOnly?: boolean } = {},
): NextCycle[] {
  const start = 'bizdate' in from ? from.bizdate : bizdateOf(from.after, schedule.zone);
  const first = firstDay(start, schedule);
  const last = Math.min(first + MAX_DAYS_AHEAD, LAST_BIZDATE);
  const found: NextCycle[] = [];
  for (let day = first; day <= last && found.length < count; day += 1) {
    const bizdate = parseBizdate(dateOfDay(day));
    const runDay = runDayOf(bizdate);
    if (schedule.effectiveTo !== undefined && runDay > schedule.effectiveTo) break;
    if (options.realOnly === true && !runsOn(schedule, runDay)) continue;
    for (const cycle of cyclesOf(schedule, bizdate)) {
      if ('bizdate' in from || cycle.scheduledAt > from.after) found.push({ ...cycle, bizdate });
    }
  }
  return found.slice(0, count);
}

function firstDay(start: Bizdate, { effectiveFrom }: CycleSchedule): number {
  const day = Math.max(dayOfDate(start), FIRST_BIZDATE);
  if (effectiveFrom === undefined || effectiveFrom <= dateOfDay(day)) return day;
  return Math.max(dayOfDate(effectiveFrom) - 1, day);
}
