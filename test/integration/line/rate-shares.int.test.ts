import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CollectingLog } from '@millrace/testkit';

import { LiveChannel } from '../../../src/dataplane/live-channel.js';
import { Quarantine } from '../../../src/dataplane/quarantine.js';
import { RateLimiter } from '../../../src/dataplane/rate-limit.js';
import type { ChannelNews, RateDemands } from '../../../src/domain/channel/channel-change.js';
import type { RateLimit } from '../../../src/domain/channel/rate-limit.js';
import type { Claim, ControlAsk } from '../../../src/worker-link/worker-link.js';
import { openLimitedChannels } from '../../support/limited-channels.js';
import { type FakeWorker, Line, node } from '../../support/line.js';

interface Sharing extends AsyncDisposable {
  readonly line: Line;
  readonly workers: readonly FakeWorker[];
  readonly claims: readonly Claim[];
  limit(body: RateLimit): Promise<void>;
  /** What the worker of the attempt with this number is told. */
  news(no: number, demands: RateDemands): Promise<ChannelNews>;
  /** The shares of the attempts with these numbers, asked for by their workers. */
  ask(demands: Readonly<Record<number, number | 'all'>>): Promise<number[]>;
  /** All that is lent at this moment. */
  lent(): Promise<number>;
  /** No lease ends by itself, however slow this machine is. */
  keep(): Promise<void>;
  /** The leases of an attempt end, as after the death of its worker. */
  expire(no: number): Promise<void>;
}

