import { describe, expect, test } from '@jest/globals';
import { registeredCodeOf } from '../errors.js';
import { parseBizdate } from './bizdate.js';
import { cyclesOf, DST_POLICIES } from './cycles-of.js';
import type { CycleSchedule } from './cycles-of.js';

const LA = 'America/Los_Angeles';
const SPRING = '2026-03-07'; // runs on 03-08: 02:00-03:00 is skipped
const AUTUMN = '2026-10-31'; // runs on 11-01: 01:00-02:00 comes twice

/** Each cycle as `no local-time instant`, with `!reason` for a dry run and `'` for a second occurrence. */
function shown(schedule: CycleSchedule, bizdate: string): string[] {
  return cyclesOf(schedule, parseBizdate(bizdate)).map((cycle) => {
    const instant = cycle.scheduledAt.toISOString().slice(5, 16);
    const time = `${cycle.local.time.slice(0, 5)}${cycle.fold === 1 ? "'" : ''}`;
    return `${cycle.periodNo} ${time} ${instant}${cycle.dryRun === undefined ? '' : ` !${cycle.dryRun}`}`;
  });
}

describe('plain days', () => {
  test('a daily cron has one cycle, on the local day after the business date', () => {
    expect(
      cyclesOf({ cron: '15 0 * * *', zone: 'Asia/Shanghai' }, parseBizdate('2026-11-20')),
    ).toEqual([
      {
        periodNo: 1,
        scheduledAt: new Date('2026-11-20T16:15:00Z'),
        local: { date: '2026-11-21', time: '00:15:00' },
        fold: 0,
      },
    ]);
  });

  test('hourly and minute crons have one numbered cycle per time', () => {
    expect(shown({ cron: '30 8-10 * * *', zone: 'UTC' }, '2026-11-20')).toEqual([
      '1 08:30 11-21T08:30',
      '2 09:30 11-21T09:30',
      '3 10:30 11-21T10:30',
    ]);
    expect(shown({ cron: '*/5 * * * *', zone: 'Asia/Shanghai' }, '2026-11-20')).toHaveLength(288);
  });

  test.each([
    ['30 3 * * MON', '2026-11-22', '2026-11-23'],
    ['30 3 1 * *', '2026-11-30', '2026-11-20'],
    ['30 3 L * *', '2026-02-27', '2026-02-28'],
    ['30 3 * * 5L', '2026-11-26', '2026-11-19'],
    ['30 3 * * 1#2', '2026-11-08', '2026-11-15'],
    ['30 3 1 1 *', '2026-12-31', '2026-01-31'],
  ])('%s runs for %s, and for %s there is one dry run at its time', (cron, runs, rests) => {
    expect(shown({ cron, zone: 'UTC' }, runs)).toEqual([expect.stringMatching(/^1 03:30 [^!]*$/)]);
    expect(shown({ cron, zone: 'UTC' }, rests)).toEqual([
      expect.stringMatching(/^1 03:30 .* !off_day$/),
    ]);
  });

  test('both day fields restricted means either of them', () => {
    const schedule = { cron: '0 1 15 * MON', zone: 'UTC' };
    const realDays = Array.from({ length: 30 }, (_, i) => i + 1).filter((day) => {
      const [only] = shown(
        schedule,
        day === 1 ? '2026-10-31' : `2026-11-${String(day - 1).padStart(2, '0')}`,
      );
      return only?.includes('!') === false;
    });
    expect(realDays).toEqual([2, 9, 15, 16, 23, 30]);
  });

  test('an hourly cron that rests on weekends has one dry run then, at its first time', () => {
    const schedule = { cron: '0 8-20 * * 1-5', zone: 'UTC' };
    expect(shown(schedule, '2026-11-20')).toEqual(['1 08:00 11-21T08:00 !off_day']);
    expect(shown(schedule, '2026-11-19')).toHaveLength(13);
  });

  test('outside of the effective run days there is no cycle', () => {
    const schedule = {
      cron: '0 1 * * *',
      zone: 'UTC',
      effectiveFrom: '2026-11-10',
      effectiveTo: '2026-11-11',
    };
    const counts = ['2026-11-08', '2026-11-09', '2026-11-10', '2026-11-11'].map(
      (bizdate) => shown(schedule, bizdate).length,
    );
    expect(counts).toEqual([0, 1, 1, 0]);
  });
});

