import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase, TestServer } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncRun } from '../../support/sync.js';

const LANES: readonly Lane[] = ['rows', 'pg-copy-text'];

/** Declared type in the file, the targets' types, and cells as they stand in it. */
type Corpus = Readonly<
  Record<string, readonly [declared: string, postgres: string, mysql: string, ...cells: string[]]>
>;

const CORPUS: Corpus = {
  i: ['text', 'integer', 'int', '42', '-7', '+5', ' 1', '0x1F', '1_000', '1e3', '', '""', 'x'],
  big: ['integer', 'bigint', 'bigint', '9223372036854775807', '9223372036854775808', '""', '12.0'],
  small: ['integer', 'smallint', 'smallint', '32767', '32768', '007', '-'],
  de: ['decimal', 'numeric(10,2)', 'decimal(10,2)', '1.25', '1.250', '1.255', '.5', '5.', '1e2'],
  wide: ['text', 'numeric(10,2)', 'decimal(10,2)', '12345678.00', '123456789.00', 'NaN', '.'],
  free: ['decimal', 'numeric', 'decimal(65,30)', '1.10', '-0', '123456789012345678901234567890'],
  d: ['float', 'double precision', 'double', '0.1', '1e308', '1e309', '0.1234567890123456789'],
  t: [
    'text',
    'text',
    'longtext',
    '""',
    '"a ""b""\tc\\"',
    '"two\nlines"',
    "it's",
    '\\N',
    '漢😀',
    'NULL',
  ],
  v: [
    'text',
    'varchar(5)',
    'varchar(5)',
    '漢漢漢漢漢',
    '漢漢漢漢漢漢',
    '12345 ',
    '"ab\\\\c"',
    '123456',
  ],
  c: ['text', 'char(4)', 'char(4)', 'ab', 'ab ', 'abcde'],
  da: [
    'date',
    'date',
    'date',
    '2024-02-29',
    '2023-02-29',
    '24-1-2',
    '2024-02-29 00:00:00',
    'today',
  ],
  ts: [
    'timestamp',
    'timestamp(3)',
    'datetime(3)',
    '2024-02-29 23:59:59',
    '2024-02-29 23:59:59.123',
    '2024-02-29 23:59:59.1234',
    '2024-02-29 23:59:59.1230',
    '2024-02-29T23:59:59',
    '2024-02-29 24:00:01',
  ],
  b: ['boolean', 'boolean', 'tinyint(1)', 'true', 'false', 't', '1', 'yes', ''],
  nn: ['text', "text NOT NULL DEFAULT ''", "varchar(9) NOT NULL DEFAULT ''", 'x'],
};

const names = ['id', 'named', ...Object.keys(CORPUS)];

/** One row for each cell; the others of its row are NULL, but for the column that has none. */
function csvText(): string {
  const lines = [names.join(',')];
  const row = (named: string, at: string, cell: string): string =>
    [
      lines.length,
      named,
      ...Object.keys(CORPUS).map((n) => (n === at ? cell : n === 'nn' ? 'x' : '')),
    ].join(',');
  for (const [name, [, , , ...cells]] of Object.entries(CORPUS))
    for (const cell of cells) lines.push(row(name, name, cell));
  lines.push(row('null', 'nn', ''));
  return `${lines.join('\n')}\n`;
}

/** MariaDB keeps no -0: what goes into its floats is counted, which the row lane alone can do. */
const MARIADB_TYPES: Readonly<Record<string, string>> = { double: 'varchar(30)' };

function tableSql(name: string, server: TestServer): string {
  const columns = Object.entries(CORPUS).map(([n, [, pg, my]]) => {
    const type = server.kind === 'postgres' ? pg : my;
    return `${n} ${(server.name === 'mariadb' ? MARIADB_TYPES[type] : undefined) ?? type}`;
  });
  return `CREATE TABLE ${name} (id int PRIMARY KEY, named varchar(10), ${columns.join(', ')})`;
}

async function openFolder(): Promise<{ root: string } & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-csv-'));
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

