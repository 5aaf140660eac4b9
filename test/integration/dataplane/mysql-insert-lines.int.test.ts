import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { OwnMysql } from '../../support/own-mysql.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncRun } from '../../support/sync.js';

/** Around each size at which a length takes more bytes, and beyond one packet of the protocol. */
const LENGTHS = [0, 1, 250, 251, 252, 65_535, 65_536, 1_000_000, 17_000_000];

describe.each(mysqlTestServers().map((server) => [server.name] as const))(
  'lines into %s without LOCAL INFILE',
  (name) => {
    let own: OwnMysql;
    beforeAll(async () => {
      own = await OwnMysql.start({ 'max-allowed-packet': '33554432', 'local-infile': '0' }, name);
    });
    afterAll(async () => await own[Symbol.asyncDispose]());

    /** What `src` makes on PostgreSQL, into what `dst` makes here; so many dirty records are allowed. */
    const copy = async (
      to: TestDatabase,
      sql: { readonly src: string; readonly dst: string; readonly records: number },
      more: { readonly concurrency?: number; readonly key?: string } = {},
    ): Promise<SyncRun> => {
      await using from = await createDatabase(testServers().postgres);
      await execute(from.server, sql.src, from.name);
      await execute(own.login, sql.dst, to.name);
      const run = await runSync({
        from: { kind: 'postgres', server: from.server, database: from.name },
        to: { kind: 'mysql', server: own.login, database: to.name },
        reader: { table: 'src', ...(more.key === undefined ? {} : { sliceKey: more.key }) },
        writer: { table: 'dst', mode: 'append' },
        channel: { dirtyLimit: { records: sql.records }, concurrency: more.concurrency ?? 1 },
      });
      expect(run.lane).toBe('pg-copy-text');
      expect(run.log).toContainEqual(expect.stringMatching(/written by INSERT: LOCAL INFILE/));
      return run;
    };

    test.each([1, 3])(
      'of many statements the bad rows are quarantined and all others stored once, with %d channels',
      async (concurrency) => {
        await using to = await createDatabase(own.login);
        const run = await copy(
          to,
          {
            src: `CREATE TABLE src (no int PRIMARY KEY, id int, v text, n int, day text);
              INSERT INTO src SELECT i, CASE i WHEN 45000 THEN 17 ELSE i END,
                  CASE i WHEN 30000 THEN repeat('y', 201) ELSE 'v' || i || E'\\\\\\t''"' || repeat('é', 90) END,
                  CASE i WHEN 1 THEN -1 WHEN 60000 THEN -1 ELSE i END,
                  CASE i WHEN 20000 THEN 'no day' WHEN 20001 THEN '2024-2-3' ELSE '2024-02-01' END
                FROM generate_series(1, 60000) AS i`,
            dst: `CREATE TABLE dst (no int NOT NULL, id int PRIMARY KEY, v varchar(200) NOT NULL,
                n int CHECK (n > 0), day date)`,
            records: 6,
          },
          { concurrency, key: 'no' },
        );
        const dirty = run.dirty
          .map(({ cells }): number => Number(cells[0]))
          .toSorted((a, b) => a - b);
        // The second of two rows with one key, whichever channel was there first.
        const twice = dirty.filter((no) => no === 17 || no === 45_000);
        expect(twice).toHaveLength(1);
        const others = dirty.filter((no) => no !== twice[0] && no !== 20_001);
        expect(others).toEqual([1, 20_000, 30_000, 60_000]);
        const stored = 60_000 - dirty.length;
        expect(run.rowsWritten).toBe(stored);
        const [found] = await execute(
          own.login,
          String.raw`SELECT COUNT(*) AS n, SUM(v = CONCAT('v', no, '\\\t\'"', REPEAT('é', 90))) AS good FROM dst`,
          to.name,
        );
        expect([Number(found?.['n']), Number(found?.['good'])]).toEqual([stored, stored]);
      },
    );

    test('cells of any length arrive, each between its neighbours', async () => {
      await using to = await createDatabase(own.login);
      const rows = LENGTHS.map((length, i) => `(${i}, repeat('x', ${length}), 'behind')`);
      const run = await copy(to, {
        src: `CREATE TABLE src (id int PRIMARY KEY, t text, b text); INSERT INTO src VALUES ${rows.join()}`,
        dst: 'CREATE TABLE dst (id int PRIMARY KEY, t longtext, b varchar(10))',
        records: 0,
      });
      expect(run.rowsWritten).toBe(LENGTHS.length);
      // Else the driver has stopped to offer what MariaDB takes parameters of many rows for.
      const [prepared] = await execute(own.login, "SHOW GLOBAL STATUS LIKE 'Com_stmt_prepare'");
      expect(Number(prepared?.['Value']) > 0).toBe(name === 'mariadb');
      const found = await execute(
        own.login,
        `SELECT LENGTH(t) AS length FROM dst WHERE b = 'behind' ORDER BY id`,
        to.name,
      );
      expect(found.map((row) => Number(row['length']))).toEqual(LENGTHS);
    });

    test('a row larger than max_allowed_packet is a dirty record, its neighbours arrive', async () => {
      await using to = await createDatabase(own.login);
      const run = await copy(to, {
        src: `CREATE TABLE src (id int PRIMARY KEY, t text);
          INSERT INTO src VALUES (1, 'one'), (2, repeat('x', 34000000)), (3, 'three')`,
        dst: 'CREATE TABLE dst (id int PRIMARY KEY, t longtext)',
        records: 1,
      });
      expect(run.dirty.map((d) => d.code)).toEqual(['1153']);
      expect(await execute(own.login, 'SELECT id FROM dst ORDER BY id', to.name)).toEqual([
        { id: 1 },
        { id: 3 },
      ]);
    });
  },
);

describe('a MariaDB whose binary log tells statements', () => {
  test('takes no parameters of many rows, and gets them as text', async () => {
    await using own = await OwnMysql.start(
      { 'log-bin': 'binlog', 'binlog-format': 'STATEMENT', 'local-infile': '0' },
      'mariadb',
    );
    await using from = await createDatabase(testServers().postgres);
    await using to = await createDatabase(own.login);
    await execute(
      from.server,
      'CREATE TABLE src AS SELECT i AS id FROM generate_series(1, 3) AS i',
      from.name,
    );
    await execute(own.login, 'CREATE TABLE dst (id int PRIMARY KEY)', to.name);
    const run = await runSync({
      from: { kind: 'postgres', server: from.server, database: from.name },
      to: { kind: 'mysql', server: own.login, database: to.name },
      reader: { table: 'src' },
      writer: { table: 'dst', mode: 'append' },
    });
    expect(run).toMatchObject({ lane: 'pg-copy-text', rowsWritten: 3 });
  });
});
