import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PluginError } from '@millrace/sdk';
import type { AttemptIdentity } from '@millrace/sdk';
import { openCuttingProxy } from '@millrace/testkit';
import { seededNumbers, testSeed } from '../../support/seeded.js';
import type { TestDatabase } from '../../support/servers.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { SyncOptions, SyncRun } from '../../support/sync.js';
import { runSync } from '../../support/sync.js';

const ROWS = 4000;
const SEED = testSeed();
/** `npm run test:chaos -- --kills 50` asks for more. */
const CUTS = Number(process.env['MILLRACE_TEST_KILLS'] ?? 5);
const CUTS_A_RUN = 5;
const CHANNELS = 2;
const { mariadb, postgres } = testServers();
const targets = [postgres, ...mysqlTestServers()];

/** What an attempt has told of itself when it was over, well or not. */
interface Ended {
  readonly log: readonly string[];
  readonly failure?: unknown;
  readonly run?: SyncRun;
}

/** Fails as a lost connection does, behind the `nth` passing of the point. */
function loseAt(point: string, nth: number): (name: string) => Promise<void> {
  let seen = 0;
  return (name) =>
    name === point && ++seen === nth
      ? Promise.reject(new PluginError('MR-D109', 'lost by the test'))
      : Promise.resolve();
}