async function rowsOf({ server, name }: TestDatabase, table: string): Promise<unknown> {
  if (server.kind === 'postgres')
    return execute(server, `SELECT t::text AS row FROM ${table} t ORDER BY id`, name);
  const cells = names.map((n) => `HEX(CONCAT(${n})) AS ${n}`);
  return execute(server, `SELECT ${cells.join(', ')} FROM ${table} ORDER BY id`, name);
}

const servers: readonly TestServer[] = [testServers().postgres, ...mysqlTestServers()];

describe.each(servers.map((server) => [server.name, server] as const))(
  'CSV into %s',
  (_name, server) => {
    const kind = server.kind === 'postgres' ? 'postgres' : 'mysql';

    async function copy(
      root: string,
      to: TestDatabase,
      table: string,
      lane: Lane,
      more: object = {},
    ): Promise<SyncRun> {
      await execute(server, tableSql(table, server), to.name);
      return runSync({
        from: { kind: 'file', root },
        to: { kind, server, database: to.name },
        reader: {
          path: 'a.csv',
          columns: Object.entries(CORPUS).map(([name, [type]]) => ({ name, type })),
          ...more,
        },
        writer: { table, mode: 'append' },
        channel: { dirtyLimit: { records: 100 } },
        lane,
        identity: { instanceId: table, nodeId: table },
      });
    }

    test('every lane gives the same target bytes and the same dirty rows', async () => {
      if (kind === 'mysql') await execute(server, 'SET GLOBAL local_infile = 1');
      await using folder = await openFolder();
      await using to = await createDatabase(server);
      await writeFile(join(folder.root, 'a.csv'), csvText());
      await writeFile(
        join(folder.root, 'a.csv.gz'),
        gzipSync(csvText().replaceAll('\n', '\r\n').replaceAll('two\r\n', 'two\n')),
      );
      const found: unknown[] = [];
      const runs = [
        ['by_rows', 'rows', {}],
        ['by_text', 'pg-copy-text', {}],
        ['by_gzip', 'pg-copy-text', { path: 'a.csv.gz' }],
      ] as const;
      for (const [table, lane, more] of runs) {
        const run = await copy(folder.root, to, table, lane, more);
        expect(run.lane).toBe(lane);
        const dirty = run.dirty
          .map((d) => [
            Number(d.cells[0]),
            d.cells[1],
            d.code === 'MR-D202' ? d.column : d.code,
            d.cells,
          ])
          .toSorted((a, b) => Number(a[0]) - Number(b[0]));
        found.push({ rows: await rowsOf(to, table), dirty });
      }
      expect(found[1]).toEqual(found[0]);
      expect(found[2]).toEqual(found[0]);
      const { dirty } = found[0] as { dirty: readonly (readonly unknown[])[] };
      expect(new Set(dirty.map(([, named]) => named)).size).toBeGreaterThan(8);
    });

    test.each(LANES)(
      'lane %s keeps the good rows of a file whose rows are dirty by turns',
      async (lane) => {
        if (kind === 'mysql') await execute(server, 'SET GLOBAL local_infile = 1');
        await using folder = await openFolder();
        await using to = await createDatabase(server);
        const lines = Array.from({ length: 30_000 }, (_, i) =>
          i % 100 === 7
            ? `x${i},n`
            : i % 100 === 50
              ? `${i},longer than ten`
              : i % 400 === 200
                ? `${i - 1},twice`
                : `${i},n${i}`,
        );
        await writeFile(join(folder.root, 'a.csv'), `id,name\n${lines.join('\n')}\n`);
        await execute(server, 'CREATE TABLE dst (id int PRIMARY KEY, name varchar(10))', to.name);
        const run = await runSync({
          from: { kind: 'file', root: folder.root },
          to: { kind, server, database: to.name },
          reader: { path: 'a.csv' },
          writer: { table: 'dst', mode: 'append' },
          channel: { dirtyLimit: { ratio: 0.05 } },
          lane,
        });
        expect(run).toMatchObject({ lane, rowsRead: 30_000, rowsWritten: 29_325, rowsDirty: 675 });
        const count = (code: string): number => run.dirty.filter((d) => d.code === code).length;
        expect([count('MR-D202'), count('23505') + count('1062')]).toEqual([600, 75]);
        const twice = run.dirty.filter((d) => d.cells[1] === 'twice');
        expect(twice).toHaveLength(75);
      },
    );
  },
);

