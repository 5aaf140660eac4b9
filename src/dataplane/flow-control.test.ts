import { describe, expect, test } from '@jest/globals';
import type { Chunk } from '@millrace/sdk';
import { ByteChannel } from './byte-channel.js';
import { RateLimiter } from './rate-limit.js';
import { chooseLane } from './slice-pipe.js';

function chunk(byteCount: number): Chunk {
  return { lane: 'rows', rows: [], rowCount: 1, byteCount };
}

describe('a byte channel', () => {
  test('keeps the reader waiting until the writer took enough bytes', async () => {
    const channel = new ByteChannel(100);
    await channel.push(chunk(60));
    let isThrough = false;
    const pushing = channel.push(chunk(60)).then(() => (isThrough = true));
    await new Promise(setImmediate);
    expect(isThrough).toBe(false);
    const taken = channel[Symbol.asyncIterator]();
    await taken.next();
    await taken.next();
    await pushing;
    expect(channel.heldBytes).toBe(60);
  });

  test('ends both sides with the reason of a failure', async () => {
    const channel = new ByteChannel(10);
    const pushing = channel.push(chunk(10));
    const reason = new Error('target is gone');
    channel.fail(reason);
    await expect(pushing).rejects.toBe(reason);
    await expect(channel[Symbol.asyncIterator]().next()).rejects.toBe(reason);
  });

  test('gives out what waits after it was closed', async () => {
    const channel = new ByteChannel(100);
    await channel.push(chunk(1));
    await channel.push(chunk(2));
    channel.close();
    const sizes: number[] = [];
    for await (const each of channel) sizes.push(each.byteCount);
    expect(sizes).toEqual([1, 2]);
  });
});

describe('a rate limit', () => {
  test('spaces chunks by their bytes after a burst of a quarter second', () => {
    let now = 1000;
    const limiter = new RateLimiter({ bytesPerSecond: 1000 }, () => now);
    expect(limiter.delayOf(250, 1)).toBe(0);
    expect(limiter.delayOf(500, 1)).toBe(500);
    now += 500;
    expect(limiter.delayOf(100, 1)).toBe(100);
  });

  test('gives no credit for a long pause beyond the burst', () => {
    let now = 0;
    const limiter = new RateLimiter({ rowsPerSecond: 100 }, () => now);
    limiter.delayOf(0, 10);
    now = 60_000;
    expect(limiter.delayOf(0, 125)).toBe(1000);
  });

  test('waits for the slower of two limits', () => {
    const limiter = new RateLimiter({ bytesPerSecond: 1000, rowsPerSecond: 1 }, () => 1000);
    expect(limiter.delayOf(10, 2)).toBe(1750);
  });
});

test('the best lane of the reader that the writer takes for this mapping is used', () => {
  expect(
    chooseLane(['pg-copy-binary', 'pg-copy-text', 'rows'], ['pg-copy-text', 'rows'], false),
  ).toBe('pg-copy-text');
  expect(chooseLane(['pg-copy-binary', 'rows'], ['rows'], false)).toBe('rows');
});