(mariadb === undefined ? describe.skip : describe).each(
  targets.map((server) => [server.name, server] as const),
)('a run that reads without a snapshot into %s', (_, server) => {
  let source: TestDatabase;
  let target: TestDatabase;
  let fence = 0;
  let instance = 0;

  beforeAll(async () => {
    source = await createDatabase(mariadb ?? postgres);
    target = await createDatabase(server);
    const rows = Array.from({ length: ROWS }, (_each, n) => `(${n * 10}, 'v${n}')`);
    // MyISAM has no snapshots.
    await execute(
      source.server,
      `CREATE TABLE src (id int PRIMARY KEY, v varchar(20)) ENGINE=MyISAM;
       INSERT INTO src VALUES ${rows.join()}; ANALYZE TABLE src`,
      source.name,
    );
    await execute(
      server,
      'CREATE TABLE dst (id int NOT NULL PRIMARY KEY, v varchar(20))',
      target.name,
    );
  });
  afterAll(async () => {
    await target[Symbol.asyncDispose]();
    await source[Symbol.asyncDispose]();
  });

  async function newRun(mode: string): Promise<(more?: Partial<SyncOptions>) => Promise<Ended>> {
    const instanceId = `${++instance}`;
    await execute(server, 'DELETE FROM dst', target.name);
    let attempt = 0;
    return async (more = {}) => {
      const log: string[] = [];
      const identity = {
        instanceId,
        nodeId: instanceId,
        attempt: ++attempt,
        fence: `${++fence}`,
        ...more.identity,
      };
      const options: SyncOptions = {
        from: { kind: 'mysql', server: source.server, database: source.name },
        to: { kind: server.kind, server, database: target.name },
        reader: { table: 'src' },
        writer: { table: 'dst', mode },
        channel: { concurrency: CHANNELS },
        onLog: (line) => void log.push(line),
        ...more,
        identity,
      };
      try {
        return { log, run: await runSync(options) };
      } catch (failure) {
        return { log, failure };
      }
    };
  }

  const rowsOf = async (database: TestDatabase, table: string): Promise<string[]> => {
    const rows = await execute(database.server, `SELECT id, v FROM ${table}`, database.name);
    return rows.map((row) => `${String(row['id'])} ${String(row['v'])}`).sort();
  };
  const leftovers = async (): Promise<readonly unknown[]> =>
    await execute(
      server,
      `SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'millrace_stg%'
          AND table_schema = '${server.kind === 'mysql' ? target.name : 'public'}'`,
      target.name,
    );
  const resumedOf = ({ log }: Ended): { pieces: number; all: number; rows: number } => {
    const line = log.find((each) => each.startsWith('Resumed: '));
    const [pieces = 0, all = 0, rows = 0] = (line?.match(/\d+/g) ?? []).map(Number);
    return { pieces, all, rows };
  };

  test.each(['append', 'truncate', 'upsert'])(
    'goes on behind the slices that are committed, with %s',
    async (mode) => {
      const attempt = await newRun(mode);
      const first = await attempt({ crashPoint: loseAt('sync:slice-committed', 3) });
      expect(first.failure).toMatchObject({ code: 'MR-D109' });
      expect(first.log).toContainEqual(expect.stringMatching(/^Retry: goes on behind/));
      expect(await rowsOf(target, 'dst')).toEqual([]);
      const second = await attempt({ crashPoint: loseAt('sync:before-finalize', 1) });
      expect(second.failure).toMatchObject({ code: 'MR-D109' });
      const third = await attempt();
      expect(third.failure).toBeUndefined();

      const [once, twice] = [resumedOf(second), resumedOf(third)];
      expect(once.pieces).toBeGreaterThanOrEqual(3);
      expect(once.pieces).toBeLessThan(once.all);
      expect(once.rows).toBeGreaterThan(0);
      expect(twice).toEqual({ pieces: once.all, all: once.all, rows: ROWS });
      expect(third.run).toMatchObject({ rowsRead: ROWS, rowsWritten: ROWS, rowsDirty: 0 });
      expect(await rowsOf(target, 'dst')).toEqual(await rowsOf(source, 'src'));
      expect(await leftovers()).toEqual([]);
    },
  );

  test('what it has staged goes with the next run of the node once its run is over, and not before', async () => {
    const attempt = await newRun('append');
    const nodeId = `${instance}`;
    const left = async (): Promise<Ended> => {
      const ended = await attempt({ crashPoint: loseAt('sync:slice-committed', 3) });
      expect(ended.failure).toMatchObject({ code: 'MR-D109' });
      return ended;
    };
    const runOf = async (more: Partial<AttemptIdentity>): Promise<Ended> => {
      const other = await newRun('append');
      const ended = await other({ identity: { nodeId, ...more } });
      expect(ended.failure).toBeUndefined();
      return ended;
    };
    await left();
    expect(await leftovers()).toHaveLength(2);
    const [first, next] = ['2024-04-01T00:00:00Z', '2024-04-02T00:00:00Z'];
    // A retry may still come, or the run is that of another node.
    await runOf({ scheduledTime: first, settledFence: `${fence - 1}` });
    await runOf({ scheduledTime: first, nodeId: 'another', settledFence: `${fence}` });
    expect(await leftovers()).toHaveLength(2);
    const { log } = await runOf({ scheduledTime: next, settledFence: `${fence}` });
    expect(log).toContainEqual(expect.stringMatching(/^Dropped what runs that are over have left/));
    expect(await leftovers()).toEqual([]);
    // The row in the ledger is the same for another instance with its scheduled time, as of a backfill.
    await left();
    const key = { settledFence: `${fence}` };
    expect(await leftovers()).toHaveLength(2);
    await runOf(key);
    expect(await leftovers()).toEqual([]);
  });

  test('keeps to the boundaries of its first attempt, whatever has become of the source', async () => {
    const attempt = await newRun('append');
    await attempt({ crashPoint: loseAt('sync:slice-committed', 4) });
    // Another half of the rows, so that boundaries chosen now would be others.
    await execute(
      source.server,
      `INSERT INTO src SELECT id + 5, 'late' FROM src; ANALYZE TABLE src`,
      source.name,
    );
    const second = await attempt();
    const { rows, all } = resumedOf(second);
    await execute(source.server, `DELETE FROM src WHERE v = 'late'`, source.name);
    const found = await rowsOf(target, 'dst');
    const late = found.filter((row) => row.endsWith(' late'));
    expect(found.filter((row) => !row.endsWith(' late'))).toEqual(await rowsOf(source, 'src'));
    // Each row of a slice that was not committed has its late neighbour unless a boundary is between them.
    expect(Math.abs(late.length - (ROWS - rows))).toBeLessThan(all);
    expect(late.length).toBeLessThan(ROWS);
  });

  test('begins anew when the job is another one or the run is', async () => {
    const attempt = await newRun('append');
    await attempt({ crashPoint: loseAt('sync:slice-committed', 3) });
    const reader = { table: 'src', where: 'id < 20000' };
    const other = await attempt({ reader, crashPoint: loseAt('sync:slice-committed', 3) });
    expect(resumedOf(other).all).toBe(0);
    const rerun = await attempt({ reader, identity: { runNumber: 2 } });
    expect(resumedOf(rerun).all).toBe(0);
    expect(await rowsOf(target, 'dst')).toHaveLength(2000);
    expect(await leftovers()).toEqual([]);
  });

  test('begins anew after dirty rows, so that the last attempt lists each of them', async () => {
    const attempt = await newRun('append');
    await execute(source.server, `UPDATE src SET v = NULL WHERE id IN (0, 39990)`, source.name);
    await execute(server, notNull(server.kind, true), target.name);
    try {
      const channel = { concurrency: CHANNELS, dirtyLimit: { records: 5 } };
      await attempt({ channel, crashPoint: loseAt('sync:before-finalize', 1) });
      const second = await attempt({ channel });
      expect(resumedOf(second).all).toBe(0);
      expect(second.run?.dirty).toHaveLength(2);
      expect(second.run).toMatchObject({ rowsRead: ROWS, rowsWritten: ROWS - 2, rowsDirty: 2 });
    } finally {
      await execute(server, notNull(server.kind, false), target.name);
      await execute(
        source.server,
        `UPDATE src SET v = concat('v', id / 10 DIV 1) WHERE v IS NULL`,
        source.name,
      );
    }
  });

  test('a row of the target that is in the way costs one row, whichever attempt had staged it', async () => {
    const attempt = await newRun('append');
    await execute(server, `INSERT INTO dst VALUES (0, 'old'), (39990, 'old')`, target.name);
    const channel = { concurrency: CHANNELS, dirtyLimit: { records: 5 } };
    await attempt({ channel, crashPoint: loseAt('sync:slice-committed', 5) });
    const second = await attempt({ channel });
    expect(resumedOf(second).pieces).toBeGreaterThan(0);
    expect(second.run?.dirty.map(({ cells }) => cells[0]).toSorted()).toEqual(['0', '39990']);
    const good = (await rowsOf(source, 'src')).filter((row) => !/^(0|39990) /.test(row));
    expect((await rowsOf(target, 'dst')).filter((row) => !row.endsWith(' old'))).toEqual(good);
    expect(second.run?.rowsWritten).toBe(ROWS - 2);
  });

  test(`after ${CUTS} answers to COMMIT that are lost every row is there once`, async () => {
    let lost = 0;
    for (let round = 0; lost < CUTS; round++) {
      const attempt = await newRun('append');
      // Some ten slices and one publish.
      const which = new Set(seededNumbers(SEED + round, CUTS_A_RUN, 9).map((n) => n - 1));
      await using proxy = await openCuttingProxy(server, 'COMMIT', { which });
      const { host, port } = proxy;
      const way = { ...server, host, port };
      const to = { kind: server.kind, server: way, database: target.name, tls: 'off' } as const;
      let ended = await attempt({ to });
      for (let tries = 0; ended.run === undefined && tries < 2 * CUTS_A_RUN; tries++) {
        expect(ended.failure).toMatchObject({ code: 'MR-D109' });
        ended = await attempt({ to });
      }
      expect(proxy.cuts()).toBe(CUTS_A_RUN);
      lost += proxy.cuts();
      expect(ended.run?.rowsWritten).toBe(ROWS);
      expect(await rowsOf(target, 'dst')).toEqual(await rowsOf(source, 'src'));
      expect(await leftovers()).toEqual([]);
    }
    console.log(`seed ${SEED}: ${lost} answers lost`);
  });

  test('leaves nothing behind when it will not be tried again', async () => {
    const attempt = await newRun('append');
    const point = 'sync:slice-committed';
    const crashPoint = (name: string): Promise<void> =>
      name === point
        ? Promise.reject(new PluginError('MR-D204', 'refused by the test'))
        : Promise.resolve();
    expect((await attempt({ crashPoint })).failure).toMatchObject({ code: 'MR-D204' });
    expect(await leftovers()).toEqual([]);
  });
});