describe('a skipped hour', () => {
  test.each([
    ['run_at_next_valid', ['1 03:00 03-08T10:00']],
    ['run_twice', ['1 03:00 03-08T10:00']],
    ['dataworks', ['1 03:30 03-08T10:30 !dst_gap']],
  ] as const)('under %s a daily run at 02:30 becomes %j', (dstPolicy, expected) => {
    expect(shown({ cron: '30 2 * * *', zone: LA, dstPolicy }, SPRING)).toEqual(expected);
  });

  test.each(DST_POLICIES)('under %s an hourly schedule has 23 cycles', (dstPolicy) => {
    const cycles = shown({ cron: '30 * * * *', zone: LA, dstPolicy }, SPRING);
    expect(cycles).toHaveLength(23);
    expect(cycles.slice(0, 3)).toEqual([
      '1 00:30 03-08T08:30',
      '2 01:30 03-08T09:30',
      '3 03:30 03-08T10:30',
    ]);
  });

  test.each(['0 1-2 * * *', '0 2-3 * * *'])('%s is hourly, so its 02:00 is left out', (cron) => {
    expect(shown({ cron, zone: LA }, SPRING)).toHaveLength(1);
    expect(shown({ cron, zone: LA }, AUTUMN)).toHaveLength(cron === '0 1-2 * * *' ? 3 : 2);
  });

  test('a schedule with two times a day loses none of them', () => {
    expect(shown({ cron: '0 2,14 * * *', zone: LA }, SPRING)).toEqual([
      '1 03:00 03-08T10:00',
      '2 14:00 03-08T21:00',
    ]);
  });

  test('several times inside of it run once after it', () => {
    expect(shown({ cron: '*/20 2 * * *', zone: LA }, SPRING)).toEqual(['1 03:00 03-08T10:00']);
  });

  test('in Chatham it lasts from 02:45 to 03:45', () => {
    const zone = 'Pacific/Chatham';
    expect(shown({ cron: '30 2 * * *', zone }, '2026-09-26')).toEqual(['1 02:30 09-26T13:45']);
    expect(shown({ cron: '50 2 * * *', zone }, '2026-09-26')).toEqual(['1 03:45 09-26T14:00']);
    expect(shown({ cron: '0 * * * *', zone }, '2026-09-26')).toHaveLength(23);
  });

  test('in Auckland it is the night of the last Sunday of September', () => {
    expect(shown({ cron: '15 2 * * *', zone: 'Pacific/Auckland' }, '2026-09-26')).toEqual([
      '1 03:00 09-26T14:00',
    ]);
  });

  test('at midnight the daily run keeps its day', () => {
    expect(shown({ cron: '10 0 * * *', zone: 'Africa/Cairo' }, '2026-04-23')).toEqual([
      '1 01:00 04-23T22:00',
    ]);
  });
});

describe('a doubled hour', () => {
  test.each([
    ['run_at_next_valid', ['1 01:30 11-01T08:30']],
    ['run_twice', ['1 01:30 11-01T08:30', "2 01:30' 11-01T09:30"]],
    ['dataworks', ["1 01:30' 11-01T09:30"]],
  ] as const)('under %s a daily run at 01:30 becomes %j', (dstPolicy, expected) => {
    expect(shown({ cron: '30 1 * * *', zone: LA, dstPolicy }, AUTUMN)).toEqual(expected);
  });

  test('an hourly schedule runs in both, 25 times that day, in the order of time', () => {
    const cycles = shown({ cron: '0 * * * *', zone: LA }, AUTUMN);
    expect(cycles).toHaveLength(25);
    expect(cycles.slice(1, 4)).toEqual([
      '2 01:00 11-01T08:00',
      "3 01:00' 11-01T09:00",
      '4 02:00 11-01T10:00',
    ]);
  });

  test('under dataworks an hourly schedule keeps 24 cycles, of the doubled hour the second', () => {
    const cycles = shown({ cron: '0 * * * *', zone: LA, dstPolicy: 'dataworks' }, AUTUMN);
    expect(cycles).toHaveLength(24);
    expect(cycles[1]).toBe("2 01:00' 11-01T09:00");
  });

  test.each([
    ['Pacific/Auckland', '2026-04-04', 25],
    ['Pacific/Chatham', '2026-04-04', 25],
    ['Asia/Shanghai', '2026-04-04', 24],
    ['UTC', '2026-11-01', 24],
  ])('in %s an hourly schedule has for %s %i cycles', (zone, bizdate, count) => {
    expect(shown({ cron: '0 * * * *', zone }, bizdate)).toHaveLength(count);
  });
});

test('an unknown zone is refused with MR-S105', () => {
  let code: string | undefined;
  try {
    cyclesOf({ cron: '0 1 * * *', zone: 'Mars/Base' }, parseBizdate('2026-11-20'));
  } catch (error) {
    code = registeredCodeOf(error);
  }
  expect(code).toBe('MR-S105');
});
