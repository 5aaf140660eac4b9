import { describe, expect, test } from '@jest/globals';

import { ownLocalInfile } from '../../support/local-infile.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncRun } from '../../support/sync.js';

const TAKEN_BACK = /taken back and sent again/;

describe.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  'lines that %s cannot take as they are',
  (name, server) => {
    ownLocalInfile(server);

    /** What `src` makes on PostgreSQL, into what `dst` makes here; so many dirty records are allowed. */
    const copy = async (
      to: TestDatabase,
      sql: { readonly src: string; readonly dst: string; readonly records: number },
    ): Promise<SyncRun> => {
      await using from = await createDatabase(testServers().postgres);
      await execute(from.server, sql.src, from.name);
      await execute(server, sql.dst, to.name);
      return await runSync({
        from: { kind: 'postgres', server: from.server, database: from.name },
        to: { kind: 'mysql', server, database: to.name },
        reader: { table: 'src' },
        writer: { table: 'dst', mode: 'append' },
        channel: { dirtyLimit: { records: sql.records } },
      });
    };

    test('a text that is no JSON ends LOAD DATA in the middle of a chunk and costs one row', async () => {
      await using to = await createDatabase(server);
      const run = await copy(to, {
        src: `CREATE TABLE src AS SELECT i AS id, CASE i WHEN 7 THEN '{' ELSE format('{"a": "%s"}', repeat('x', 200)) END AS j
           FROM generate_series(1, 20000) AS i`,
        dst: 'CREATE TABLE dst (id int PRIMARY KEY, j json)',
        records: 1,
      });
      expect(run).toMatchObject({ lane: 'pg-copy-text', rowsWritten: 19_999, rowsDirty: 1 });
      expect(run.dirty[0]?.cells).toEqual(['7', '{']);
      expect(run.log.filter((line) => TAKEN_BACK.test(line))).toHaveLength(1);
    });

    test('a chunk with warnings is taken back, and its bad rows alone are quarantined', async () => {
      await using to = await createDatabase(server);
      const run = await copy(to, {
        src: `CREATE TABLE src (id int, v varchar(10), n int);
         INSERT INTO src SELECT i, CASE WHEN i % 100 = 1 THEN NULL ELSE 'v' || i END, CASE WHEN i % 100 = 2 THEN -1 ELSE i END
           FROM generate_series(1, 2000) AS i;
         INSERT INTO src SELECT id, 'twice', n FROM src WHERE id % 100 = 5`,
        dst: 'CREATE TABLE dst (id int PRIMARY KEY, v varchar(10) NOT NULL, n int CHECK (n > 0))',
        records: 100,
      });
      expect(run.lane).toBe('pg-copy-text');
      expect(run).toMatchObject({ rowsRead: 2020, rowsWritten: 1960, rowsDirty: 60 });
      const codes = new Set(run.dirty.map((d) => d.code));
      expect([...codes].toSorted()).toEqual(
        ['1062', name === 'mariadb' ? '4025' : '3819', 'MR-D202'].toSorted(),
      );
      expect(await execute(server, 'SELECT COUNT(*) AS n FROM dst', to.name)).toEqual([
        { n: 1960 },
      ]);
    });

    test('of several chunks in one LOAD DATA the bad rows of one are quarantined and all others stored once', async () => {
      await using to = await createDatabase(server);
      const run = await copy(to, {
        src: `CREATE TABLE src (id int, v varchar(200), n int);
         INSERT INTO src SELECT i, 'v' || i || repeat('x', 100), CASE i WHEN 30000 THEN -1 ELSE i END
           FROM generate_series(1, 60000) AS i;
         INSERT INTO src SELECT id, 'twice', n FROM src WHERE id = 40000`,
        dst: 'CREATE TABLE dst (id int PRIMARY KEY, v varchar(200) NOT NULL, n int CHECK (n > 0))',
        records: 2,
      });
      expect(run).toMatchObject({ lane: 'pg-copy-text', rowsRead: 60_001, rowsWritten: 59_999 });
      expect(run.dirty.map(({ cells }) => cells[0])).toEqual(['30000', '40000']);
      const [left] = await execute(
        server,
        `SELECT COUNT(*) AS n, SUM(v = CONCAT('v', id, REPEAT('x', 100))) AS good FROM dst`,
        to.name,
      );
      expect([Number(left?.['n']), Number(left?.['good'])]).toEqual([59_999, 59_999]);
    });

    test('lines whose key is taken are found behind LOAD DATA, each once, and no other', async () => {
      await using to = await createDatabase(server);
      const run = await copy(to, {
        src: `CREATE TABLE src (id int, day date, v text);
         INSERT INTO src SELECT i, DATE '2024-01-01' + i, 'v' || i FROM generate_series(1, 5000) AS i;
         INSERT INTO src SELECT id, day, 'second' FROM src WHERE id % 100 = 5 ORDER BY id;
         INSERT INTO src SELECT id, day, 'third' FROM src WHERE id % 1000 = 5 AND v <> 'second' ORDER BY id;
         INSERT INTO src SELECT -1, DATE '2024-01-01', 'taken'`,
        dst: `CREATE TABLE dst (id int, day date, v varchar(10), PRIMARY KEY (day, id));
         INSERT INTO dst VALUES (-1, '2024-01-01', 'old')`,
        records: 100,
      });
      expect(run).toMatchObject({ lane: 'pg-copy-text', rowsWritten: 5000, rowsDirty: 56 });
      const refused = run.dirty.map((d) => `${d.code} ${String(d.cells[2])}`);
      const count = (word: string): number => refused.filter((r) => r === `1062 ${word}`).length;
      expect([count('second'), count('third'), count('taken')]).toEqual([50, 5, 1]);
      expect(run.log.filter((line) => TAKEN_BACK.test(line))).toEqual([]);
      const left = await execute(
        server,
        `SELECT COUNT(*) AS n, SUM(v = CONCAT('v', id)) AS good FROM dst WHERE id > 0`,
        to.name,
      );
      expect(left.map((row) => [Number(row['n']), Number(row['good'])])).toEqual([[5000, 5000]]);
    });

    test.each(['append', 'truncate'])(
      'LOCAL INFILE that is switched off during a run costs nothing but speed, with %s',
      async (mode) => {
        await using from = await createDatabase(testServers().postgres);
        await using to = await createDatabase(server);
        await execute(
          from.server,
          `CREATE TABLE src (id int PRIMARY KEY, v text);
           INSERT INTO src SELECT i, repeat('x', 300) FROM generate_series(1, 20000) AS i`,
          from.name,
        );
        await execute(server, 'CREATE TABLE dst (id int PRIMARY KEY, v varchar(400))', to.name);
        const run = await runSync({
          from: { kind: 'postgres', server: from.server, database: from.name },
          to: { kind: 'mysql', server, database: to.name },
          reader: { table: 'src' },
          writer: { table: 'dst', mode },
          channel: { concurrency: 3 },
          crashPoint: async (point) => {
            if (point === 'sync:slice-begun') await execute(server, 'SET GLOBAL local_infile = 0');
          },
        });
        expect(run).toMatchObject({ rowsWritten: 20_000, rowsDirty: 0 });
        expect(run.log).toContainEqual(expect.stringMatching(/LOCAL INFILE has been switched off/));
        expect(
          await execute(server, 'SELECT COUNT(*) AS n FROM dst WHERE LENGTH(v) = 300', to.name),
        ).toEqual([{ n: 20_000 }]);
      },
    );

    test('a FLOAT goes by INSERT, which is exact, and the log says so', async () => {
      await using from = await createDatabase(testServers().postgres);
      await using to = await createDatabase(server);
      await execute(
        from.server,
        `CREATE TABLE src (id int, f real);
         INSERT INTO src SELECT i, sqrt(i)::real * 10::real ^ (i % 70 - 35) FROM generate_series(1, 3000) AS i;
         INSERT INTO src VALUES (4001, 3.4028235e38), (4002, 1.17549435e-38), (4003, 1e-45), (4004, 16777217),
           (4005, '-0'), (4006, 0.1), (4007, 'NaN'), (4008, '-Infinity'), (4009, NULL)`,
        from.name,
      );
      const runs = ['rows', 'pg-copy-text'] as const;
      const found: unknown[] = [];
      for (const lane of runs) {
        const table = `dst_${lane.replaceAll('-', '_')}`;
        await execute(server, `CREATE TABLE ${table} (id int, f float)`, to.name);
        const run = await runSync({
          from: { kind: 'postgres', server: from.server, database: from.name },
          to: { kind: 'mysql', server, database: to.name },
          reader: { table: 'src' },
          writer: { table, mode: 'append' },
          channel: { dirtyLimit: { records: 10 } },
          lane,
          identity: { instanceId: lane, nodeId: lane },
        });
        // MariaDB keeps no -0.
        const counted = [{ policy: 'negativeZero', column: 'f', count: 1 }];
        const policies = server.name === 'mariadb' ? counted : [];
        expect(run).toMatchObject({ lane, rowsDirty: 2, policies });
        expect(run.log).toContainEqual(expect.stringMatching(/by INSERT: .* f \(float\)/));
        found.push(
          await execute(server, `SELECT id, f * 1E0 AS f FROM ${table} ORDER BY id`, to.name),
        );
      }
      expect(found[1]).toEqual(found[0]);
    });
  },
);