function notNull(kind: 'mysql' | 'postgres', isOn: boolean): string {
  if (kind === 'mysql') return `ALTER TABLE dst MODIFY v varchar(20) ${isOn ? 'NOT NULL' : 'NULL'}`;
  return `ALTER TABLE dst ALTER v ${isOn ? 'SET' : 'DROP'} NOT NULL`;
}

test('slices of one snapshot are read anew, from an empty staging table', async () => {
  await using source = await createDatabase(postgres);
  await using target = await createDatabase(postgres);
  await execute(
    postgres,
    `CREATE TABLE src AS SELECT n AS id FROM generate_series(1, ${ROWS}) n; ANALYZE src`,
    source.name,
  );
  await execute(postgres, 'CREATE TABLE dst (id int)', target.name);
  const log: string[] = [];
  const run = (attempt: number, crashPoint: (name: string) => Promise<void>) =>
    runSync({
      from: { kind: 'postgres', server: postgres, database: source.name },
      to: { kind: 'postgres', server: postgres, database: target.name },
      reader: { table: 'src' },
      writer: { table: 'dst', mode: 'truncate' },
      channel: { concurrency: CHANNELS },
      identity: { attempt, fence: `${attempt}` },
      onLog: (line) => void log.push(line),
      crashPoint,
    });
  await expect(run(1, loseAt('sync:slice-committed', 3))).rejects.toMatchObject({
    code: 'MR-D109',
  });
  await execute(postgres, 'DELETE FROM src WHERE id > 3000', source.name);
  const second = await run(2, () => Promise.resolve());
  expect(second).toMatchObject({ rowsRead: 3000, rowsWritten: 3000 });
  expect(log.filter((line) => line.startsWith('Retry: begins anew; all slices'))).toHaveLength(2);
  expect(await execute(postgres, 'SELECT count(*)::int AS n FROM dst', target.name)).toEqual([
    { n: 3000 },
  ]);
});
