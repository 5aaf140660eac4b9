import { describe, expect, test } from '@jest/globals';

import { seeded } from '../../support/seeded.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase, TestServer } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncOptions, SyncRun } from '../../support/sync.js';

/** 5 has the code of 3, and 3 the code of 1; 2 comes twice. */
const SOURCE = `CREATE TABLE src (no int, id int, code text, name text);
  INSERT INTO src VALUES (1, 1, 'a', 'new1'), (2, 4, 'd', 'new4'), (3, 2, 'b', 'first'), (4, 2, 'b', 'last'),
    (5, 5, 'c', 'wrong'), (6, 3, 'a', 'wrong');
  INSERT INTO src SELECT i, i, 'code' || i, 'new' || i FROM generate_series(100, 2099) AS i`;

const TARGET = `CREATE TABLE dst (id int PRIMARY KEY, code varchar(10) NOT NULL UNIQUE, name varchar(20));
  INSERT INTO dst VALUES (1, 'a', 'old1'), (2, 'b', 'old2'), (3, 'c', 'old3'), (100, 'code100', 'old100')`;

const [OLD1, NEW1] = [
  { id: 1, code: 'a', name: 'old1' },
  { id: 1, code: 'a', name: 'new1' },
];
const [OLD2, NEW2] = [
  { id: 2, code: 'b', name: 'old2' },
  { id: 2, code: 'b', name: 'last' },
];
const OLD3 = { id: 3, code: 'c', name: 'old3' };
const NEW4 = { id: 4, code: 'd', name: 'new4' };

const MODES = [
  ['upsert', [NEW1, NEW2, OLD3, NEW4], 2000, 'new100', ['3', '5']],
  ['ignore', [OLD1, OLD2, OLD3, NEW4], 2000, 'old100', ['5']],
  ['update', [NEW1, NEW2, OLD3], 1, 'new100', ['3']],
  ['delete-insert', [NEW1, NEW2, OLD3, NEW4], 2000, 'new100', ['3', '5']],
] as const;

const servers: readonly TestServer[] = [testServers().postgres, ...mysqlTestServers()];

