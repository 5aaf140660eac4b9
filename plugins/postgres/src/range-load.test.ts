import { describe, expect, test } from '@jest/globals';
import { loadRange } from './range-load.js';

/** A target that refuses any range with a bad row, and may say which one it is. */
function targetOf(bad: ReadonlySet<number>, tells: boolean) {
  const taken: number[] = [];
  const refused: number[] = [];
  let sent = 0;
  return {
    taken,
    refused,
    sent: () => sent,
    put: (from: number, to: number) => {
      sent += to - from;
      for (let i = from; i < to; i++) if (bad.has(i)) return Promise.resolve({ at: i - from });
      for (let i = from; i < to; i++) taken.push(i);
      return Promise.resolve(undefined);
    },
    badRowOf: (error: unknown) => (tells ? (error as { at: number }).at : undefined),
    refuse: (index: number) => Promise.resolve(void refused.push(index)),
  };
}

describe('loading a range around bad rows', () => {
  const bad = new Set([0, 1, 5, 99, 100, 250, 999]);

  test.each([true, false])(
    'takes each good row once and refuses each bad one (named: %s)',
    async (tells) => {
      const target = targetOf(bad, tells);
      expect(await loadRange(0, 1000, target)).toBe(1000 - bad.size);
      expect(target.refused).toEqual([...bad]);
      expect(target.taken).toEqual(
        Array.from({ length: 1000 }, (_, i) => i).filter((i) => !bad.has(i)),
      );
    },
  );

  test('sends few rows again when every second one is bad', async () => {
    const half = new Set(Array.from({ length: 5000 }, (_, i) => i * 2));
    const target = targetOf(half, true);
    await loadRange(0, 10_000, target);
    expect(target.taken).toHaveLength(5000);
    expect(target.sent()).toBeLessThan(10_000 * 64);
  });
});
