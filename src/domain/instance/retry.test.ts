import { describe, expect, test } from '@jest/globals';

import { isRetried, retryDelayMs } from './retry.js';

const MINUTE = 60_000;

describe('the wait before a retry', () => {
  const delays = (factor: number, capMs: number): number[] =>
    [1, 2, 3, 4, 5].map((attempt) => retryDelayMs(attempt, { intervalMs: MINUTE, factor, capMs }));

  test('is the same each time without a back-off', () => {
    expect(delays(1, 30 * MINUTE)).toEqual([MINUTE, MINUTE, MINUTE, MINUTE, MINUTE]);
  });

  test('grows by the factor and stops at the cap', () => {
    expect(delays(2, 6 * MINUTE).map((ms) => ms / MINUTE)).toEqual([1, 2, 4, 6, 6]);
    expect(delays(1.5, 30 * MINUTE)).toEqual([60_000, 90_000, 135_000, 202_500, 303_750]);
  });

  test('of the tenth retry with the largest factor is the cap, not a number past all dates', () => {
    expect(retryDelayMs(10, { intervalMs: 30 * MINUTE, factor: 10, capMs: 60 * MINUTE })).toBe(
      60 * MINUTE,
    );
  });
});

describe('a failed execution', () => {
  const policy = { max: 2, rerunMode: 'always' } as const;

  test('comes again until the retries are used up', () => {
    expect([1, 2, 3].map((attempt) => isRetried(undefined, attempt, policy))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('that ran into its time limit never comes again', () => {
    expect(isRetried('MR-S202', 1, policy)).toBe(false);
  });

  test('comes again when reruns are for failures only, and never when there are none', () => {
    expect(isRetried(undefined, 1, { max: 2, rerunMode: 'on_failure' })).toBe(true);
    expect(isRetried(undefined, 1, { max: 2, rerunMode: 'never' })).toBe(false);
  });
});