describe.each(servers.map((server) => [server.name, server] as const))(
  'rows that are compared by a key, into %s',
  (_name, server) => {
    const kind = server.kind === 'postgres' ? 'postgres' : 'mysql';

    async function openPair(
      target: string,
      source = SOURCE,
    ): Promise<{ from: TestDatabase; to: TestDatabase } & AsyncDisposable> {
      if (kind === 'mysql') await execute(server, 'SET GLOBAL local_infile = 1');
      const from = await createDatabase(testServers().postgres);
      const to = await createDatabase(server);
      await execute(from.server, source, from.name);
      await execute(server, target, to.name);
      return {
        from,
        to,
        [Symbol.asyncDispose]: async () => {
          await from[Symbol.asyncDispose]();
          await to[Symbol.asyncDispose]();
        },
      };
    }

    function copy(
      { from, to }: { from: TestDatabase; to: TestDatabase },
      writer: object,
      more: Partial<SyncOptions> = {},
    ): Promise<SyncRun> {
      return runSync({
        from: { kind: 'postgres', server: from.server, database: from.name },
        to: { kind, server, database: to.name },
        reader: { table: 'src', columns: ['id', 'code', 'name'] },
        writer: { table: 'dst', ...writer },
        channel: { dirtyLimit: { records: 10 } },
        ...more,
      });
    }

    test.each(MODES)(
      '%s changes the row of its key alone, never the one another unique key finds',
      async (mode, few, many, hundred, dirty) => {
        await using pair = await openPair(TARGET);
        const { to } = pair;
        const run = await copy(pair, { mode });
        expect(run).toMatchObject({
          lane: 'pg-copy-text',
          rowsRead: 2006,
          rowsWritten: 2006 - dirty.length,
          rowsDirty: dirty.length,
        });
        expect(run.dirty.map((d) => d.cells[0]).toSorted()).toEqual(dirty);
        expect(new Set(run.dirty.map((d) => d.code))).toEqual(
          new Set([kind === 'postgres' ? '23505' : '1062']),
        );
        expect(
          await execute(server, 'SELECT * FROM dst WHERE id < 100 ORDER BY id', to.name),
        ).toEqual(few);
        const [count] = await execute(
          server,
          'SELECT COUNT(*) AS n FROM dst WHERE id >= 100',
          to.name,
        );
        expect(Number(count?.['n'])).toBe(many);
        expect(await execute(server, 'SELECT name FROM dst WHERE id = 100', to.name)).toEqual([
          { name: hundred },
        ]);
        expect(run.log).toContainEqual(expect.stringMatching(/^1 rows had the key of another row/));
      },
    );

    test('insert-replace-row takes the place of every row that has its value in any unique key', async () => {
      await using pair = await openPair(TARGET);
      const run = await copy(pair, { mode: 'insert-replace-row' });
      expect(run).toMatchObject({ rowsRead: 2006, rowsWritten: 2006, rowsDirty: 0 });
      const few = 'SELECT * FROM dst WHERE id < 100 ORDER BY id';
      expect(await execute(server, few, pair.to.name)).toEqual([
        NEW2,
        { id: 3, code: 'a', name: 'wrong' },
        NEW4,
        { id: 5, code: 'c', name: 'wrong' },
      ]);
      expect(run.log).toContainEqual(expect.stringMatching(/^2 rows had the key of another row/));
    });

    test('insert-replace-row does what REPLACE does with the rows one after another', async () => {
      const random = seeded(20261123);
      const some = (n: number): number => Math.floor(random() * n);
      const maybe = (n: number): number | null => (random() < 0.2 ? null : some(n));
      const values = (all: readonly (readonly (number | null)[])[]): string =>
        all.map((row) => `(${row.map((v) => v ?? 'NULL').join(', ')})`).join(', ');
      await using pair = await openPair(
        'CREATE TABLE dst (id int PRIMARY KEY, a int NOT NULL, b int, n int, UNIQUE (a), UNIQUE (b, n))',
        'CREATE TABLE src (id int, a int, b int, n int)',
      );
      const { from, to } = pair;
      for (let round = 0; round < 3; round++) {
        const before = Array.from({ length: 15 }, (_, i) => [100 + i, 100 + i, null, i] as const);
        const rows = Array.from(
          { length: 60 },
          (_, i) => [some(40) + 80, some(40) + 80, maybe(8), 1000 + i] as const,
        );
        await execute(server, 'DELETE FROM dst', to.name);
        await execute(server, `INSERT INTO dst VALUES ${values(before)}`, to.name);
        await execute(
          from.server,
          `TRUNCATE src; INSERT INTO src VALUES ${values(rows)}`,
          from.name,
        );
        const run = await copy(
          pair,
          { mode: 'insert-replace-row' },
          {
            reader: { table: 'src' },
            mapping: { by: 'name' },
            identity: { instanceId: `round${round}`, fence: `${round + 1}` },
          },
        );
        expect(run).toMatchObject({ rowsWritten: 60, rowsDirty: 0 });
        let expected: (readonly (number | null)[])[] = [...before];
        for (const row of rows) {
          const isSame = (other: readonly (number | null)[]): boolean =>
            other[0] === row[0] ||
            other[1] === row[1] ||
            (row[2] !== null && other[2] === row[2] && other[3] === row[3]);
          expected = [...expected.filter((other) => !isSame(other)), row];
        }
        const found = await execute(server, 'SELECT id, a, b, n FROM dst', pair.to.name);
        const told = (all: readonly unknown[]): readonly string[] =>
          all.map((row) => JSON.stringify(row)).toSorted();
        expect(told(found.map(({ id, a, b, n }) => [id, a, b, n]))).toEqual(told(expected));
      }
    });

    test.each(['upsert', 'delete-insert', 'insert-replace-row'])(
      '%s: a row counts again when the one that superseded it is refused',
      async (mode) => {
        await using pair = await openPair(
          `CREATE TABLE parent (id int PRIMARY KEY);
           INSERT INTO parent VALUES (1);
           CREATE TABLE dst (id int PRIMARY KEY, parent int, name varchar(20), FOREIGN KEY (parent) REFERENCES parent (id));
           INSERT INTO dst VALUES (1, 1, 'old')`,
          `CREATE TABLE src (no int, id int, parent int, name text);
           INSERT INTO src VALUES (1, 1, 9, 'refused'), (2, 1, 1, 'good'), (3, 1, 9, 'refused'),
             (4, 1, 9, 'refused'), (5, 2, 1, 'other'), (6, 2, 1, 'last')`,
        );
        const run = await copy(
          pair,
          { mode },
          { reader: { table: 'src', columns: ['id', 'parent', 'name'] } },
        );
        expect(run.dirty.map((d) => d.cells[2])).toEqual(['refused', 'refused']);
        expect(await execute(server, 'SELECT * FROM dst ORDER BY id', pair.to.name)).toEqual([
          { id: 1, parent: 1, name: 'good' },
          { id: 2, parent: 1, name: 'last' },
        ]);
      },
    );

    test('a key that is not the primary key is found by name, over several channels, and a rerun changes nothing', async () => {
      const id =
        kind === 'postgres' ? 'int GENERATED BY DEFAULT AS IDENTITY' : 'int AUTO_INCREMENT';
      await using pair = await openPair(
        `CREATE TABLE dst (id ${id} PRIMARY KEY, code varchar(10) UNIQUE, name varchar(20));
         INSERT INTO dst (id, code, name) VALUES (7, 'code500', 'old')`,
        `CREATE TABLE src (no int, code text, name text);
         INSERT INTO src SELECT i, 'code' || i, 'n' || i FROM generate_series(1, 1000) AS i;
         INSERT INTO src VALUES (1001, NULL, 'no key')`,
      );
      const shown =
        "SELECT COUNT(*) AS n, MAX(CASE WHEN code = 'code500' THEN CONCAT(id, name) END) AS found FROM dst";
      for (const runNumber of [1, 2]) {
        const run = await copy(
          pair,
          { mode: 'upsert', key: ['code'] },
          {
            reader: { table: 'src', sliceKey: 'no' },
            mapping: { columns: ['code', 'name'].map((name) => ({ from: name, to: name })) },
            channel: { concurrency: 3, dirtyLimit: { records: 1 } },
            identity: { runNumber, fence: String(runNumber), instanceId: `i${runNumber}` },
          },
        );
        expect(run).toMatchObject({ rowsRead: 1001, rowsWritten: 1000 });
        expect(run.dirty).toMatchObject([{ code: 'MR-D202', column: 'code' }]);
        const [row] = await execute(server, shown, pair.to.name);
        expect([Number(row?.['n']), row?.['found']]).toEqual([1000, '7n500']);
      }
    });

    test('a key that is none is refused before anything is read', async () => {
      await using pair = await openPair(TARGET);
      const code = 'MR-D190';
      const nameOnly = { columns: [{ from: 'name', to: 'name' }] };
      await using keyless = await openPair('CREATE TABLE dst (id int, name varchar(20))');
      await expect(
        copy(keyless, { mode: 'insert-replace-row' }, { mapping: nameOnly }),
      ).rejects.toMatchObject({ code, detail: expect.stringContaining('none') });
      await expect(copy(pair, { mode: 'upsert', key: ['name'] })).rejects.toMatchObject({ code });
      const mapping = {
        columns: [
          { from: 'code', to: 'code' },
          { from: 'id', to: 'id' },
        ],
      };
      await expect(
        copy(pair, { mode: 'ignore', key: ['code', 'id'] }, { mapping }),
      ).rejects.toMatchObject({ code, detail: expect.stringContaining('(id)') });
    });
  },
);
