import { CronExpressionParser } from 'cron-parser';
import { MillraceError } from '../errors.js';
import { daysInMonth, weekdayOf } from './local-date.js';
import type { LocalDate } from './local-date.js';
import { hourlyOf } from './schedule-times.js';
import type { ScheduleTimes } from './schedule-times.js';

/**
 * Reads and checks a cron text: `minute hour day month weekday`, with names, lists, ranges, steps, `L`
 * (last day of the month), `5L` (last Friday) and `1#2` (second Monday); a day restricted by both day
 * fields runs when either fits. Throws MR-S105 with the reason.
 */
export function validateCron(text: string): ScheduleTimes {
  const fields = text.trim().split(/\s+/);
  refuseOtherDialects(text, fields);
  let parsed: ReturnType<typeof CronExpressionParser.parse>['fields'];
  try {
    parsed = CronExpressionParser.parse(fields.join(' ')).fields;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError('MR-S105', `"${text}": ${reason}`, { cause });
  }
  const { minute, hour, month, dayOfMonth, dayOfWeek } = parsed;
  const hours = numbersOf(hour.values);
  const months = new Set(numbersOf(month.values));
  const fitsMonthDay = monthDayRule(dayOfMonth.values);
  const fitsWeekday = weekdayRule(dayOfWeek.values, dayOfWeek.nthDay);
  const fitsDay: (date: LocalDate) => boolean =
    dayOfMonth.isWildcard || dayOfWeek.isWildcard
      ? (date) => fitsMonthDay(date) && fitsWeekday(date)
      : (date) => fitsMonthDay(date) || fitsWeekday(date);
  return {
    times: hours.flatMap((h) => numbersOf(minute.values).map((m) => `${two(h)}:${two(m)}:00`)),
    hourly: hourlyOf(hours),
    runsOn: (date) => months.has(Number(date.slice(5, 7))) && fitsDay(date),
  };
}

function refuseOtherDialects(text: string, fields: readonly string[]): void {
  const refuse = (reason: string): never => {
    throw new MillraceError('MR-S105', `"${text}" ${reason}`);
  };
  if (text.trim().startsWith('@'))
    refuse('is a nickname; write the five fields, such as `0 0 * * *`');
  if (fields.length === 6 || fields.length === 7) {
    const five = fields.slice(1, 6).map((field) => (field === '?' ? '*' : field));
    const weekdays = /\d/.test(five[4] ?? '')
      ? '; week days count from 0 = Sunday here (Quartz: 1 = Sunday), names such as MON are safe'
      : '';
    refuse(
      `has ${fields.length} fields (seconds first${fields.length === 7 ? ', year last' : ''}); ` +
        `a schedule has five, to the minute: \`${five.join(' ')}\`${weekdays}`,
    );
  }
  if (fields.length !== 5) {
    refuse(
      `has ${text.trim() === '' ? 0 : fields.length} fields; it needs five: minute hour day month weekday`,
    );
  }
  // The parser draws a random value for H, another one at every start.
  if (fields.some((field) => /H/.test(field.replace(/[A-Z]{3}/gi, '')))) {
    refuse('uses H (a random value); write the number itself');
  }
}

function monthDayRule(values: readonly (number | string)[]): (date: LocalDate) => boolean {
  const days = new Set(numbersOf(values));
  const hasLast = values.includes('L');
  return (date) => {
    const day = Number(date.slice(8));
    return days.has(day) || (hasLast && day === daysInMonth(date));
  };
}

function weekdayRule(
  values: readonly (number | string)[],
  nth: number,
): (date: LocalDate) => boolean {
  const weekdays = new Set(numbersOf(values).map((day) => day % 7));
  const last = new Set(
    values
      .filter((value) => typeof value === 'string')
      .map((value) => Number.parseInt(value, 10) % 7),
  );
  return (date) => {
    const weekday = weekdayOf(date);
    const day = Number(date.slice(8));
    if (last.has(weekday) && day + 7 > daysInMonth(date)) return true;
    return weekdays.has(weekday) && (nth === 0 || Math.ceil(day / 7) === nth);
  };
}

function numbersOf(values: readonly (number | string)[]): number[] {
  return values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
