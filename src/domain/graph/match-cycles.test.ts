import { describe, expect, test } from '@jest/globals';
import { parseBizdate } from '../calendar/bizdate.js';
import { cyclesOf } from '../calendar/cycles-of.js';
import { matchCycles, previousCycle } from './match-cycles.js';
import type { CycleRef, MatchOptions } from './match-cycles.js';

function cycles(cron: string, zone = 'Asia/Shanghai', ...bizdates: string[]): CycleRef[] {
  return (bizdates.length > 0 ? bizdates : ['2026-11-20']).flatMap((day) =>
    cyclesOf({ cron, zone }, parseBizdate(day)),
  );
}

/** `down<up` by the number within the list that was given. */
function matched(down: CycleRef[], up: CycleRef[], options: MatchOptions): string {
  return matchCycles(down, up, options)
    .map((pair) => `${down.indexOf(pair.down) + 1}<${up.indexOf(pair.up) + 1}`)
    .join(' ');
}

const day = (time: string): CycleRef[] => cycles(`${time} * * *`);

describe('matching within one day', () => {
  test('day to day takes the one of the day, also when it is later', () => {
    const options = { downPeriod: 'day', upPeriod: 'day' } as const;
    expect(matched(day('0 1'), day('0 3'), options)).toBe('1<1');
    expect(matched(day('0 3'), day('0 1'), { ...options, upSelfDependent: true })).toBe('1<1');
  });

  test('day to hour takes all of the day, of a self-dependent one the nearest', () => {
    const options = { downPeriod: 'day', upPeriod: 'hour' } as const;
    const up = cycles('0 1,2,3,4 * * *');
    expect(matched(day('30 2'), up, options)).toBe('1<1 1<2 1<3 1<4');
    expect(matched(day('30 2'), up, { ...options, upSelfDependent: true })).toBe('1<2');
    expect(matched(day('30 0'), up, { ...options, upSelfDependent: true })).toBe('1<1');
  });

  test('hour to day has each wait for the one, of a chain only the first', () => {
    const options = { downPeriod: 'hour', upPeriod: 'day' } as const;
    const down = cycles('0 1-3 * * *');
    expect(matched(down, day('30 2'), options)).toBe('1<1 2<1 3<1');
    expect(matched(down, day('30 2'), { ...options, downSelfDependent: true })).toBe('1<1');
  });

  test('hour to hour of the same count goes by ordinal and ignores the clock', () => {
    const options = { downPeriod: 'hour', upPeriod: 'hour' } as const;
    expect(matched(cycles('0 1-3 * * *'), cycles('0 10-12 * * *'), options)).toBe('1<1 2<2 3<3');
  });

  test('hour to hour of another count takes the nearest, of a denser one all since the last', () => {
    const options = { downPeriod: 'hour', upPeriod: 'hour' } as const;
    const sparse = cycles('0 2,4 * * *');
    const dense = cycles('30 0-4 * * *');
    expect(matched(dense, sparse, options)).toBe('1<1 2<1 3<1 4<1 5<2');
    expect(matched(sparse, dense, options)).toBe('1<1 1<2 2<3 2<4');
    expect(matched(sparse, dense, { ...options, upSelfDependent: true })).toBe('1<2 2<4');
  });

  test('hour to minute takes the minutes of its window, minute to hour shares the nearest', () => {
    const hours = cycles('0 0,1 * * *');
    const minutes = cycles('*/30 0,1 * * *');
    expect(matched(hours, minutes, { downPeriod: 'hour', upPeriod: 'minute' })).toBe('1<1 2<2 2<3');
    expect(matched(minutes, hours, { downPeriod: 'minute', upPeriod: 'hour' })).toBe(
      '1<1 2<1 3<2 4<2',
    );
  });

  test('an upstream without a cycle that day asks for nothing', () => {
    expect(matched(day('0 1'), [], { downPeriod: 'day', upPeriod: 'day' })).toBe('');
    expect(matched([], day('0 1'), { downPeriod: 'day', upPeriod: 'day' })).toBe('');
  });
});

describe('matching between zones', () => {
  const around = ['2026-11-19', '2026-11-20', '2026-11-21'];

  test('goes by the instant, not by the local day or the ordinal', () => {
    const shanghai = cycles('0 9 * * *');
    const losAngeles = cycles('0 1 * * *', 'America/Los_Angeles', ...around);
    // 09:00 in Shanghai on the 21st is 17:00 on the 20th in Los Angeles.
    expect(
      matched(shanghai, losAngeles, { downPeriod: 'day', upPeriod: 'day', sameZone: false }),
    ).toBe('1<1');
  });

  test('hourly of the same count pairs equal instants', () => {
    const down = cycles('0 * * * *');
    const up = cycles('0 * * * *', 'America/Los_Angeles', ...around);
    const pairs = matchCycles(down, up, { downPeriod: 'hour', upPeriod: 'hour', sameZone: false });
    expect(pairs).toHaveLength(24);
    for (const pair of pairs) expect(pair.up.scheduledAt).toEqual(pair.down.scheduledAt);
  });

  test('an equal count does not pair by ordinal', () => {
    const up = cycles('0 * * * *', 'America/Los_Angeles', '2026-11-19');
    const options = { downPeriod: 'hour', upPeriod: 'hour', sameZone: false } as const;
    expect(matched(cycles('0 * * * *'), up, options)).toMatch(/^1<9 2<10 3<11 /);
  });

  test('a day waits for the 24 hours before it', () => {
    const up = cycles('15 * * * *', 'Pacific/Chatham', ...around);
    const pairs = matchCycles(cycles('0 1 * * *'), up, {
      downPeriod: 'day',
      upPeriod: 'hour',
      sameZone: false,
    });
    expect(pairs).toHaveLength(24);
    expect(pairs.at(-1)?.up.scheduledAt).toEqual(new Date('2026-11-20T16:30:00Z'));
  });
});

describe('self-dependence', () => {
  test('chains the cycles of a day, the first to the last of the day before', () => {
    const [a, b] = cycles('0 1,2 * * *');
    const before = { id: 'yesterday' };
    expect(previousCycle(cycles('0 1,2 * * *'), before)).toEqual([
      { down: a, up: before },
      { down: b, up: a },
    ]);
  });

  test('asks for nothing on the first day', () => {
    expect(previousCycle(day('0 1'), undefined)).toEqual([]);
  });
});
