import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql from 'mysql2/promise';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase, TestServer } from '../../support/servers.js';
import { numbersOf, openReader, slicesOf } from '../../support/reader-job.js';
import { runSync } from '../../support/sync.js';

const ROWS = 2000;
const TABLE = `(n int PRIMARY KEY, amount int NOT NULL, stamp int NOT NULL)`;

async function makeSource(database: TestDatabase): Promise<void> {
  const rows = Array.from({ length: ROWS }, (_, n) => `(${n}, 100, 0)`);
  const analyze = database.server.kind === 'mysql' ? 'ANALYZE TABLE' : 'ANALYZE';
  await execute(
    database.server,
    `CREATE TABLE src ${TABLE}; INSERT INTO src VALUES ${rows.join()}; ${analyze} src`,
    database.name,
  );
}

/** One transaction that a moment either has seen or has not: it leaves the sum as it was. */
const transfer = (stamp: number): string => `START TRANSACTION;
  UPDATE src SET amount = amount - 1, stamp = ${stamp} WHERE n < 3;
  DELETE FROM src WHERE n = ${700 + (stamp % 300)};
  UPDATE src SET amount = amount + 1, stamp = ${stamp} WHERE n BETWEEN ${ROWS - 3} AND ${ROWS - 1};
  INSERT INTO src VALUES (${ROWS + stamp}, 100, 0);
  COMMIT`;

/** What is the same at every moment, and the stamps that were written together. */
async function momentOf(server: TestServer, database: string, table: string) {
  const [row] = await execute(
    server,
    `SELECT COUNT(*) AS count_all, SUM(amount) AS amount, MIN(CASE WHEN n < 3 OR n BETWEEN ${ROWS - 3} AND ${ROWS - 1} THEN stamp END) AS low,
            MAX(stamp) AS high FROM ${table}`,
    database,
  );
  const [rows, amount, low, high] = ['count_all', 'amount', 'low', 'high'].map((name) =>
    Number(row?.[name]),
  );
  return { rows, amount, torn: high !== low };
}

const servers = [testServers().postgres, ...mysqlTestServers()];

describe.each(servers.map((server) => [server.name, server] as const))(
  'a snapshot on %s',
  (_, server) => {
    test('gives the target one moment, though the source changes with every slice and beside them', async () => {
      await using source = await createDatabase(server);
      await using target = await createDatabase(testServers().postgres);
      await makeSource(source);
      await execute(target.server, `CREATE TABLE dst ${TABLE}`, target.name);
      let stamp = 0;
      let isOver = false;
      const change = () => execute(server, transfer(++stamp), source.name);
      const writer = (async () => {
        while (!isOver && stamp < 250) await change();
      })();
      const run = await runSync({
        from: { kind: server.kind, server, database: source.name },
        to: { kind: 'postgres', server: target.server, database: target.name },
        reader: { table: 'src', sliceKey: 'n' },
        writer: { table: 'dst', mode: 'append' },
        channel: { concurrency: 3 },
      }).finally(() => {
        isOver = true;
      });
      await writer;
      const said = run.log.find((line) => line.startsWith('Snapshot: '));
      expect(said).not.toMatch(/not consistent/);
      // What a long snapshot makes the source keep.
      expect(said).toMatch(
        server.kind === 'postgres' ? /oldest xmin of the server \d+/ : /history list length \d+/,
      );
      expect(stamp).toBeGreaterThan(3);
      expect(await momentOf(target.server, target.name, 'dst')).toEqual({
        rows: ROWS,
        amount: ROWS * 100,
        torn: false,
      });
    });

    test('ends the window of an incremental read where it ends itself, in all tables', async () => {
      await using source = await createDatabase(server);
      const tables = ['part_0', 'part_1'];
      const make = tables.map(
        (t, n) =>
          `CREATE TABLE ${t} ${TABLE}; INSERT INTO ${t} VALUES (${n}, 1, 1), (${n + 2}, 1, ${n + 5})`,
      );
      await execute(server, make.join('; '), source.name);
      const job = await openReader(server, source.name, { tables: ['part_[0-1]'], columns: ['n'] });
      await job.pinSnapshot?.(2);
      await execute(server, 'INSERT INTO part_0 VALUES (9, 1, 9)', source.name);
      expect(await job.window?.({ column: 'stamp', after: '1', overlap: 0 })).toBe('6');
      expect(await numbersOf(job, await slicesOf(job, 4), 2)).toEqual([2, 3]);
      await job.close('succeeded');
    });
  },
);

