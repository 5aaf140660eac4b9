import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PluginError } from '@millrace/sdk';
import type { AttemptIdentity } from '@millrace/sdk';

import type { TestDatabase } from '../../support/servers.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { SyncOptions, SyncRun } from '../../support/sync.js';
import { runSync } from '../../support/sync.js';

const ROWS = 2000;
const { mariadb, postgres } = testServers();
/** Longer than this a name is refused, or cut without a word. */
const LONGEST = { mysql: 64, postgres: 63 } as const;

interface Ended {
  readonly log: readonly string[];
  readonly failure?: unknown;
  readonly run?: SyncRun;
}

/** Fails as a lost connection does, when the point is first passed. */
function loseAt(point: string): (name: string) => Promise<void> {
  let isLost = false;
  return (name) => {
    if (name !== point || isLost) return Promise.resolve();
    isLost = true;
    return Promise.reject(new PluginError('MR-D109', 'lost by the test'));
  };
}

/** Waits at the point until it is told to go on. */
function parkAt(point: string) {
  let arrive = (): void => undefined;
  let goOn = (): void => undefined;
  const there = new Promise<void>((resolve) => (arrive = resolve));
  const going = new Promise<void>((resolve) => (goOn = resolve));
  const crashPoint = async (name: string): Promise<void> => {
    if (name !== point) return;
    arrive();
    await going;
  };
  return { crashPoint, there, goOn: () => goOn() };
}

const targets = [postgres, ...mysqlTestServers()];

