import { describe, expect, test } from '@jest/globals';
import type { Chunk } from '@millrace/sdk';
import { ByteChannel } from './byte-channel.js';
import { channelBytesOf, chunkBytesOf } from './copy-slices.js';
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

const CLEAN = { rowsRead: 0, rowsDirty: 0 };

describe('chunks', () => {
  test('with dirty rows are larger, but over many channels all of these hold as much as a few', () => {
    const limiter = new RateLimiter(() => 0);
    const kilobytesOf = (rowsDirty: number): readonly number[] =>
      [1, 4, 8, 32].map(
        (channels) => chunkBytesOf(limiter, channels, { rowsRead: 1_000_000, rowsDirty }) / 1024,
      );
    expect(kilobytesOf(0)).toEqual([256, 256, 256, 256]);
    expect(kilobytesOf(10)).toEqual([256, 256, 256, 256]);
    expect(kilobytesOf(200)).toEqual([2048, 1024, 512, 256]);
    expect([1, 4, 8].map((channels) => channels * channelBytesOf(channels))).toEqual([
      4 * 1024 ** 2,
      8 * 1024 ** 2,
      8 * 1024 ** 2,
    ]);
  });

  test('are of a tenth of a second under a slow limit, for all channels together', () => {
    const { limiter } = limiterAt(0);
    limiter.change('job', { bytesPerSecond: 1_000_000 });
    expect([1, 4].map((channels) => chunkBytesOf(limiter, channels, CLEAN))).toEqual([
      100_000, 25_000,
    ]);
  });

  test('of a limit in rows are as large as the rows so far say', () => {
    const { limiter } = limiterAt(0);
    limiter.change('job', { rowsPerSecond: 1000 });
    expect(chunkBytesOf(limiter, 1, CLEAN)).toBe(1024);
    limiter.book(5000, 10);
    expect(chunkBytesOf(limiter, 1, CLEAN)).toBe(50_000);
    limiter.change('job', {});
    expect(chunkBytesOf(limiter, 1, CLEAN)).toBe(256 * 1024);
  });
});

describe('a rate limit', () => {
  test('lets bytes through at its pace, without a burst at the beginning', () => {
    const { limiter, clock } = limiterAt(0);
    limiter.change('job', { bytesPerSecond: 1000 });
    expect(limiter.book(250, 1)().ms).toBe(250);
    const second = limiter.book(500, 1);
    expect(second().ms).toBe(750);
    clock.now = 700;
    expect(second().ms).toBe(50);
    clock.now = 750;
    expect(second().ms).toBe(0);
  });

  test('gives no credit for a long pause beyond a tenth of a second', () => {
    const { limiter, clock } = limiterAt(0);
    limiter.change('job', { rowsPerSecond: 100 });
    limiter.book(0, 10);
    clock.now = 60_000;
    expect(limiter.book(0, 110)().ms).toBe(1000);
  });

  test('a timer that is late takes nothing away', () => {
    const { limiter, clock } = limiterAt(0);
    limiter.change('job', { bytesPerSecond: 1000 });
    let done = 0;
    for (let no = 1; no <= 20; no++) {
      const delay = limiter.book(250, 1);
      clock.now += delay().ms + 30;
      done += 250;
    }
    expect(clock.now).toBe(done + 30);
  });

  test('waits for the slowest of all limits, whichever unit it has', () => {
    const { limiter } = limiterAt(0);
    limiter.change('job', { bytesPerSecond: 1000, rowsPerSecond: 1 });
    limiter.change('shop_db', { bytesPerSecond: 2 });
    expect(limiter.book(10, 2)().ms).toBe(5000);
    limiter.change('shop_db', {});
    expect(limiter.book(0, 2)().ms).toBe(4000);
  });

  test('what waits follows a change: it pays the old pace until then and the new one after', () => {
    const { limiter, clock } = limiterAt(0);
    limiter.change('job', { bytesPerSecond: 100 });
    const delay = limiter.book(1000, 1);
    clock.now = 4000;
    expect(delay().ms).toBe(6000);
    limiter.change('job', { bytesPerSecond: 1200 });
    expect(delay().ms).toBe(500);
    limiter.change('job', { bytesPerSecond: 0 });
    expect(delay().ms).toBe(Infinity);
    limiter.change('job', {});
    expect(delay().ms).toBe(0);
  });

  test('a taker that sleeps is woken by a change and by the end of the job', async () => {
    const limiter = new RateLimiter(() => performance.now());
    limiter.change('job', { bytesPerSecond: 0 });
    const ending = new AbortController();
    const first = limiter.take(10, 1, ending.signal);
    limiter.change('job', {});
    await first;
    limiter.change('job', { bytesPerSecond: 0 });
    const second = limiter.take(10, 1, ending.signal);
    ending.abort(new Error('stopped'));
    await expect(second).rejects.toThrow('stopped');
    expect(limiter.drawn('job')).toMatchObject({ bytes: 20, rows: 2 });
    expect(limiter.drawn('job')).toEqual({ bytes: 0, rows: 0, heldMs: 0 });
  });
});

function limiterAt(now: number): { limiter: RateLimiter; clock: { now: number } } {
  const clock = { now };
  return { limiter: new RateLimiter(() => clock.now), clock };
}

test('the best lane of the reader that the writer takes for this mapping is used', () => {
  const plain = { convert: undefined, policies: undefined };
  const looksInto = { ...plain, convert: () => ({ kind: 'dropped' }) as const };
  const all = ['pg-copy-binary', 'pg-copy-text', 'rows'] as const;
  expect(chooseLane(all, ['pg-copy-text', 'rows'], plain)).toBe('pg-copy-text');
  expect(chooseLane(all, ['pg-copy-text', 'rows'], looksInto)).toBe('rows');
  expect(chooseLane(['pg-copy-binary', 'rows'], ['rows'], plain)).toBe('rows');
});
