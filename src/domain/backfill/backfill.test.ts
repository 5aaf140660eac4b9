import { describe, expect, test } from '@jest/globals';

import { backfillDates } from './backfill-dates.js';
import { estimateBackfill } from './estimate-backfill.js';
import { keepChain } from './keep-chain.js';

describe('the dates of a backfill', () => {
  const range = (from: string, to: string) => ({ from, to });

  test('are each there once, in its order', () => {
    const ranges = [range('2026-02-27', '2026-03-01'), range('2026-03-01', '2026-03-01')];
    const dates = ['2026-01-01'];
    const ascending = ['2026-01-01', '2026-02-27', '2026-02-28', '2026-03-01'];
    expect(backfillDates({ ranges, dates, order: 'asc' })).toEqual(ascending);
    expect(backfillDates({ ranges, dates, order: 'desc' })).toEqual([...ascending].reverse());
  });

  test.each([
    ['none at all', [], '/ranges'],
    ['a range backwards', [range('2026-01-02', '2026-01-01')], '/ranges/0'],
    ['eight ranges', Array.from({ length: 8 }, () => range('2026-01-01', '2026-01-01')), '/ranges'],
    ['more than ten years', [range('2010-01-01', '2026-01-01')], '/ranges'],
  ])('are refused: %s', (_, ranges, pointer) => {
    expect(() => backfillDates({ ranges, order: 'asc' })).toThrow(
      expect.objectContaining({ code: 'MR-S130', errors: [expect.objectContaining({ pointer })] }),
    );
  });
});

describe('a plan keeps', () => {
  // 0 -> 1 -> 2 -> 3, 1 -> 4
  const edges = [
    [0, 1],
    [1, 2],
    [2, 3],
    [1, 4],
  ].map(([upstream = 0, downstream = 0]) => ({ upstream, downstream }));

  test.each([
    ['what is wanted', [2], [2]],
    ['what lies between two that are wanted', [0, 3], [0, 1, 2, 3]],
    ['no ends that are not wanted', [1, 2], [1, 2]],
    ['nothing when nothing is wanted', [], []],
    ['all', [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]],
  ])('%s', (_, wanted, kept) => {
    const found = keepChain(5, edges, (place) => wanted.includes(place));
    expect([...found].sort()).toEqual(kept);
  });
});

describe('a backfill takes at least', () => {
  const date = {
    instances: [
      { ms: 10, slots: 1 },
      { ms: 20, slots: 2 },
      { ms: 5, slots: 1 },
    ],
    edges: [
      { upstream: 0, downstream: 1 },
      { upstream: 0, downstream: 2 },
    ],
  };

  test('as long as its slowest lane of dates', () => {
    expect(estimateBackfill([date, date, date], 1, 100)).toBe(90);
    expect(estimateBackfill([date, date, date], 2, 100)).toBe(60);
    expect(estimateBackfill([date, date, date], 50, 100)).toBe(30);
  });

  test('as long as its work takes the slots that it has', () => {
    expect(estimateBackfill([date, date], 2, 1)).toBe(110);
  });

  test('no time without dates', () => {
    expect(estimateBackfill([], 3, 10)).toBe(0);
  });
});
