import { shownCounts, slicesOf, totalOf } from './day-states.ts';

describe('the states of a day', () => {
  it('joins the statuses that look the same and keeps the order of the legend', () => {
    const counts = shownCounts({
      failed: 1,
      dispatched: 2,
      running: 3,
      upstream_failed: 4,
      dry_run: 5,
      waiting_resource: 0,
      waiting_upstream: 6,
    });
    expect(counts).toEqual([
      { state: 'upstream', count: 6 },
      { state: 'running', count: 5 },
      { state: 'failed', count: 1 },
      { state: 'upstreamFailed', count: 4 },
      { state: 'dryRun', count: 5 },
    ]);
    expect(totalOf(counts)).toBe(21);
  });

  it('fills the ring without a gap and shows one failure among ten thousand', () => {
    const slices = slicesOf(shownCounts({ succeeded: 9_999, failed: 1 }));
    const [first, last] = slices;
    expect(slices.map(({ state }) => state)).toEqual(['succeeded', 'failed']);
    expect(first?.start).toBe(0);
    expect(last?.start).toBeCloseTo(first?.length ?? 0);
    expect((last?.start ?? 0) + (last?.length ?? 0)).toBeCloseTo(1);
    expect(last?.length).toBeGreaterThan(0.01);
  });

  it('is empty on a day without instances', () => {
    expect(slicesOf(shownCounts({}))).toEqual([]);
  });
});
