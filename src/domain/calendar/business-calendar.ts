import { weekdayOf } from './local-date.js';
import type { LocalDate } from './local-date.js';
import { WEEKDAYS } from './weekday.js';
import type { Weekday } from './weekday.js';

/** Which days are work days: a weekly pattern, and the days that differ from it. */
export interface BusinessCalendar {
  readonly workWeekdays: ReadonlySet<Weekday>;
  /** Days off, whatever their day of the week. */
  readonly holidays: ReadonlySet<LocalDate>;
  /** Days on, whatever their day of the week: the Saturday worked for a bridge day. */
  readonly workDays: ReadonlySet<LocalDate>;
}

export function isWorkDay(calendar: BusinessCalendar, date: LocalDate): boolean {
  if (calendar.holidays.has(date)) return false;
  if (calendar.workDays.has(date)) return true;
  const weekday = WEEKDAYS[weekdayOf(date)];
  return weekday !== undefined && calendar.workWeekdays.has(weekday);
}