describe.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  'an account on %s',
  (_, server) => {
    let database: TestDatabase;
    const login = { user: '', password: 'only-select' };

    beforeAll(async () => {
      database = await createDatabase(server);
      login.user = database.name.slice(-12);
      await makeSource(database);
      await execute(
        server,
        `CREATE USER '${login.user}'@'%' IDENTIFIED BY '${login.password}'; GRANT SELECT ON \`${database.name}\`.* TO '${login.user}'@'%'`,
      );
    });
    afterAll(async () => {
      await execute(server, `DROP USER '${login.user}'@'%'`);
      await database[Symbol.asyncDispose]();
    });

    test('that may only SELECT reads without a snapshot and says why, or over one channel', async () => {
      const free = await openReader(server, database.name, { table: 'src' }, login);
      expect(await free.pinSnapshot?.(3)).toMatchObject({
        consistent: false,
        label: expect.stringMatching(/LOCK TABLES was refused.*denied/) as unknown as string,
      });
      expect(await numbersOf(free, await slicesOf(free, 8), 3)).toHaveLength(ROWS);
      await free.close('succeeded');

      const config = { table: 'src', snapshot: 'required' };
      const strict = await openReader(server, database.name, config, login);
      expect(await strict.pinSnapshot?.(3)).toMatchObject({ consistent: true, readers: 1 });
      const slices = await slicesOf(strict, 8);
      await execute(server, `DELETE FROM src WHERE n >= 1990`, database.name);
      expect(await numbersOf(strict, slices, 1)).toHaveLength(ROWS);
      await strict.close('succeeded');
    });

    test('waits for open transactions that have written, and gives up after two seconds', async () => {
      const { host, port, user, password } = server;
      const other = await mysql.createConnection({
        host,
        port,
        user,
        password,
        database: database.name,
      });
      try {
        await other.query('START TRANSACTION');
        await other.query('UPDATE src SET stamp = 1 WHERE n = 5');
        const job = await openReader(server, database.name, { table: 'src' });
        const token = await job.pinSnapshot?.(2);
        expect(token).toMatchObject({
          consistent: false,
          label: expect.stringMatching(/LOCK TABLES was refused.*imeout/) as unknown as string,
        });
        await other.query('ROLLBACK');
        expect(await job.pinSnapshot?.(2)).toMatchObject({ consistent: true });
        // Writers go on as soon as the snapshots are there.
        await other.query('UPDATE src SET stamp = 2 WHERE n = 5');
        await job.close('succeeded');
      } finally {
        await other.end();
      }
    });

    test('that reads a MyISAM table is told that it has no snapshot', async () => {
      await execute(server, 'CREATE TABLE plain (n int) ENGINE = MyISAM', database.name);
      const job = await openReader(server, database.name, { table: 'plain' });
      expect(await job.pinSnapshot?.(2)).toMatchObject({
        consistent: false,
        label: 'plain is MyISAM, which has none',
      });
      await job.close('succeeded');
    });
  },
);

describe('a snapshot that gets too old', () => {
  test('ends the run with MR-D260 and leaves the target as it was', async () => {
    const server = testServers().postgres;
    await using database = await createDatabase(server);
    await makeSource(database);
    await execute(server, `CREATE TABLE dst ${TABLE}`, database.name);
    const end = { kind: 'postgres', server, database: database.name } as const;
    const run = runSync({
      from: end,
      to: end,
      reader: {
        query: 'SELECT n, amount, stamp, pg_sleep(0.01) AS z FROM src',
        columns: ['n', 'amount', 'stamp'],
      },
      writer: { table: 'dst', mode: 'append' },
      channel: { concurrency: 2, snapshotMinutes: 0.01 },
    });
    await expect(run).rejects.toMatchObject({ code: 'MR-D260' });
    expect(await execute(server, 'SELECT * FROM dst', database.name)).toEqual([]);
  });
});
