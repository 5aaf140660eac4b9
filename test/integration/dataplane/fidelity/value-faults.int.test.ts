import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DirtyRecord } from '@millrace/sdk';
import type { Lane } from '@millrace/sdk';

import { OwnMysql } from '../../../support/own-mysql.js';
import {
  createDatabase,
  execute,
  mysqlTestServers,
  testServers,
} from '../../../support/servers.js';
import type { TestDatabase } from '../../../support/servers.js';
import { runSync } from '../../../support/sync.js';
import type { SyncEnd } from '../../../support/sync.js';

const LANES: readonly Lane[] = ['rows', 'pg-copy-text'];
const LINES = 2000;

function endOf({ server, name }: TestDatabase): SyncEnd {
  return { kind: server.kind, server, database: name };
}

async function withFile<T>(bytes: Buffer, use: (end: SyncEnd) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-values-'));
  try {
    await writeFile(join(root, 'in.csv'), bytes);
    return await use({ kind: 'file', root });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function csv(line: (i: number) => string): Buffer {
  const lines = Array.from({ length: LINES }, (_, i) => line(i));
  return Buffer.from(`id,n,t\n${lines.join('\n')}\n`);
}

const COLUMNS = [
  { name: 'id', type: 'integer' },
  { name: 'n', type: 'decimal' },
  { name: 't', type: 'text' },
] as const;

describe.each([testServers().postgres, ...mysqlTestServers()].map((s) => [s.name, s] as const))(
  'a CSV file for %s',
  (_name, server) => {
    const table = 'CREATE TABLE dst (id int PRIMARY KEY, n decimal(10,2), t varchar(20))';
    const before = "INSERT INTO dst VALUES (-1, 1, 'before')";
    const rowsOf = async (db: TestDatabase): Promise<number> =>
      Number((await execute(db.server, 'SELECT COUNT(*) AS n FROM dst', db.name))[0]?.['n']);

    test('with 10 % bad values: each is a dirty record, all others arrive; over the limit nothing changes', async () => {
      await using to = await createDatabase(server);
      await execute(server, `${table}; ${before}`, to.name);
      const bytes = csv((i) => (i % 10 === 3 ? `${i},12x,bad` : `${i},${i}.25,"t ""${i}"""`));
      await withFile(bytes, async (from) => {
        const ends = {
          from,
          to: endOf(to),
          reader: { path: 'in.csv', columns: COLUMNS },
          writer: { table: 'dst', mode: 'append' },
        };
        await expect(
          runSync({ ...ends, channel: { dirtyLimit: { ratio: 0.09 } } }),
        ).rejects.toMatchObject({ code: 'MR-D201' });
        expect(await rowsOf(to)).toBe(1);
        const run = await runSync({ ...ends, channel: { dirtyLimit: { ratio: 0.1 } } });
        expect(run).toMatchObject({ rowsRead: LINES, rowsWritten: 1800, rowsDirty: 200 });
        expect(new Set(run.dirty.map((d) => d.cells[1]))).toEqual(new Set(['12x']));
        expect(await rowsOf(to)).toBe(1801);
      });
    });

    test.each([
      ['a line with too many cells', csv((i) => (i === 1500 ? `${i},1,a,b` : `${i},1,a`)), '1502'],
      ['a quote that is left open', csv((i) => (i === 1500 ? `${i},1,"a` : `${i},1,a`)), '1502'],
      [
        'bytes that are not UTF-8',
        Buffer.concat([csv((i) => `${i},1,a`), Buffer.from([0x39, 0x2c, 0x31, 0x2c, 0xe9, 10])]),
        '2002',
      ],
    ])('with %s: refused with its line, the target as before', async (_what, bytes, line) => {
      await using to = await createDatabase(server);
      await execute(server, `${table}; ${before}`, to.name);
      await withFile(bytes, async (from) => {
        const running = runSync({
          from,
          to: endOf(to),
          reader: { path: 'in.csv', columns: COLUMNS },
          writer: { table: 'dst', mode: 'truncate' },
        });
        await expect(running).rejects.toMatchObject({
          code: 'MR-D201',
          detail: expect.stringContaining(`, first in.csv, line ${line}: `),
        });
        expect(await rowsOf(to)).toBe(1);
      });
    });
  },
);

describe.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  'rows beyond what %s takes',
  (name) => {
    // Its own: a limit of a server holds for all other tests that connect to it meanwhile.
    let own: OwnMysql;
    beforeAll(async () => {
      own = await OwnMysql.start({ 'max-allowed-packet': '1048576', 'local-infile': '1' }, name);
    }, 120_000);
    afterAll(async () => await own[Symbol.asyncDispose]());

    test.each(LANES)(
      'lane %s: a row larger than max_allowed_packet is a dirty record, its neighbours arrive',
      async (lane) => {
        await using from = await createDatabase(testServers().postgres);
        const server = own.login;
        await using to = await createDatabase(server);
        await execute(
          from.server,
          `CREATE TABLE src (id int PRIMARY KEY, t text);
           INSERT INTO src VALUES (1, 'one'), (2, repeat('x', 3000000)), (3, 'three')`,
          from.name,
        );
        await execute(
          server,
          'CREATE TABLE dst (id int PRIMARY KEY, t longtext) CHARACTER SET utf8mb4',
          to.name,
        );
        const run = await runSync({
          from: endOf(from),
          to: endOf(to),
          reader: { table: 'src' },
          writer: { table: 'dst', mode: 'append' },
          lane,
          channel: { dirtyLimit: { records: 1 } },
        });
        const lengths = await execute(
          server,
          'SELECT id, LENGTH(t) AS bytes FROM dst ORDER BY id',
          to.name,
        );
        // LOAD DATA has no packet that holds a whole row: it may take what an INSERT cannot.
        const whole = [
          { id: 1, bytes: 3 },
          { id: 2, bytes: 3_000_000 },
          { id: 3, bytes: 5 },
        ];
        expect(run.rowsDirty + run.rowsWritten).toBe(3);
        expect(lengths).toEqual(run.rowsDirty === 0 ? whole : [whole[0], whole[2]]);
        if (lane === 'rows') expect(run.dirty.map((d) => d.code)).toEqual(['1153']);
      },
    );
  },
);

describe('text in a database without an encoding', () => {
  test.each(['rows', 'pg-copy-text', 'pg-copy-binary'] as const)(
    'lane %s: bytes that are no UTF-8 end the run by their code, the target as before',
    async (lane) => {
      const { postgres } = testServers();
      const name = `t_ascii_${lane.replaceAll('-', '_')}`;
      await execute(
        postgres,
        `CREATE DATABASE ${name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
      );
      try {
        await using to = await createDatabase(postgres);
        await execute(
          postgres,
          `SET client_encoding = 'SQL_ASCII'; CREATE TABLE src (id int, t text);
           INSERT INTO src VALUES (1, 'good'), (2, E'caf\\xe9'), (3, 'good')`,
          name,
        );
        await execute(
          postgres,
          "CREATE TABLE dst (id int, t text); INSERT INTO dst VALUES (-1, 'before')",
          to.name,
        );
        const running = runSync({
          from: { kind: 'postgres', server: postgres, database: name },
          to: endOf(to),
          reader: { table: 'src' },
          writer: { table: 'dst', mode: 'truncate' },
          lane,
          channel: { dirtyLimit: { records: 5 } },
        });
        await expect(running).rejects.toMatchObject({ code: 'MR-D250' });
        expect(await execute(postgres, 'SELECT t FROM dst', to.name)).toEqual([{ t: 'before' }]);
      } finally {
        await execute(postgres, `DROP DATABASE ${name} WITH (FORCE)`);
      }
    },
  );
});

/** Real ones have 300 MB: the limit of a test is lower, the code is the same. */
const MAX_ROW_BYTES = 2_000_000;

describe('a row larger than the memory it may take', () => {
  /** Of rows 1, 4 and 6: which each is, what it has, and its first megabyte. */
  function expectKept(dirty: readonly DirtyRecord[]): void {
    expect(dirty.map((d) => d.original?.place)).toEqual(['id = 1', 'id = 4', 'id = 6']);
    for (const [i, letter] of ['a', 'c', 'd'].entries()) {
      const head = Buffer.from(dirty[i]?.original?.bytes ?? []);
      expect(head.length).toBe(1024 * 1024);
      // Not by a pattern: it would be tried from each of the first thousands of letters.
      expect(head.subarray(-1_048_000).equals(Buffer.alloc(1_048_000, letter))).toBe(true);
    }
    const digests = dirty.map((d) =>
      /^a row of \d+ bytes \(SHA-256 ([0-9a-f]{64})\)/.exec(d.reason),
    );
    expect(new Set(digests.map((found) => found?.[1])).size).toBe(3);
  }

  test.each(['rows', 'pg-copy-text', 'pg-copy-binary'] as const)(
    'of PostgreSQL, lane %s: is a dirty record wherever it stands, and is never held',
    async (lane) => {
      const { postgres } = testServers();
      await using from = await createDatabase(postgres);
      await using to = await createDatabase(postgres);
      await execute(
        postgres,
        `CREATE TABLE src (id int PRIMARY KEY, t text);
         INSERT INTO src VALUES (1, repeat('a', 5000000)), (2, 'two'), (3, repeat('b', 1900000)),
           (4, repeat('c', 3000000)), (5, 'five'), (6, repeat('d', 2000001))`,
        from.name,
      );
      await execute(postgres, 'CREATE TABLE dst (id int, t text)', to.name);
      const run = await runSync({
        from: endOf(from),
        to: endOf(to),
        reader: { table: 'src' },
        writer: { table: 'dst', mode: 'append' },
        lane,
        channel: { dirtyLimit: { records: 3 }, maxRowBytes: MAX_ROW_BYTES },
      });
      expect(run).toMatchObject({ lane, rowsRead: 6, rowsWritten: 3, rowsDirty: 3 });
      expect(run.dirty.map((d) => d.code)).toEqual(['MR-D251', 'MR-D251', 'MR-D251']);
      expectKept(run.dirty);
      expect(
        await execute(postgres, 'SELECT id, length(t) AS n FROM dst ORDER BY id', to.name),
      ).toEqual([
        { id: 2, n: 3 },
        { id: 3, n: 1_900_000 },
        { id: 5, n: 4 },
      ]);
    },
  );

  const [mysql] = mysqlTestServers();
  test.each(LANES)(
    'of MySQL, lane %s: is a dirty record, also in several packets, and over the limit ends the run',
    async (lane) => {
      if (mysql === undefined) return;
      await using from = await createDatabase(mysql);
      await using to = await createDatabase(testServers().postgres);
      await execute(mysql, 'SET GLOBAL max_allowed_packet = 67108864');
      await execute(
        mysql,
        `CREATE TABLE src (id int PRIMARY KEY, t longtext) CHARACTER SET utf8mb4;
         INSERT INTO src VALUES (1, REPEAT('a', 5000000)), (2, 'two'), (3, REPEAT('b', 1900000)),
           (4, REPEAT('c', 33554400)), (5, ''), (6, REPEAT('d', 2000001))`,
        from.name,
      );
      await execute(
        to.server,
        "CREATE TABLE dst (id int, t text); INSERT INTO dst VALUES (-1, 'before')",
        to.name,
      );
      const sync = (records: number) =>
        runSync({
          from: endOf(from),
          to: endOf(to),
          reader: { table: 'src' },
          writer: { table: 'dst', mode: 'truncate' },
          lane,
          channel: { dirtyLimit: { records }, maxRowBytes: MAX_ROW_BYTES },
        });
      await expect(sync(2)).rejects.toMatchObject({ code: 'MR-D201' });
      expect(await execute(to.server, 'SELECT id FROM dst', to.name)).toEqual([{ id: -1 }]);
      const run = await sync(3);
      expect(run).toMatchObject({ lane, rowsRead: 6, rowsWritten: 3, rowsDirty: 3 });
      expectKept(run.dirty);
      expect(
        await execute(to.server, 'SELECT id, length(t) AS n FROM dst ORDER BY id', to.name),
      ).toEqual([
        { id: 2, n: 3 },
        { id: 3, n: 1_900_000 },
        { id: 5, n: 0 },
      ]);
    },
  );
});
