import { MillraceError } from '../errors.js';
import { daysInMonth, isLocalDate, weekdayOf } from './local-date.js';
import type { LocalDate } from './local-date.js';
import { hourlyOf } from './schedule-times.js';
import type { ScheduleTimes } from './schedule-times.js';
import { WEEKDAYS } from './weekday.js';
import type { Weekday } from './weekday.js';

/** One time of day or several, `HH:MM`. */
export type ClockTimes = string | readonly string[];

/** A schedule as people say it. Every `from` and `to` is `HH:MM`, both ends included. */
export type Period =
  | {
      readonly every: 'minute';
      /** Minutes from one cycle to the next, counted from `from`. */
      readonly step: number;
      readonly from?: string | undefined;
      readonly to?: string | undefined;
    }
  | {
      readonly every: 'hour';
      /** Hours from one cycle to the next, counted from `from`; 1 unless given. */
      readonly step?: number | undefined;
      readonly from?: string | undefined;
      readonly to?: string | undefined;
      /** Instead of `step`, `from` and `to`: exactly these hours, at `minute`. */
      readonly hours?: readonly number[] | undefined;
      readonly minute?: number | undefined;
    }
  | { readonly every: 'day'; readonly at: ClockTimes }
  | { readonly every: 'week'; readonly days: readonly Weekday[]; readonly at: ClockTimes }
  | {
      readonly every: 'month';
      /** 1 to 31, or from the end: -1 is the last day. A month without the day has no run. */
      readonly days: readonly number[];
      readonly at: ClockTimes;
    }
  | {
      readonly every: 'year';
      /** `MM-DD`; `02-29` runs in leap years only. */
      readonly dates: readonly string[];
      readonly at: ClockTimes;
    };

const DAY_MINUTES = 1440;
const CLOCK_TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;
const LEAP_YEAR = '2024';
const always = (): boolean => true;

/** The clock times and run days of a period. Throws MR-S112 with the reason. */
export function periodTimes(period: Period): ScheduleTimes {
  const minutes = [...new Set(minutesOf(period))].sort((a, b) => a - b);
  const isByHours = period.every === 'minute' || period.every === 'hour';
  if (minutes.length === 0) throw refusal('it names no time of day');
  return {
    times: minutes.map((minute) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}:00`),
    hourly: isByHours
      ? hourlyOf(minutes.map((minute) => Math.floor(minute / 60)))
      : new Set<number>(),
    runsOn: dayRuleOf(period),
  };
}

/** Minutes of the day at which it is due, in any order. */
function minutesOf(period: Period): number[] {
  switch (period.every) {
    case 'minute':
      return stepped(period, period.step);
    case 'hour':
      return period.hours === undefined ? everyHours(period) : atHours(period, period.hours);
    case 'day':
    case 'week':
    case 'month':
    case 'year':
      return (typeof period.at === 'string' ? [period.at] : period.at).map(minuteOf);
  }
}

function everyHours(period: Extract<Period, { every: 'hour' }>): number[] {
  if (period.minute !== undefined) {
    throw refusal('`minute` belongs to `hours`; with `step` the minute is that of `from`');
  }
  return stepped(period, (period.step ?? 1) * 60);
}

function atHours(
  { step, from, to, minute = 0 }: Extract<Period, { every: 'hour' }>,
  hours: readonly number[],
): number[] {
  if (step !== undefined || from !== undefined || to !== undefined) {
    throw refusal('write either `hours` or `step` with `from` and `to`');
  }
  checkNumbers('minute', [minute], 0, 59);
  checkNumbers('hours', hours, 0, 23);
  return hours.map((hour) => hour * 60 + minute);
}

function stepped(
  {
    from = '00:00',
    to = '23:59',
  }: { readonly from?: string | undefined; readonly to?: string | undefined },
  step: number,
): number[] {
  checkNumbers('step', [step], 1, DAY_MINUTES);
  const [first, last] = [minuteOf(from), minuteOf(to)];
  if (first > last) {
    throw refusal(`\`from\` ${from} is later than \`to\` ${to}; an interval lies within one day`);
  }
  return Array.from(
    { length: Math.floor((last - first) / step) + 1 },
    (_, no) => first + no * step,
  );
}

function dayRuleOf(period: Period): (date: LocalDate) => boolean {
  switch (period.every) {
    case 'minute':
    case 'hour':
    case 'day':
      return always;
    case 'week':
      return weekRule(period.days);
    case 'month':
      return monthRule(period.days);
    case 'year':
      return yearRule(period.dates);
  }
}

function weekRule(days: readonly Weekday[]): (date: LocalDate) => boolean {
  if (days.length === 0) throw refusal('`days` names no day of the week');
  const wrong = days.find((day) => !WEEKDAYS.includes(day));
  if (wrong !== undefined) throw refusal(`"${wrong}" is none of ${WEEKDAYS.join(', ')}`);
  const known = new Set(days.map((day) => WEEKDAYS.indexOf(day)));
  return (date) => known.has(weekdayOf(date));
}

function monthRule(days: readonly number[]): (date: LocalDate) => boolean {
  if (days.length === 0) throw refusal('`days` names no day of the month');
  checkNumbers('days', days, -31, 31);
  if (days.includes(0)) throw refusal('`days` has 0: count from 1, or from the end with -1');
  const known = new Set(days);
  return (date) => {
    const day = Number(date.slice(8));
    return known.has(day) || known.has(day - daysInMonth(date) - 1);
  };
}

function yearRule(dates: readonly string[]): (date: LocalDate) => boolean {
  if (dates.length === 0) throw refusal('`dates` names no day of the year');
  const wrong = dates.find((date) => !isLocalDate(`${LEAP_YEAR}-${date}`));
  if (wrong !== undefined) throw refusal(`"${wrong}" is no day of a year written MM-DD`);
  const known = new Set(dates);
  return (date) => known.has(date.slice(5));
}

function checkNumbers(name: string, values: readonly number[], min: number, max: number): void {
  const wrong = values.find((each) => !Number.isInteger(each) || each < min || each > max);
  if (wrong === undefined) return;
  throw refusal(`\`${name}\` has ${wrong}; whole numbers from ${min} to ${max} are allowed`);
}

function minuteOf(time: string): number {
  if (!CLOCK_TIME.test(time)) throw refusal(`"${time}" is no time of day written HH:MM`);
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

function refusal(reason: string): MillraceError {
  return new MillraceError('MR-S112', reason);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
