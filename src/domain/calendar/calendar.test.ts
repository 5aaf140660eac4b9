import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { registeredCodeOf } from '../errors.js';
import * as dates from './bizdate.js';
import { validateCron } from './cron.js';
import { addMonths, isLocalDate, weekdayOf } from './local-date.js';
import { isZone, localOf, zonedToInstant } from './zone.js';

const { parseBizdate } = dates;

describe('business dates', () => {
  test('are days that exist, written YYYY-MM-DD', () => {
    expect(parseBizdate('2024-02-29')).toBe('2024-02-29');
    for (const wrong of [
      '2025-02-29',
      '2025-13-01',
      '20250101',
      '2025-1-1',
      '0999-01-01',
      '',
      '2025-01-01 ',
    ]) {
      expect(dates.isBizdate(wrong)).toBe(false);
      expect(() => parseBizdate(wrong)).toThrow('MR-A101');
    }
  });

  test('move over months and leap days, compare and make ranges', () => {
    const day = parseBizdate('2024-02-28');
    expect(dates.plusDays(day, 2)).toBe('2024-03-01');
    expect(dates.minusDays(day, 59)).toBe('2023-12-31');
    expect(dates.daysBetween(day, parseBizdate('2025-02-28'))).toBe(366);
    expect(dates.compareBizdates(day, dates.plusDays(day, 1))).toBe(-1);
    expect(dates.compareBizdates(day, day)).toBe(0);
    expect(dates.bizdateRange(day, dates.plusDays(day, 2))).toEqual([
      '2024-02-28',
      '2024-02-29',
      '2024-03-01',
    ]);
    expect(dates.bizdateRange(day, dates.minusDays(day, 1))).toEqual([]);
    expect(dates.runDayOf(day)).toBe('2024-02-29');
  });

  test('of one instant differ by zone', () => {
    const instant = new Date('2026-11-20T16:00:00Z');
    expect(dates.bizdateOf(instant, 'Asia/Shanghai')).toBe('2026-11-20');
    expect(dates.lastBizdate(new Date(instant.getTime() - 1), 'Asia/Shanghai')).toBe('2026-11-19');
    expect(dates.lastBizdate(instant, 'America/Los_Angeles')).toBe('2026-11-19');
    expect(dates.lastBizdate(instant, 'Pacific/Chatham')).toBe('2026-11-20');
  });

  test('months clamp to their last day, in both directions', () => {
    expect(addMonths('2025-01-31', 1)).toBe('2025-02-28');
    expect(addMonths('2025-01-31', -2)).toBe('2024-11-30');
    expect(addMonths('2025-12-15', 1)).toBe('2026-01-15');
    expect(isLocalDate('2100-02-29')).toBe(false);
    expect(weekdayOf('2026-11-22')).toBe(0);
    expect(weekdayOf('1969-12-31')).toBe(3);
  });
});

describe('zones', () => {
  test('a wall time that is skipped names the first instant after it and the shifted one', () => {
    expect(zonedToInstant('2026-03-08', '02:30:00', 'America/Los_Angeles')).toEqual({
      kind: 'gap',
      resumesAt: new Date('2026-03-08T10:00:00Z'),
      shifted: new Date('2026-03-08T10:30:00Z'),
    });
  });

  test('a wall time that comes twice names both instants', () => {
    expect(zonedToInstant('2026-04-05', '02:59:59', 'Pacific/Auckland')).toEqual({
      kind: 'fold',
      first: new Date('2026-04-04T13:59:59Z'),
      second: new Date('2026-04-04T14:59:59Z'),
    });
    expect(zonedToInstant('2026-04-05', '03:00:00', 'Pacific/Auckland').kind).toBe('instant');
  });

  test('a whole day can be missing', () => {
    expect(zonedToInstant('2011-12-30', '12:00:00', 'Pacific/Apia')).toEqual({
      kind: 'gap',
      resumesAt: new Date('2011-12-30T10:00:00Z'),
      shifted: new Date('2011-12-30T22:00:00Z'),
    });
  });

  const zones = [
    'Asia/Shanghai',
    'America/Los_Angeles',
    'Pacific/Auckland',
    'Pacific/Chatham',
    'UTC',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
  ];
  test.each(zones)('in %s each instant comes back from its wall time and fold', (zone) => {
    const from = Date.UTC(2020, 0, 1) / 60_000;
    fc.assert(
      fc.property(fc.integer({ min: from, max: from + 10 * 525_600 }), (minute) => {
        const instant = new Date(minute * 60_000);
        const { date, time, fold } = localOf(instant, zone);
        const zoned = zonedToInstant(date, time, zone);
        const back =
          zoned.kind === 'instant'
            ? zoned.instant
            : zoned.kind === 'fold'
              ? [zoned.first, zoned.second][fold]
              : undefined;
        expect(back).toEqual(instant);
        expect(zoned.kind === 'fold' || fold === 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('wall times agree with Intl for every hour of a year', () => {
    const zone = 'Pacific/Chatham';
    const intl = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    for (let ms = Date.UTC(2026, 0, 1); ms < Date.UTC(2027, 0, 1); ms += 3_600_000) {
      const { date, time } = localOf(new Date(ms), zone);
      expect(`${date} ${time}`).toBe(intl.format(ms));
    }
  });

  test('unknown names and malformed times are refused', () => {
    expect(isZone('Pacific/Chatham')).toBe(true);
    expect(isZone('Pacific/Atlantis')).toBe(false);
    expect(() => zonedToInstant('2026-01-01', '24:00:00', 'UTC')).toThrow(RangeError);
    expect(() => zonedToInstant('2026-02-30', '00:00:00', 'UTC')).toThrow(RangeError);
    expect(() => localOf(new Date(Number.NaN), 'UTC')).toThrow(RangeError);
  });
});

describe('cron', () => {
  test.each([
    ['0 0 2 * * ?', 'has 6 fields', '`0 2 * * *`'],
    ['0 15 0 ? * 2 2026', 'has 7 fields', 'count from 0 = Sunday'],
    ['0 2 * *', 'has 4 fields', 'minute hour day month weekday'],
    ['', 'has 0 fields', 'minute hour day month weekday'],
    ['@daily', 'nickname', '0 0 * * *'],
    ['H 2 * * *', 'random', 'write the number'],
    ['61 * * * *', '61', '0-59'],
    ['0 22-2 * * *', 'min(22) > max(2)', '22-2'],
    ['0 0 31 2 *', 'day of month', '31 2'],
    ['a b c d e', 'Invalid characters', 'a'],
  ])('"%s" is refused with the reason', (text, reason, hint) => {
    let message = '';
    try {
      validateCron(text);
    } catch (error) {
      expect(registeredCodeOf(error)).toBe('MR-S105');
      message = String(error);
    }
    expect(message).toContain(reason);
    expect(message).toContain(hint);
  });

  test('the month of March is not taken for the random H', () => {
    expect(validateCron('0 2 * MAR THU').times).toEqual(['02:00:00']);
  });
});
