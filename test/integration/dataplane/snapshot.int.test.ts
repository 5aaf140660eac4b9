import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createDatabase,
  execute,
  mysqlTestServers,
  openSession,
  testServers,
} from '../../support/servers.js';
import type { TestDatabase, TestServer } from '../../support/servers.js';
import { numbersOf, openReader, slicesOf } from '../../support/reader-job.js';
import { runSync } from '../../support/sync.js';

const ROWS = 2000;
const CHANNELS = 4;
const WRITES_PER_SECOND = 500;
/** Between the beginning of the first slice and its first row, and then before each further slice. */
const LEAST_WRITES = 250;
const WRITES_PER_SLICE = 10;
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

/** Keys from here to the next edge move away and back; those before it give to those behind it. */
const EDGES = [500, 1500] as const;

/** Amounts and one key that change together; the sum and the count of all rows stay as they are. */
function changeOf(stamp: number) {
  const [low, high] = EDGES;
  const giver = (7 * stamp) % low;
  const lap = Math.floor(stamp / (high - low));
  const home = low + (stamp % (high - low));
  const [from, to] = lap % 2 === 0 ? [home, home + ROWS] : [home + ROWS, home];
  return { giver, taker: giver + high, amount: stamp % 5, from, to };
}

const transactionOf = (stamp: number): string => {
  const { giver, taker, amount, from, to } = changeOf(stamp);
  return `START TRANSACTION;
    UPDATE src SET amount = amount - ${amount}, stamp = ${stamp} WHERE n = ${giver};
    UPDATE src SET n = ${to} WHERE n = ${from};
    UPDATE src SET amount = amount + ${amount}, stamp = ${stamp} WHERE n = ${taker};
    COMMIT`;
};

/** The rows after all transactions up to that of `last`, by their keys. */
function rowsAt(last: number): readonly (readonly [number, number, number])[] {
  const rows = new Map(Array.from({ length: ROWS }, (_, n) => [n, { amount: 100, stamp: 0 }]));
  for (let stamp = 1; stamp <= last; stamp++) {
    const { giver, taker, amount, from, to } = changeOf(stamp);
    rows.set(giver, { amount: (rows.get(giver)?.amount ?? NaN) - amount, stamp });
    rows.set(taker, { amount: (rows.get(taker)?.amount ?? NaN) + amount, stamp });
    rows.set(to, rows.get(from) ?? { amount: NaN, stamp: NaN });
    rows.delete(from);
  }
  return [...rows]
    .map(([n, { amount, stamp }]) => [n, amount, stamp] as const)
    .toSorted(([a], [b]) => a - b);
}

/** Writes some 500 transactions a second, one after another, until it is disposed of. */
async function openWriter(server: TestServer, database: string) {
  const session = await openSession(server, database);
  const writer = { stamp: 0 };
  let isOver = false;
  const writing = (async () => {
    for (const start = performance.now(); !isOver;) {
      await session.run(transactionOf(writer.stamp + 1));
      writer.stamp += 1;
      const early = writer.stamp * (1000 / WRITES_PER_SECOND) - (performance.now() - start);
      if (early > 0) await sleep(early);
    }
  })();
  return {
    writer,
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      try {
        await writing;
      } finally {
        await session[Symbol.asyncDispose]();
      }
    },
  };
}

/**
 * Copies while the source is written to, so slowly that each slice sees another state of it; the target has
 * to be as the source was at one moment. Gives what the log says of the snapshot.
 */
async function copyWhileWritten(
  source: TestDatabase,
  from: TestServer,
  snapshot: 'preferred' | 'required',
): Promise<string | undefined> {
  await using target = await createDatabase(testServers().postgres);
  await execute(target.server, `CREATE TABLE dst ${TABLE}`, target.name);
  await using writing = await openWriter(source.server, source.name);
  const { writer } = writing;
  let before = NaN;
  const run = await runSync({
    from: { kind: from.kind, server: from, database: source.name },
    to: { kind: 'postgres', server: target.server, database: target.name },
    reader: { table: 'src', sliceKey: 'n', snapshot },
    writer: { table: 'dst', mode: 'append' },
    channel: { concurrency: CHANNELS },
    crashPoint: async (name) => {
      if (name !== 'sync:slice-begun') return;
      if (Number.isNaN(before)) before = writer.stamp;
      const until = Math.max(before + LEAST_WRITES, writer.stamp + WRITES_PER_SLICE);
      while (writer.stamp < until) await sleep(5);
    },
  });
  const writes = writer.stamp - before;
  const found = await execute(
    target.server,
    'SELECT n, amount, stamp FROM dst ORDER BY n',
    target.name,
  );
  const rows = found.map(({ n, amount, stamp }) => [n, amount, stamp].map(Number));
  const moment = Math.max(...rows.map((row) => row[2] ?? NaN));
  expect(rows).toEqual(rowsAt(moment));
  expect(rows).toHaveLength(ROWS);
  expect(rows.reduce((sum, row) => sum + (row[1] ?? NaN), 0)).toBe(ROWS * 100);
  expect(writes).toBeGreaterThan(LEAST_WRITES);
  return run.log.find((line) => line.startsWith('Snapshot: '));
}

const servers = [testServers().postgres, ...mysqlTestServers()];

describe.each(servers.map((server) => [server.name, server] as const))(
  'a snapshot on %s',
  (_, server) => {
    test('gives the target one moment over four channels, though the source takes 500 writes a second', async () => {
      await using source = await createDatabase(server);
      await makeSource(source);
      const said = await copyWhileWritten(source, server, 'preferred');
      expect(said).not.toMatch(/not consistent/);
      // What a long snapshot makes the source keep.
      expect(said).toMatch(
        server.kind === 'postgres' ? /oldest xmin of the server \d+/ : /history list length \d+/,
      );
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

    test('that may only SELECT gets one moment over one connection, at 500 writes a second', async () => {
      await using source = await createDatabase(server);
      await makeSource(source);
      await execute(server, `GRANT SELECT ON \`${source.name}\`.* TO '${login.user}'@'%'`);
      const said = await copyWhileWritten(source, { ...server, ...login }, 'required');
      expect(said).not.toMatch(/not consistent/);
    });

    test('waits for open transactions that have written, and gives up after two seconds', async () => {
      await using other = await openSession(server, database.name);
      await other.run('START TRANSACTION');
      await other.run('UPDATE src SET stamp = 1 WHERE n = 5');
      const job = await openReader(server, database.name, { table: 'src' });
      const token = await job.pinSnapshot?.(2);
      expect(token).toMatchObject({
        consistent: false,
        label: expect.stringMatching(/LOCK TABLES was refused.*imeout/) as unknown as string,
      });
      await other.run('ROLLBACK');
      expect(await job.pinSnapshot?.(2)).toMatchObject({ consistent: true });
      // Writers go on as soon as the snapshots are there.
      await other.run('UPDATE src SET stamp = 2 WHERE n = 5');
      await job.close('succeeded');
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
