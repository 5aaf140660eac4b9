import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { openLimitedChannels } from '../../test/support/limited-channels.js';
import type { Rate } from '../domain/channel/rate-limit.js';
import { RateLimiter } from './rate-limit.js';

const MB = 1_000_000;
const REACH_PCT = 2;
const SECONDS = 30;
const SETTLE_MS = 5000;

describe('a rate is held to 2 %', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** In per cent of `perSecond`, while so many seconds pass. */
  async function errorPct(amount: () => number, perSecond: number): Promise<number> {
    const before = amount();
    await jest.advanceTimersByTimeAsync(SECONDS * 1000);
    return Math.abs((amount() - before) / SECONDS / perSecond - 1) * 100;
  }

  test.each([1, 4, 16])('in bytes and in rows, by %d channels of any speed', async (channels) => {
    const found: [string, number, number][] = [];
    for (const speed of [1.25, 2, 5, 100]) {
      for (const rate of [
        { bytesPerSecond: MB },
        { rowsPerSecond: 2000 },
        { rowsPerSecond: 200 },
      ]) {
        const limiter = new RateLimiter(() => performance.now());
        limiter.change('job', rate);
        const isBytes = 'bytesPerSecond' in rate;
        const bytes = isBytes ? MB : rate.rowsPerSecond * 120;
        using all = openLimitedChannels(limiter, channels, bytes * speed);
        const error = await errorPct(
          () => (isBytes ? all.bytes : all.rows),
          isBytes ? MB : rate.rowsPerSecond,
        );
        found.push([JSON.stringify(rate), speed, error]);
      }
    }
    expect(found.filter(([, , error]) => error > REACH_PCT)).toEqual([]);
  });

  test.each([1, 4])('also after it was changed while %d channels read', async (channels) => {
    const limiter = new RateLimiter(() => performance.now());
    using all = openLimitedChannels(limiter, channels, 50 * MB);
    const found: number[] = [];
    const change = async (rate: Rate): Promise<void> => {
      limiter.change('job', rate);
      // What was read before has chunks of another size.
      await jest.advanceTimersByTimeAsync(SETTLE_MS);
    };
    for (const rate of [4 * MB, MB / 10, 8 * MB, MB]) {
      await change({ bytesPerSecond: rate });
      found.push(await errorPct(() => all.bytes, rate));
    }
    for (const rate of [1000, 100, 20_000]) {
      await change({ rowsPerSecond: rate });
      found.push(await errorPct(() => all.rows, rate));
    }
    expect(Math.max(...found)).toBeLessThan(REACH_PCT);
  });
});