(mariadb === undefined ? describe.skip : describe).each(
  targets.map((server) => [server.name, server] as const),
)('staging tables on %s', (_, server) => {
  let source: TestDatabase;
  let target: TestDatabase;
  let fence = 100;

  beforeAll(async () => {
    source = await createDatabase(mariadb ?? postgres);
    target = await createDatabase(server);
    const rows = Array.from({ length: ROWS }, (_each, n) => `(${n * 10}, 'v${n}')`);
    // MyISAM has no snapshots, so that slices are stored.
    await execute(
      source.server,
      `CREATE TABLE src (id int PRIMARY KEY, v varchar(20)) ENGINE=MyISAM;
       INSERT INTO src VALUES ${rows.join()}; ANALYZE TABLE src`,
      source.name,
    );
  });
  afterAll(async () => {
    await target[Symbol.asyncDispose]();
    await source[Symbol.asyncDispose]();
  });

  const sql = (text: string) => execute(server, text, target.name);
  const makeTable = (name: string) =>
    sql(`CREATE TABLE ${name} (id int NOT NULL PRIMARY KEY, v varchar(20))`);

  async function attempt(
    node: string,
    table: string,
    more: Partial<Omit<SyncOptions, 'identity'>> & { identity?: Partial<AttemptIdentity> } = {},
  ): Promise<Ended> {
    const log: string[] = [];
    const { identity, ...options } = more;
    try {
      const run = await runSync({
        from: { kind: 'mysql', server: source.server, database: source.name },
        to: { kind: server.kind, server, database: target.name },
        reader: { table: 'src' },
        writer: { table, mode: 'truncate' },
        channel: { concurrency: 2 },
        onLog: (line) => void log.push(line),
        ...options,
        identity: { nodeId: node, instanceId: node, fence: `${++fence}`, ...identity },
      });
      return { log, run };
    } catch (failure) {
      return { log, failure };
    }
  }

  /** An attempt whose connection is lost once slices are committed: a retry goes on with what it has staged. */
  async function lost(...args: Parameters<typeof attempt>): Promise<readonly string[]> {
    const before = await leftovers();
    const [node, table, more] = args;
    const ended = await attempt(node, table, {
      crashPoint: loseAt('sync:before-finalize'),
      ...more,
    });
    expect(ended.failure).toMatchObject({ code: 'MR-D109' });
    return (await leftovers()).filter((name) => !before.includes(name));
  }

  async function leftovers(): Promise<readonly string[]> {
    const schema = server.kind === 'mysql' ? target.name : 'public';
    const rows = await sql(
      `SELECT table_name AS name FROM information_schema.tables
        WHERE table_schema = '${schema}' AND table_name LIKE 'millrace%'
          AND table_name <> 'millrace_ledger' ORDER BY 1`,
    );
    return rows.map((row) => String(row['name']));
  }

  const count = async (table: string): Promise<number> =>
    Number((await sql(`SELECT count(*) AS n FROM ${table}`))[0]?.['n']);

  const dropped = ({ log }: Ended): readonly string[] =>
    log
      .filter((line) => line.startsWith('Dropped what runs that are over have left: '))
      .flatMap((line) => line.slice(line.indexOf(': ') + 2).split(', '));

  test('have names that the server takes whole, whatever the table, the instance and the fence', async () => {
    const table = 't'.repeat(LONGEST[server.kind]);
    await makeTable(table);
    for (const [instanceId, shown] of [
      ['12345678901', '12345678901'],
      ['9223372036854775807', '[0-9a-f]{16}'],
    ] as const) {
      // The fence of a replay is above that of every run.
      const replay = (no: bigint) => ({
        instanceId,
        scheduledTime: 'replay:9223372036854775806',
        fence: String(10n ** 30n + 9223372036854775800n + no),
      });
      const names = await lost(instanceId, table, { identity: replay(1n) });
      expect(names).toHaveLength(2);
      const pattern = new RegExp(`^millrace_stg_[0-9a-f]{8}_${shown}_x[0-9a-z]{20}(_s)?$`);
      for (const name of names) {
        expect(name).toMatch(pattern);
        expect(name.length).toBeLessThanOrEqual(LONGEST[server.kind]);
      }
      const again = await attempt(instanceId, table, { identity: replay(2n) });
      expect(again.log).toContainEqual(expect.stringMatching(/^Resumed: /));
      expect(await count(table)).toBe(ROWS);
      expect(await leftovers()).toEqual([]);
    }
  });

  test('of a run stay while rows of the same instance are replayed, and of another installation always', async () => {
    await makeTable('dst_twice');
    const parked = parkAt('sync:before-finalize');
    const run = attempt('7', 'dst_twice', { crashPoint: parked.crashPoint });
    await parked.there;
    const both = await leftovers();
    expect(both).toHaveLength(2);
    const replay = { scheduledTime: 'replay:1', fence: String(10n ** 30n + 1n) };
    await makeTable('dst_replayed');
    for (const identity of [replay, { installation: 'another' }]) {
      expect((await attempt('7', 'dst_replayed', { identity })).failure).toBeUndefined();
      expect(await leftovers()).toEqual(both);
    }
    parked.goOn();
    expect((await run).failure).toBeUndefined();
    expect(await count('dst_twice')).toBe(ROWS);
    expect(await leftovers()).toEqual([]);
  });

  test('go with any run to the data source when nobody will go on with them, and never those of a living run', async () => {
    for (const table of ['dst_old', 'dst_live', 'dst_swap', 'dst_any']) await makeTable(table);
    const slicesOf = (names: readonly string[]): string =>
      names.find((name) => name.endsWith('_s')) ?? '';
    const weekAgo =
      server.kind === 'mysql' ? 'now() - INTERVAL 8 DAY' : "now() - interval '8 days'";
    const age = async (names: readonly string[]) =>
      void (await sql(`UPDATE ${slicesOf(names)} SET kept_at = ${weekAgo}`));

    const young = await lost('21', 'dst_old');
    const old = await lost('22', 'dst_old');
    const begun = (await lost('23', 'dst_old')).filter((name) => name !== slicesOf([name]));
    await age(old);
    // As a process that was killed before it had stored its slices leaves it.
    await sql(`DROP TABLE ${begun.join('')}_s`);
    const foreign = 'millrace_stg_of_somebody_1';
    await makeTable(foreign);

    const before = await leftovers();
    const live = parkAt('sync:before-finalize');
    const living = attempt('31', 'dst_live', { crashPoint: live.crashPoint });
    await live.there;
    const ofLiving = (await leftovers()).filter((name) => !before.includes(name));
    await age(ofLiving);
    const swap = parkAt('sync:before-finalize');
    const swapped = attempt('32', 'dst_swap', {
      writer: { table: 'dst_swap', mode: 'replace-swap' },
      crashPoint: swap.crashPoint,
    });
    await swap.there;
    const ofSwap = (await leftovers()).filter(
      (name) => !before.includes(name) && !ofLiving.includes(name),
    );
    expect([ofLiving.length, ofSwap.length]).toEqual([2, 1]);

    const one = parkAt('sync:before-finalize');
    const other = attempt('33', 'dst_any', { crashPoint: one.crashPoint });
    const ended = await attempt('34', 'dst_old', { writer: { table: 'dst_old', mode: 'append' } });
    await one.there;
    one.goOn();
    expect((await other).failure).toBeUndefined();
    expect(ended.failure).toBeUndefined();
    expect(await leftovers()).toEqual(
      [...young, ...ofLiving, ...ofSwap, foreign].toSorted((a, b) => (a < b ? -1 : 1)),
    );

    live.goOn();
    swap.goOn();
    for (const each of [await living, await swapped]) expect(each.failure).toBeUndefined();
    expect([await count('dst_live'), await count('dst_swap')]).toEqual([ROWS, ROWS]);
    expect(dropped(await living).toSorted()).toEqual([...begun, ...old].toSorted());
    const retry = await attempt('21', 'dst_old');
    expect(retry.log).toContainEqual(expect.stringMatching(/^Resumed: /));
    expect(await leftovers()).toEqual([foreign]);
  });

  // A swap on PostgreSQL is one transaction and leaves nothing.
  if (server.kind === 'mysql')
    test('what a swap has replaced goes too, unless the ledger still wants to know how the swap ended', async () => {
      const before = await leftovers();
      const swapLost = async (node: string, point: string): Promise<string> => {
        await makeTable(`dst_${node}`);
        const names = await lost(node, `dst_${node}`, {
          writer: { table: `dst_${node}`, mode: 'replace-swap' },
          crashPoint: loseAt(point),
        });
        expect(names).toHaveLength(1);
        return names[0] ?? '';
      };
      const open = await swapLost('41', 'swap:after-rename');
      const done = await swapLost('42', 'swap:after-done');
      await makeTable('dst_43');
      const ended = await attempt('43', 'dst_43');
      expect(ended.failure).toBeUndefined();
      expect(dropped(ended)).toEqual([done]);
      expect(await leftovers()).toEqual([...before, open].toSorted((a, b) => (a < b ? -1 : 1)));
      const retry = await attempt('41', 'dst_41', {
        writer: { table: 'dst_41', mode: 'replace-swap' },
      });
      expect(retry.run).toMatchObject({ wasPublished: true, rowsWritten: ROWS });
      expect(await leftovers()).toEqual(before);
    });
});
