import type { Mapping } from '@millrace/sdk';
import { describe, expect, test } from '@jest/globals';
import {
  ParkingPoint,
  expectNothingLeft,
  makeJobContext,
  makeNodeContext,
  makeWriteContext,
  openCuttingProxy,
  parseConfig,
  publish,
  writeAll,
} from '@millrace/testkit';
import type { NodeType } from '@millrace/sdk';
import { logicalTypeOf } from './column-type.js';
import { PostgresReaderJob } from './reader-job.js';
import { openSession, query } from './session.js';
import { postgresSqlNode } from './sql-node.js';
import type { World } from './testing/world.js';
import { openWorld } from './testing/world.js';
import { PostgresWriterJob } from './writer-job.js';

const ID: Mapping = {
  columns: [
    {
      source: { name: 'id', nativeType: 'integer', type: logicalTypeOf('integer'), nullable: true },
      target: 'id',
    },
  ],
};
const ROWS = Array.from({ length: 30 }, (_, i) => [`${i}`]);

/** The same database for a role that has only what `grants` gives it. */
async function asRole(world: World, grants: (role: string) => string) {
  const role = `role_${Math.random().toString(36).slice(2)}`;
  await world.sql(
    `REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE ROLE ${role} LOGIN PASSWORD 'x';
     GRANT USAGE ON SCHEMA public TO ${role}; ${grants(role)}`,
  );
  const config = { ...world.dataSource.config, user: role, password: 'x' };
  return {
    dataSource: { ...world.dataSource, config },
    [Symbol.asyncDispose]: async () =>
      void (await world.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)),
  };
}

async function runNode(world: World, config: unknown, ctx: Parameters<typeof makeNodeContext>[1]) {
  const node = postgresSqlNode as unknown as NodeType<unknown>;
  await using context = await makeNodeContext([world.dataSource], ctx);
  const result = await node.run(await parseConfig(node.config, config), context);
  return { result, log: context.log };
}

