import { describe, expect, test } from '@jest/globals';
import type { Progress } from '@millrace/sdk';
import type { ChannelNews } from '../domain/channel/channel-change.js';
import type { RateLimit } from '../domain/channel/rate-limit.js';
import { LiveChannel } from './live-channel.js';
import { Quarantine } from './quarantine.js';
import { RateLimiter } from './rate-limit.js';
import { SyncCounters } from './sync-counters.js';

function openLive(rateLimit?: RateLimit) {
  const clock = { now: 0, time: '12:00' };
  const log: string[] = [];
  const note = (text: string): void => void log.push(text);
  const limiter = new RateLimiter(() => clock.now);
  const quarantine = new Quarantine(
    { records: 0 },
    () => 100,
    () => undefined,
  );
  const live = new LiveChannel({
    rateLimit,
    dirtyLimit: { records: 0 },
    limiter,
    quarantine,
    log: { info: note, warn: note, error: note, write: () => undefined },
    localTime: () => clock.time,
    nowMs: () => clock.now,
  });
  return { clock, log, limiter, quarantine, live };
}

function news(more: Partial<ChannelNews>): ChannelNews {
  return { change: {}, shares: {}, sharesForMs: 3000, ...more };
}

describe('the limits of a running sync', () => {
  test('follow the clock into a window and out of it', () => {
    const window = { from: '13:00', to: '14:00', bytesPerSecond: 50 };
    const { clock, limiter, live, log } = openLive({ bytesPerSecond: 100, windows: [window] });
    expect(limiter.bytesPerSecond).toBe(100);
    clock.time = '13:00';
    live.apply();
    live.apply();
    expect(limiter.bytesPerSecond).toBe(50);
    clock.time = '14:00';
    live.apply();
    expect(limiter.bytesPerSecond).toBe(100);
    expect(log).toEqual([
      'Rate limit: 0.0001 MB/s. Dirty records allowed: 0 records.',
      'Rate limit: 0.00005 MB/s. Dirty records allowed: 0 records.',
      'Rate limit: 0.0001 MB/s. Dirty records allowed: 0 records.',
    ]);
  });

  test('are changed by the line, and go back to what the node says', () => {
    const { limiter, live } = openLive({ bytesPerSecond: 100 });
    live.hear(news({ change: { rateLimit: { bytesPerSecond: 7 } } }));
    expect(limiter.bytesPerSecond).toBe(7);
    live.hear(news({ change: { rateLimit: null } }));
    expect(limiter.bytesPerSecond).toBe(Infinity);
    live.hear(news({}));
    expect(limiter.bytesPerSecond).toBe(100);
  });

  test('a share that was not renewed is not used any more', () => {
    const { clock, limiter, live } = openLive();
    live.hear(news({ shares: { shop_db: { bytesPerSecond: 1000 } } }));
    const delay = limiter.book(10_000, 1);
    clock.now = 3000;
    live.apply();
    expect(delay().ms).toBe(7000);
    clock.now = 3001;
    live.apply();
    expect(delay().ms).toBe(Infinity);
    live.hear(news({ shares: { shop_db: { bytesPerSecond: 6999 } } }));
    expect(delay().ms).toBe(1000);
    live.hear(news({}));
    expect(delay().ms).toBe(0);
  });

  test('asks for what it would use without the time in which it was held', async () => {
    const { clock, limiter, live } = openLive();
    const shares = news({ shares: { shop_db: { bytesPerSecond: 1000 } } });
    live.hear(shares);
    const { signal } = new AbortController();
    const taking = [limiter.take(1000, 10, signal), limiter.take(500, 5, signal)];
    clock.now = 1500;
    live.hear(shares);
    await Promise.all(taking);
    clock.now = 2000;
    expect(live.demands()).toEqual({ shop_db: { bytesPerSecond: 3060, rowsPerSecond: 31 } });
  });

  test('asks for what it used and some more, or for all it can get where it was held', async () => {
    const { clock, limiter, live } = openLive();
    const share = { bytesPerSecond: 1000 };
    live.hear(news({ shares: { shop_db: share, lake: { bytesPerSecond: 10 } } }));
    const taking = limiter.take(100, 4, new AbortController().signal);
    clock.now = 10_000;
    live.hear(news({ shares: { shop_db: share, lake: { bytesPerSecond: 10 } } }));
    await taking;
    expect(live.demands()).toEqual({ shop_db: { bytesPerSecond: 11, rowsPerSecond: 1 } });
  });

  test('a smaller dirty limit fails a run that has more already', async () => {
    const { live, quarantine } = openLive();
    live.hear(news({ change: { dirtyLimit: { records: 5 } } }));
    const record = { sliceNo: 0, cells: [], code: '22001', reason: 'too long' };
    for (let no = 0; no < 5; no++) await quarantine.add(record);
    await quarantine.enforce();
    live.hear(news({ change: { dirtyLimit: { records: 4 } } }));
    await expect(quarantine.enforce()).rejects.toMatchObject({ code: 'MR-D201' });
    live.hear(news({ change: { dirtyLimit: { ratio: 0.05 } } }));
    await quarantine.close();
    live.hear(news({ change: { dirtyLimit: { ratio: 0.049 } } }));
    await expect(quarantine.close()).rejects.toThrow('allowed: 4.9 % of the rows read');
  });
});

test('statistics tell the last second, who is waited for, and at the end the whole run', async () => {
  const clock = { now: 0 };
  const told: Progress[] = [];
  const counters = new SyncCounters({
    progress: (progress) => void told.push(progress),
    nowMs: () => clock.now,
    rowsTotal: 1000,
  });
  counters.channels = 2;
  counters.slices = 4;
  counters.read(100, 5000);
  clock.now = 400;
  let credit = (): void => undefined;
  const waiting = counters.waits.reader.during(new Promise<void>((resolve) => (credit = resolve)));
  clock.now = 1000;
  counters.acknowledged(50, 2500);
  counters.dirty({ cells: ['abc', null, Buffer.of(1, 2)] });
  counters.dirty({ cells: [], original: { place: 'a.csv, line 2', bytes: Buffer.alloc(10) } });
  counters.sample();
  expect(told.at(-1)?.sync).toEqual({
    lane: null,
    slices: 4,
    slicesDone: 0,
    perSecond: {
      rowsRead: 100,
      bytesRead: 5000,
      rowsAcknowledged: 50,
      bytesAcknowledged: 2500,
      rowsDirty: 2,
      bytesDirty: 15,
    },
    waits: { reader: 0.3, writer: 0, rateLimit: 0 },
    bottleneck: 'target',
    secondsLeft: 9,
  });
  credit();
  await waiting;
  clock.now = 2000;
  counters.written(100);
  counters.end();
  expect(told.at(-1)).toMatchObject({
    rowsWritten: 100,
    sync: { slicesDone: 1, secondsLeft: 0, perSecond: { rowsRead: 50, bytesRead: 2500 } },
  });
  const at = new Date('2026-03-02T00:00:02Z');
  const lines = counters.summary({ rowsPublished: 100, rowsDeleted: 0 }, [], at);
  expect(lines.slice(-7)).toEqual([
    'Start time:      2026-03-02T00:00:00.000Z',
    'End time:        2026-03-02T00:00:02.000Z',
    'Elapsed:         2.00 s',
    'Average traffic: 2500 bytes/s',
    'Average speed:   50 rows/s',
    'Rows read:       100',
    'Rows failed:     2',
  ]);
});
