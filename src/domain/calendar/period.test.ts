import { describe, expect, test } from '@jest/globals';

import { registeredCodeOf } from '../errors.js';
import { parseBizdate } from './bizdate.js';
import { cyclesOf } from './cycles-of.js';
import { addDays } from './local-date.js';
import { periodTimes } from './period.js';
import type { Period } from './period.js';
import { scheduleTimesOf } from './schedule-times-of.js';

const timesOf = (period: Period): string =>
  periodTimes(period)
    .times.map((time) => time.slice(0, 5))
    .join(' ');

/** The days of a year on which it runs, `MM-DD`. */
function runDays(period: Period, year: string): string[] {
  const { runsOn } = periodTimes(period);
  const days: string[] = [];
  for (let date = `${year}-01-01`; date.startsWith(year); date = addDays(date, 1))
    if (runsOn(date)) days.push(date.slice(5));
  return days;
}

describe('the times of day', () => {
  test.each<[Period, string]>([
    [{ every: 'minute', step: 20, from: '08:00', to: '09:00' }, '08:00 08:20 08:40 09:00'],
    [{ every: 'minute', step: 25, from: '08:10', to: '09:00' }, '08:10 08:35 09:00'],
    [{ every: 'minute', step: 25, from: '08:10', to: '08:59' }, '08:10 08:35'],
    [{ every: 'minute', step: 90, from: '20:00' }, '20:00 21:30 23:00'],
    [{ every: 'minute', step: 1, from: '23:58' }, '23:58 23:59'],
    [{ every: 'minute', step: 10, from: '05:00', to: '05:00' }, '05:00'],
    [{ every: 'hour', step: 4, from: '02:30', to: '15:00' }, '02:30 06:30 10:30 14:30'],
    [{ every: 'hour', step: 6 }, '00:00 06:00 12:00 18:00'],
    [{ every: 'hour', step: 24 }, '00:00'],
    [{ every: 'hour', from: '21:15' }, '21:15 22:15 23:15'],
    [{ every: 'hour', hours: [18, 0, 8], minute: 5 }, '00:05 08:05 18:05'],
    [{ every: 'hour', hours: [7, 7] }, '07:00'],
    [{ every: 'day', at: '02:30' }, '02:30'],
    [{ every: 'day', at: ['23:59', '00:00', '12:05', '12:05'] }, '00:00 12:05 23:59'],
    [{ every: 'week', days: ['mon'], at: ['06:00', '05:00'] }, '05:00 06:00'],
  ])('of %j are %s', (period, expected) => {
    expect(timesOf(period)).toBe(expected);
  });

  test('every minute of the day are 1440', () => {
    const { times } = periodTimes({ every: 'minute', step: 1 });
    expect([times.length, times[0], times.at(-1)]).toEqual([1440, '00:00:00', '23:59:00']);
  });
});

describe('the run days', () => {
  const at = '01:00';
  test('of a month are counted from both ends', () => {
    expect(runDays({ every: 'month', days: [1, -1], at }, '2026').slice(0, 6)).toEqual([
      '01-01',
      '01-31',
      '02-01',
      '02-28',
      '03-01',
      '03-31',
    ]);
    expect(runDays({ every: 'month', days: [-1], at }, '2024')[1]).toBe('02-29');
    expect(runDays({ every: 'month', days: [-2], at }, '2026').slice(0, 3)).toEqual([
      '01-30',
      '02-27',
      '03-30',
    ]);
  });

  test('of a month without that day are none', () => {
    expect(runDays({ every: 'month', days: [31], at }, '2026')).toHaveLength(7);
    expect(runDays({ every: 'month', days: [30], at }, '2026')).toHaveLength(11);
    expect(runDays({ every: 'month', days: [-31], at }, '2026')).toHaveLength(7);
  });

  test('of a week are its days, Sunday included', () => {
    const days = runDays({ every: 'week', days: ['sun', 'wed'], at }, '2026');
    expect(days.slice(0, 4)).toEqual(['01-04', '01-07', '01-11', '01-14']);
    expect(days).toHaveLength(104);
  });

  test('of a year are its dates, and the leap day only in leap years', () => {
    const period: Period = { every: 'year', dates: ['12-31', '02-29', '07-01'], at };
    expect(runDays(period, '2026')).toEqual(['07-01', '12-31']);
    expect(runDays(period, '2028')).toEqual(['02-29', '07-01', '12-31']);
  });

  test('of days, hours and minutes are all days', () => {
    expect(runDays({ every: 'day', at }, '2026')).toHaveLength(365);
    expect(runDays({ every: 'hour' }, '2028')).toHaveLength(366);
  });
});

