import { describe, expect, test } from '@jest/globals';

import { parseBizdate } from './bizdate.js';
import { isWorkDay } from './business-calendar.js';
import type { BusinessCalendar } from './business-calendar.js';
import { cyclesOf } from './cycles-of.js';
import type { CycleSchedule } from './cycles-of.js';
import { nextCycles } from './next-cycles.js';
import type { CyclesFrom } from './next-cycles.js';

/** October 2026: the first week off, and a Saturday worked for it. */
const AUTUMN: BusinessCalendar = {
  workWeekdays: new Set(['mon', 'tue', 'wed', 'thu', 'fri']),
  holidays: new Set(['2026-10-01', '2026-10-02', '2026-10-05', '2026-10-06', '2026-10-07']),
  workDays: new Set(['2026-10-10']),
};
const from = (bizdate: string): CyclesFrom => ({ bizdate: parseBizdate(bizdate) });

function shown(
  schedule: CycleSchedule,
  start: CyclesFrom,
  count: number,
  realOnly = false,
): string[] {
  return nextCycles(schedule, start, count, { realOnly }).map(
    ({ bizdate, local, dryRun }) =>
      `${bizdate} ${local.date} ${local.time.slice(0, 5)}${dryRun === undefined ? '' : ` !${dryRun}`}`,
  );
}

describe('a business calendar', () => {
  test.each([
    ['2026-09-30', true, 'a Wednesday'],
    ['2026-10-01', false, 'a holiday on a Thursday'],
    ['2026-10-03', false, 'a Saturday'],
    ['2026-10-08', true, 'a Thursday'],
    ['2026-10-10', true, 'a Saturday that is worked'],
    ['2026-10-11', false, 'a Sunday'],
  ])('says of %s that it is a work day: %s, %s', (day, expected) => {
    expect(isWorkDay(AUTUMN, day)).toBe(expected);
  });

  test('turns the cycles of its days off into one dry run, whatever the schedule says', () => {
    const hourly = { cron: '0 8-10 * * *', zone: 'UTC', calendar: AUTUMN };
    expect(cyclesOf(hourly, parseBizdate('2026-09-30'))).toEqual([
      expect.objectContaining({
        periodNo: 1,
        dryRun: 'off_day',
        scheduledAt: new Date('2026-10-01T08:00:00Z'),
      }),
    ]);
    expect(cyclesOf(hourly, parseBizdate('2026-10-09'))).toHaveLength(3);
  });

  test('adds no run to a day on which the schedule itself rests', () => {
    const mondays = { cron: '0 8 * * MON', zone: 'UTC', calendar: AUTUMN };
    expect(cyclesOf(mondays, parseBizdate('2026-10-07'))[0]?.dryRun).toBe('off_day');
    expect(cyclesOf(mondays, parseBizdate('2026-10-11'))[0]?.dryRun).toBeUndefined();
  });
});

describe('the next cycles', () => {
  const daily: CycleSchedule = { period: { every: 'day', at: '02:00' }, zone: 'Asia/Shanghai' };

  test('after an instant begin with what is still to come today', () => {
    const after = new Date('2026-11-20T17:59:59Z');
    expect(shown(daily, { after }, 2)).toEqual([
      '2026-11-20 2026-11-21 02:00',
      '2026-11-21 2026-11-22 02:00',
    ]);
    expect(shown(daily, { after: new Date('2026-11-20T18:00:00Z') }, 1)).toEqual([
      '2026-11-21 2026-11-22 02:00',
    ]);
  });

  test('of a business date begin with its first one, also in the past', () => {
    expect(shown(daily, from('2020-02-28'), 2)).toEqual([
      '2020-02-28 2020-02-29 02:00',
      '2020-02-29 2020-03-01 02:00',
    ]);
  });

  test('stop within a day when there are enough', () => {
    const schedule: CycleSchedule = { period: { every: 'minute', step: 30 }, zone: 'UTC' };
    expect(shown(schedule, from('2026-11-20'), 50).at(-1)).toBe('2026-11-21 2026-11-22 00:30');
  });

  test('include dry runs, unless only real ones are asked for', () => {
    const monthly: CycleSchedule = {
      period: { every: 'month', days: [-1], at: '06:00' },
      zone: 'UTC',
    };
    expect(shown(monthly, from('2026-01-29'), 3)).toEqual([
      '2026-01-29 2026-01-30 06:00 !off_day',
      '2026-01-30 2026-01-31 06:00',
      '2026-01-31 2026-02-01 06:00 !off_day',
    ]);
    expect(shown(monthly, from('2026-01-29'), 3, true)).toEqual([
      '2026-01-30 2026-01-31 06:00',
      '2026-02-27 2026-02-28 06:00',
      '2026-03-30 2026-03-31 06:00',
    ]);
  });

  test('pass over the days off of a calendar', () => {
    const schedule = { ...daily, calendar: AUTUMN };
    expect(shown(schedule, from('2026-09-29'), 4, true)).toEqual([
      '2026-09-29 2026-09-30 02:00',
      '2026-10-07 2026-10-08 02:00',
      '2026-10-08 2026-10-09 02:00',
      '2026-10-09 2026-10-10 02:00',
    ]);
  });

  test('lie within the effective run days, both included', () => {
    const schedule = { ...daily, effectiveFrom: '2030-05-01', effectiveTo: '2030-05-02' };
    expect(shown(schedule, from('2026-11-20'), 10)).toEqual([
      '2030-04-30 2030-05-01 02:00',
      '2030-05-01 2030-05-02 02:00',
    ]);
    expect(shown({ ...daily, effectiveTo: '2026-11-20' }, from('2026-11-20'), 10)).toEqual([]);
  });

  test('end after ten years when a schedule hardly ever runs, and at the end of time', () => {
    const leapDays: CycleSchedule = {
      period: { every: 'year', dates: ['02-29'], at: '00:00' },
      zone: 'UTC',
    };
    expect(shown(leapDays, from('2026-11-20'), 10, true)).toEqual([
      '2028-02-28 2028-02-29 00:00',
      '2032-02-28 2032-02-29 00:00',
      '2036-02-28 2036-02-29 00:00',
    ]);
    const resting = { ...daily, calendar: { ...AUTUMN, workWeekdays: new Set<never>() } };
    expect(shown(resting, from('2027-01-01'), 1, true)).toEqual([]);
    expect(shown(daily, from('9999-12-27'), 10)).toHaveLength(2);
  });
});