describe('rights that are missing', () => {
  test('a reader without SELECT says so before it reads', async () => {
    await using world = await openWorld('CREATE TABLE t (id int)');
    await using role = await asRole(world, () => '');
    const job = new PostgresReaderJob({ table: 't' }, makeJobContext(role.dataSource));
    await job.describe();
    expect(await job.check()).toMatchObject([
      { level: 'error', code: 'MR-D106', message: expect.stringContaining('permission denied') },
    ]);
    await job.close('failed');
  });

  test('a writer without DELETE on what it replaces is refused before it writes', async () => {
    await using world = await openWorld('CREATE TABLE t (id int)');
    await using role = await asRole(world, (r) => `GRANT INSERT ON t TO ${r}`);
    const ctx = makeWriteContext(role.dataSource, ID);
    const job = new PostgresWriterJob({ table: 't', mode: 'truncate' }, ctx);
    await expect(publish(job, ROWS, 1)).rejects.toMatchObject({
      code: 'MR-D106',
      detail: expect.stringContaining('DELETE'),
    });
    await expectNothingLeft(world.leftovers);
  });

  test.each([1, 3])(
    'without the right to a ledger %d writer(s) publish at once, the plan says so and shows the statement',
    async (writers) => {
      await using world = await openWorld('CREATE TABLE t (id int)');
      await using role = await asRole(world, (r) => `GRANT INSERT ON t TO ${r}`);
      const ctx = makeWriteContext(role.dataSource, ID, { writers });
      const job = new PostgresWriterJob({ table: 't', mode: 'append' }, ctx);
      expect(await job.prepare()).toMatchObject({ label: expect.stringContaining('no ledger') });
      expect(ctx.log.text).toContain('CREATE TABLE IF NOT EXISTS "public"."millrace_ledger"');
      await writeAll(job, ROWS, writers);
      expect(await world.sql('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 0 }]);
      expect(await job.finalize()).toEqual({ rowsDeleted: 0, rowsPublished: 30 });
      expect(await world.sql('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 30 }]);
      await expectNothingLeft(world.leftovers);
    },
  );

  test('a writer that may insert and not read puts refused rows into quarantine', async () => {
    await using world = await openWorld(
      'CREATE TABLE t (id int PRIMARY KEY CHECK (id <> 20)); INSERT INTO t VALUES (7)',
    );
    await using role = await asRole(world, (r) => `GRANT INSERT ON t TO ${r}`);
    const ctx = makeWriteContext(role.dataSource, ID, { dirtyLimit: 10 });
    const job = new PostgresWriterJob({ table: 't', mode: 'append' }, ctx);
    // Refused rows of COPY BINARY get their cells by way of a table like the target, which has to be read for it.
    expect((await job.preview()).lanes).not.toContain('pg-copy-binary');
    await publish(job, [...ROWS, ['3']], 1);
    expect(ctx.dirty.map(({ cells, code }) => `${String(cells[0])} ${code}`).sort()).toEqual([
      '20 23514',
      '3 23505',
      '7 23505',
    ]);
    expect(await world.sql('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 29 }]);
  });

  test('without the right to make a staging table several writers share one transaction', async () => {
    await using world = await openWorld('CREATE TABLE t (id int)');
    const first = new PostgresWriterJob(
      { table: 't', mode: 'append' },
      makeWriteContext(world.dataSource, ID),
    );
    await publish(first, [], 1);
    await using role = await asRole(
      world,
      (r) => `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${r}`,
    );
    const ctx = makeWriteContext(role.dataSource, ID, {
      writers: 3,
      identity: { runNumber: 2, fence: '2' },
    });
    const job = new PostgresWriterJob({ table: 't', mode: 'truncate' }, ctx);
    expect(await publish(job, ROWS, 3)).toEqual({ rowsDeleted: 0, rowsPublished: 30 });
    expect(await world.sql('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 30 }]);
  });
});

describe('attempts that overlap', () => {
  test('an attempt that sleeps before its commit is ended by the next one, whose rows are there once', async () => {
    await using world = await openWorld('CREATE TABLE t (id int)');
    const parked = new ParkingPoint('writer:before-commit');
    const write = (fence: string, crashPoint?: (name: string) => Promise<void>) => {
      const ctx = makeWriteContext(world.dataSource, ID, {
        identity: { fence },
        ...(crashPoint === undefined ? {} : { crashPoint }),
      });
      return publish(new PostgresWriterJob({ table: 't', mode: 'append' }, ctx), ROWS, 1);
    };
    const asleep = write('1', parked.crashPoint);
    const woken = expect(asleep).rejects.toMatchObject({ code: 'MR-D109' });
    await parked.reached;
    await write('2');
    parked.release();
    await woken;
    expect(await world.sql('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 30 }]);
  });

  test.each([
    [1, 'append'],
    [3, 'append'],
    [3, 'truncate'],
  ] as const)(
    'a commit whose answer was lost is found by the next attempt, with %i writer(s), %s',
    async (writers, mode) => {
      await using world = await openWorld('CREATE TABLE t (id int)');
      await using proxy = await openCuttingProxy(world.dataSource.config, 'COMMIT', {
        // Several writers that replace rows commit a slice each into the staging table first.
        skip: mode === 'truncate' ? writers : 0,
      });
      const { host, port } = proxy;
      const config = { ...world.dataSource.config, host, port };
      const write = (fence: string) => {
        const dataSource = { ...world.dataSource, config };
        const ctx = makeWriteContext(dataSource, ID, { writers, identity: { fence } });
        return publish(new PostgresWriterJob({ table: 't', mode }, ctx), ROWS, writers);
      };
      await expect(write('1')).rejects.toMatchObject({ code: 'MR-D109' });
      expect(proxy.cuts()).toBe(1);
      expect(await write('2')).toEqual({ rowsDeleted: 0, rowsPublished: 30 });
      expect(await world.sql('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 30 }]);
    },
  );

  test('a script whose commit lost its answer does not run twice', async () => {
    await using world = await openWorld('CREATE TABLE t (id int)');
    await using proxy = await openCuttingProxy(world.dataSource.config, 'COMMIT');
    const { host, port } = proxy;
    const direct = world.dataSource;
    const cut = { ...world, dataSource: { ...direct, config: { ...direct.config, host, port } } };
    const config = { dataSource: 'pg', sql: 'INSERT INTO t VALUES (1)' };
    await expect(runNode(cut, config, {})).rejects.toMatchObject({ code: 'MR-D109' });
    expect(proxy.cuts()).toBe(1);
    const { log } = await runNode(cut, config, { identity: { attempt: 2, fence: '2' } });
    expect(log.text).toContain('committed already');
    expect(await world.sql('SELECT * FROM t')).toEqual([{ id: 1 }]);
  });

  test('the death of the server in the middle leaves no half of the rows', async () => {
    await using world = await openWorld('CREATE TABLE t (id int)');
    const ctx = makeWriteContext(world.dataSource, ID, {
      writers: 3,
      crashPoint: async (name) => {
        if (name !== 'writer:before-ledger') return;
        await world.sql(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        );
      },
    });
    const job = new PostgresWriterJob({ table: 't', mode: 'append' }, ctx);
    await expect(publish(job, ROWS, 3)).rejects.toMatchObject({ code: 'MR-D109' });
    expect(await world.sql('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 0 }]);
    await expectNothingLeft(world.leftovers);
  });
});

test('a session that moves rows does not wait for a lock for ever, unless the server says so', async () => {
  await using world = await openWorld('CREATE TABLE t (id int)');
  const limit = async (kind: 'data' | 'script') => {
    const session = await openSession(world.dataSource.config, kind, 'millrace test');
    const [row] = await query(session.client, 'SHOW lock_timeout');
    await session.close();
    return row?.[0];
  };
  expect([await limit('data'), await limit('script')]).toEqual(['1min', '0']);
  const database = world.dataSource.config.database;
  await world.sql(`ALTER DATABASE "${database}" SET lock_timeout = '2s'`);
  expect([await limit('data'), await limit('script')]).toEqual(['2s', '2s']);
});

describe('the SQL node', () => {
  test('logs notices and row counts with lines, and no row', async () => {
    await using world = await openWorld('CREATE TABLE t (id int, secret text)');
    const sql = `INSERT INTO t SELECT n, 'do not show' FROM generate_series(1, 3) n;

      DO $$ BEGIN RAISE NOTICE 'from the server'; END $$;
      SELECT * FROM t;`;
    const { result, log } = await runNode(world, { dataSource: 'pg', sql }, {});
    expect(result.rows).toBe(3);
    expect(log.text).toMatch(/statement 1 of 3 \(line 1\): INSERT 3 row/);
    expect(log.text).toMatch(/NOTICE: from the server/);
    expect(log.text).toMatch(/statement 3 of 3 \(line 4\): SELECT 3 row/);
    expect(log.text).not.toContain('do not show');
  });

  test("names the script's line of an error in the middle of a statement", async () => {
    await using world = await openWorld('CREATE TABLE t (id int)');
    const sql = 'SELECT 1;\nSELECT id,\n  nope\nFROM t';
    await expect(runNode(world, { dataSource: 'pg', sql }, {})).rejects.toMatchObject({
      code: 'MR-D108',
      detail: expect.stringContaining('(line 3)'),
    });
  });

  test('is cancelled on the server when it is stopped, and gives the reason of the stop', async () => {
    await using world = await openWorld('CREATE TABLE t (id int)');
    const stop = new AbortController();
    const reason = new Error('stopped by the test');
    const config = { dataSource: 'pg', sql: 'INSERT INTO t VALUES (1); SELECT pg_sleep(600)' };
    const running = runNode(world, config, { signal: stop.signal });
    setTimeout(() => stop.abort(reason), 200);
    await expect(running).rejects.toBe(reason);
    await expectNothingLeft(world.leftovers);
    expect(await world.sql('SELECT * FROM t')).toEqual([]);
  });

  test('outside a transaction each statement commits by itself, and VACUUM is possible', async () => {
    await using world = await openWorld('CREATE TABLE t (id int)');
    const config = {
      dataSource: 'pg',
      transaction: false,
      sql: 'INSERT INTO t VALUES (1); VACUUM t; SELECT 1/0',
    };
    await expect(runNode(world, config, {})).rejects.toMatchObject({ code: 'MR-D204' });
    expect(await world.sql('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 1 }]);
  });
});
