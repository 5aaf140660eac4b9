import { datesIn, lastWeek, progressOf, specOf } from './backfill-range.ts';

describe('a backfill', () => {
  it.each([
    ['2026-01-01', '2026-01-01', 1],
    ['2026-02-26', '2026-03-02', 5],
    ['2024-02-26', '2024-03-02', 6],
    // A day of 23 hours in between is a day all the same.
    ['2026-03-28', '2026-03-30', 3],
    ['2026-01-02', '2026-01-01', 0],
    ['', '2026-01-01', 0],
    ['2026-1-1', '2026-01-01', 0],
  ])('from %s to %s has %d business dates', (from, to, dates) => {
    expect(datesIn(from, to)).toBe(dates);
  });

  it('offers the last seven business dates', () => {
    expect(lastWeek('2026-03-03')).toEqual({ from: '2026-02-25', to: '2026-03-03' });
  });

  it('reads what it was asked for, also from an unknown shape', () => {
    expect(specOf({ from: 'a', to: 'b', order: 'asc', workflowId: 7 })).toEqual({
      from: 'a',
      to: 'b',
      order: 'asc',
      workflow: 'wf_7',
    });
    expect(specOf(null)).toEqual({
      from: undefined,
      to: undefined,
      order: undefined,
      workflow: undefined,
    });
  });

  it('has ended where instances succeeded, failed or were cancelled', () => {
    expect(progressOf({ succeeded: 4, failed: 1, cancelled: 2, running: 3 })).toEqual({
      total: 10,
      succeeded: 4,
      failed: 1,
      ended: 7,
    });
  });
});