describe('CSV lines', () => {
  test('are filtered, mapped and taken from the columns the file has now', async () => {
    await using folder = await openFolder();
    await using to = await createDatabase(testServers().postgres);
    await writeFile(join(folder.root, 'a.csv'), 'a,skip,b\n1,s,x\n2,s,y\n3,s,x\n,s,x\n');
    await execute(to.server, 'CREATE TABLE dst (second text, first int)', to.name);
    const run = await runSync({
      from: { kind: 'file', root: folder.root },
      to: { kind: 'postgres', server: to.server, database: to.name },
      reader: { path: 'a.csv', where: { b: 'x' } },
      writer: { table: 'dst', mode: 'append' },
      mapping: {
        columns: [
          { from: 'b', to: 'second' },
          { from: 'a', to: 'first' },
        ],
      },
    });
    expect(run).toMatchObject({ lane: 'pg-copy-text', rowsRead: 3, rowsWritten: 3 });
    expect(await execute(to.server, 'SELECT * FROM dst ORDER BY first', to.name)).toEqual([
      { second: 'x', first: 1 },
      { second: 'x', first: 3 },
      { second: 'x', first: null },
    ]);
  });
});

const { mariadb } = testServers();

describe.each(LANES)('a dump that MariaDB itself has written, on lane %s', (lane) => {
  (mariadb === undefined ? test.skip : test).each(['"', ''])(
    'comes back as it was, with its backslashes, in quotes: %p',
    async (quote) => {
      const server = mariadb ?? testServers().postgres;
      await using source = await createDatabase(server);
      await using target = await createDatabase(server);
      const ddl = 'id int, v varchar(40), w varchar(40) NULL';
      await execute(
        server,
        String.raw`CREATE TABLE src (${ddl}); INSERT INTO src VALUES
          (1, 'plain', NULL), (2, '', '\\N'), (3, 'a,b\\', 'q"q\\"'), (4, 'two\nlines\\\n', '\r\n'),
          (5, CONCAT('nul', CHAR(0), 'tab\t'), '汉字 😀'), (6, '"', '\\'), (7, ',', '\n')`,
        source.name,
      );
      const folder = await mkdtemp(join(tmpdir(), 'millrace-dump-'));
      try {
        // The server writes it under an account of its own.
        await chmod(folder, 0o777);
        const enclosed = quote === '' ? '' : `OPTIONALLY ENCLOSED BY '${quote}'`;
        await execute(
          server,
          `SELECT * INTO OUTFILE '${folder}/dump.csv' CHARACTER SET utf8mb4
             FIELDS TERMINATED BY ',' ${enclosed} ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' FROM src ORDER BY id`,
          source.name,
        );
        await execute(server, `CREATE TABLE dst (${ddl})`, target.name);
        const run = await runSync({
          from: { kind: 'file', root: folder },
          to: { kind: 'mysql', server, database: target.name },
          reader: {
            path: 'dump.csv',
            header: false,
            quote,
            escape: '\\',
            nullToken: 'no such cell',
            columns: [{ name: 'id', type: 'integer' }, { name: 'v' }, { name: 'w' }],
          },
          writer: { table: 'dst', mode: 'append' },
          lane,
        });
        expect(run).toMatchObject({ lane, rowsWritten: 7, rowsDirty: 0 });
        const hex = 'SELECT id, HEX(v) AS v, HEX(w) AS w FROM';
        const wanted = await execute(server, `${hex} src ORDER BY id`, source.name);
        expect(await execute(server, `${hex} dst ORDER BY id`, target.name)).toEqual(wanted);
        expect(new Set(wanted.map((row) => row['w'])).size).toBe(7);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );
});