test.each<[Period, string]>([
  [{ every: 'minute', step: 0 }, '`step` has 0'],
  [{ every: 'minute', step: 5, from: '09:00', to: '08:00' }, '09:00 is later than'],
  [{ every: 'minute', step: 5, from: '9:00' }, '"9:00"'],
  [{ every: 'minute', step: 5, to: '24:00' }, '"24:00"'],
  [{ every: 'hour', hours: [24] }, '`hours` has 24'],
  [{ every: 'hour', hours: [] }, 'no time of day'],
  [{ every: 'hour', hours: [1], step: 2 }, 'either `hours` or `step`'],
  [{ every: 'hour', hours: [1], from: '02:00' }, 'either `hours` or `step`'],
  [{ every: 'hour', step: 1, minute: 5 }, '`minute` belongs to `hours`'],
  [{ every: 'day', at: [] }, 'no time of day'],
  [{ every: 'day', at: '12:60' }, '"12:60"'],
  [{ every: 'week', days: [], at: '01:00' }, 'no day of the week'],
  [{ every: 'month', days: [0], at: '01:00' }, 'has 0'],
  [{ every: 'month', days: [32], at: '01:00' }, '`days` has 32'],
  [{ every: 'month', days: [-32], at: '01:00' }, '`days` has -32'],
  [{ every: 'year', dates: ['02-30'], at: '01:00' }, '"02-30"'],
  [{ every: 'year', dates: ['2-1'], at: '01:00' }, '"2-1"'],
])('%j is refused with MR-S112 and the reason', (period, reason) => {
  let refused: unknown;
  try {
    periodTimes(period);
  } catch (error) {
    refused = error;
  }
  expect(registeredCodeOf(refused)).toBe('MR-S112');
  expect(String(refused)).toContain(reason);
});

test.each<[Period, string]>([
  [{ every: 'minute', step: 15 }, '*/15 * * * *'],
  [{ every: 'hour', step: 1, from: '08:30', to: '20:59' }, '30 8-20 * * *'],
  [{ every: 'hour', hours: [2, 14] }, '0 2,14 * * *'],
  [{ every: 'day', at: '02:30' }, '30 2 * * *'],
  [{ every: 'week', days: ['mon', 'sun'], at: '02:30' }, '30 2 * * 0,1'],
  [{ every: 'month', days: [15, -1], at: '02:30' }, '30 2 15,L * *'],
  [{ every: 'year', dates: ['03-08'], at: '02:30' }, '30 2 8 3 *'],
])('%j and the cron text %s have the same cycles, also where the clock jumps', (period, cron) => {
  const zone = 'America/Los_Angeles';
  for (const start of ['2026-02-25', '2026-10-29']) {
    for (let no = 0; no < 14; no++) {
      const bizdate = parseBizdate(addDays(start, no));
      expect(cyclesOf({ period, zone }, bizdate)).toEqual(cyclesOf({ cron, zone }, bizdate));
    }
  }
});

test('times of a day that were asked for one by one are never left out, as hours are', () => {
  const spring = parseBizdate('2026-03-07');
  const zone = 'America/Los_Angeles';
  const minutesOf = (period: Period): string[] =>
    cyclesOf({ period, zone }, spring).map(({ local }) => local.time.slice(0, 5));
  expect(minutesOf({ every: 'day', at: ['01:10', '02:20', '03:30'] })).toEqual([
    '01:10',
    '03:00',
    '03:30',
  ]);
  expect(minutesOf({ every: 'hour', hours: [1, 2, 3], minute: 20 })).toEqual(['01:20', '03:20']);
});

test('without a cron text and without a period it is midnight of each day', () => {
  expect(scheduleTimesOf({}).times).toEqual(['00:00:00']);
  expect(scheduleTimesOf({}).runsOn('2026-11-21')).toBe(true);
});