/** Three workers with an attempt each, all on one data source. */
async function openSharing(): Promise<Sharing> {
  const line = await Line.open();
  await line.database.run(
    `WITH s AS (INSERT INTO secret (key_id, wrapped_key, ciphertext)
                SELECT key_id, '', '' FROM secret_key LIMIT 1 RETURNING id)
     INSERT INTO data_source (workspace_id, name, type, config, config_version, secret_id)
     SELECT $1, 'shop_db', 'mysql', '{}', 1, id FROM s`,
    [line.workspaceId],
  );
  const { workflowId } = await line.submit('w', { nodes: ['a', 'b', 'c'].map((id) => node(id)) });
  await line.database.run(`UPDATE node_version SET data_sources = '{shop_db}'`);
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const workers = [await line.worker(), await line.worker(), await line.worker()];
  const claims: Claim[] = [];
  for (const worker of workers) claims.push(...(await worker.claim(1)));
  const news = async (no: number, demands: RateDemands): Promise<ChannelNews> => {
    const { planDay, instanceId, epoch } = claims[no] as Claim;
    const workerId = workers[no]?.workerId ?? 0;
    const ask: ControlAsk = { workerId, attempts: [{ planDay, instanceId, epoch, demands }] };
    const [answer] = await line.link.control(ask);
    if (answer === undefined) throw new Error(`the attempt ${no} has no answer`);
    return answer.news;
  };
  const askFor = async (no: number, want: number | 'all'): Promise<number> => {
    const { shares } = await news(no, want === 'all' ? {} : { shop_db: { bytesPerSecond: want } });
    return shares['shop_db']?.bytesPerSecond ?? NaN;
  };
  return {
    line,
    workers,
    claims,
    limit: (body) =>
      line.database
        .run(
          `INSERT INTO rate_limit (data_source_id, body) SELECT id, $1 FROM data_source
           ON CONFLICT (data_source_id) DO UPDATE SET body = excluded.body`,
          [JSON.stringify(body)],
        )
        .then(() => undefined),
    news,
    ask: async (demands) => {
      const shares: number[] = [];
      for (const [no, want] of Object.entries(demands)) shares.push(await askFor(Number(no), want));
      return shares;
    },
    lent: async () => {
      const [row] = await line.database.rows<{ sum: number }>(
        `SELECT coalesce(sum(bytes), 0) AS sum FROM rate_share WHERE lease_until > clock_timestamp()`,
      );
      return row?.sum ?? NaN;
    },
    keep: async () => {
      await line.database.run(
        `UPDATE rate_share SET lease_until = clock_timestamp() + interval '1 h'`,
      );
    },
    expire: async (no) => {
      await line.database.run(
        `UPDATE rate_share SET lease_until = clock_timestamp() WHERE instance_id = $1`,
        [claims[no]?.instanceId],
      );
    },
    [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
  };
}

describe('the rate of a data source over all workers', () => {
  test('is shared as it is wanted, never lent twice, and comes back from the dead', async () => {
    await using sharing = await openSharing();
    const { ask, lent } = sharing;
    expect(await ask({ 0: 'all' })).toEqual([NaN]);
    await sharing.limit({ bytesPerSecond: 1200 });
    expect(await ask({ 0: 'all' })).toEqual([1200]);
    // Newcomers find nothing left; once the first has asked again there is something for the next.
    expect(await ask({ 1: 'all' })).toEqual([0]);
    expect(await ask({ 0: 'all', 1: 'all' })).toEqual([600, 600]);
    expect(await ask({ 2: 'all' })).toEqual([0]);
    expect(await ask({ 0: 'all', 1: 'all', 2: 'all' })).toEqual([400, 400, 400]);
    // Who wants little gets that, and the others the same of the rest.
    await ask({ 0: 200 });
    expect(await ask({ 0: 200, 1: 'all', 2: 'all' })).toEqual([200, 500, 500]);
    expect(await lent()).toBe(1200);
    // What nobody wants is for all.
    await ask({ 0: 200, 1: 300, 2: 100 });
    expect(await ask({ 0: 200, 1: 300, 2: 100 })).toEqual([400, 500, 300]);
    expect(await lent()).toBe(1200);
    await sharing.expire(2);
    expect(await ask({ 0: 'all', 1: 'all' })).toEqual([700, 500]);
    expect(await ask({ 0: 'all', 1: 'all' })).toEqual([600, 600]);
    // A smaller limit holds from the next call of each on: what others still have is not given again.
    await sharing.limit({ bytesPerSecond: 1000 });
    expect(await ask({ 0: 'all', 1: 'all' })).toEqual([400, 500]);
    expect(await ask({ 0: 'all' })).toEqual([500]);
    // What an attempt that has ended had is for the next one at once.
    await sharing.workers[1]?.finish(sharing.claims[1] as Claim);
    expect(await ask({ 0: 'all' })).toEqual([1000]);
    await sharing.line.database.run(`DELETE FROM rate_limit`);
    expect(await ask({ 0: 'all' })).toEqual([NaN]);
  });

  test('follows the clock of its workspace, and what was set for one instance comes with it', async () => {
    await using sharing = await openSharing();
    const { line, claims, workers } = sharing;
    const window = { from: '08:00', to: '20:00', bytesPerSecond: 300, rowsPerSecond: 30 };
    await sharing.limit({ bytesPerSecond: 1000, windows: [window] });
    line.clock.set('2026-11-21T11:59:59Z');
    expect(await sharing.ask({ 0: 'all' })).toEqual([300]);
    line.clock.set('2026-11-21T12:00:00Z');
    expect(await sharing.ask({ 0: 'all' })).toEqual([1000]);

    const [first, second] = claims;
    const [worker] = workers;
    await line.database.run(
      `UPDATE node_instance_detail SET channel = '{"dirtyLimit": {"records": 7}}' WHERE instance_id = $1`,
      [first?.instanceId],
    );
    const refOf = (claim: Claim | undefined): ControlAsk['attempts'][number] => ({
      planDay: claim?.planDay ?? '',
      instanceId: claim?.instanceId ?? 0,
      epoch: claim?.epoch ?? 0,
      progress: { rowsRead: 5 },
    });
    const workerId = worker?.workerId ?? 0;
    const ask = { workerId, attempts: [refOf(first), refOf(second)] };
    const answers = await line.link.control(ask);
    expect(answers.map(({ instanceId, news }) => [instanceId, news.change])).toEqual([
      [first?.instanceId, { dirtyLimit: { records: 7 } }],
    ]);
    expect(
      await line.database.rows(
        `SELECT instance_id AS id FROM running_attempt WHERE progress IS NOT NULL`,
      ),
    ).toEqual([{ id: first?.instanceId }]);
  });
});

/** A sync as its worker runs it: its limiter, the second hand of its worker, and channels that are so fast. */
function openSync(sharing: Sharing, no: number, channels: number, bytesPerSecond: number) {
  const limiter = new RateLimiter(() => performance.now());
  const live = new LiveChannel({
    rateLimit: undefined,
    dirtyLimit: { records: 0 },
    limiter,
    quarantine: new Quarantine(
      { records: 0 },
      () => 0,
      () => undefined,
    ),
    log: new CollectingLog(),
    localTime: () => '12:00',
    nowMs: () => performance.now(),
  });
  // Until its first share comes.
  live.hear({ change: {}, shares: { shop_db: { bytesPerSecond: 0 } }, sharesForMs: 0 });
  const all = openLimitedChannels(limiter, channels, bytesPerSecond);
  return {
    all,
    /** As the worker asks once a second. */
    ask: async () => {
      live.hear(await sharing.news(no, live.demands()));
      await sharing.keep();
    },
    [Symbol.dispose]: () => all[Symbol.dispose](),
  };
}

describe('two syncs of two workers on a data source of 1 MB/s', () => {
  beforeEach(() => {
    // The database is real, and its leases are: only what the syncs wait by is replaced.
    jest.useFakeTimers({
      now: 0,
      doNotFake: [
        'nextTick',
        'setImmediate',
        'clearImmediate',
        'queueMicrotask',
        'Date',
        'hrtime',
        'setInterval',
        'clearInterval',
      ],
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each([
    ['as fast as they may be, one with eight channels', 8, 1, 50, 50],
    ['one of them slow', 1, 1, 0.2, 50],
    ['one of them nearly as fast as its part', 4, 1, 0.45, 50],
  ])(
    'together have its rate within 2 %%: %s',
    async (_case, channelsA, channelsB, speedA, speedB) => {
      await using sharing = await openSharing();
      await sharing.limit({ bytesPerSecond: 1_000_000 });
      using a = openSync(sharing, 0, channelsA, speedA * 1_000_000);
      using b = openSync(sharing, 1, channelsB, speedB * 1_000_000);
      const seconds = async (count: number): Promise<number> => {
        const before = a.all.bytes + b.all.bytes;
        for (let second = 0; second < count; second++) {
          await a.ask();
          await jest.advanceTimersByTimeAsync(370);
          await b.ask();
          await jest.advanceTimersByTimeAsync(630);
        }
        return (a.all.bytes + b.all.bytes - before) / count;
      };
      await seconds(5);
      const found = await seconds(20);
      expect(Math.abs(found / 1_000_000 - 1) * 100).toBeLessThan(2);
    },
  );
});
