import { describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

import { ownLocalInfile } from '../../support/local-infile.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase, TestServer } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncEnd, SyncRun } from '../../support/sync.js';

type Corpus = Readonly<Record<string, readonly [from: string, to: string, ...values: string[]]>>;

const TEXTS = [
  "''",
  "E'tab\\tcr\\rlf\\nbs\\\\ \\\\N \\\\. \\\\f'",
  "E'\\f\\v\\b'",
  "'\\N'",
  "'😀 漢字 é'",
  "'NULL'",
  "'trail  '",
];

const FROM_POSTGRES: Corpus = {
  si: ['smallint', 'smallint', '-32768', '32767'],
  narrow: ['integer', 'smallint', '32767', '32768'],
  bi: ['bigint', 'bigint', '-9223372036854775808', '9007199254740993'],
  un: ['bigint', 'bigint unsigned', '9007199254740993', '-1'],
  nu: ['numeric(20,5)', 'decimal(20,5)', '-0.10001', "'NaN'"],
  wide: ['numeric(5,2)', 'decimal(65,30)', '999.99'],
  d: ['double precision', 'double', '1.7976931348623157e308', '5e-324', "'-0'", "'Infinity'"],
  b: ['boolean', 'tinyint(1)', 'true', 'false'],
  t: ['text', 'longtext', ...TEXTS, "repeat('漢😀', 30000)"],
  v: ['varchar(40)', 'varchar(40)', ...TEXTS],
  c: ['char(8)', 'char(8)', "'a'", "'12345678'", "''"],
  raw: ['bytea', 'longblob', "''", "'\\x00095c0a0dff66'"],
  day: ['date', 'date', "'9999-12-31'", "'infinity'", "'0044-03-15 BC'", "'12345-01-01'"],
  at: [
    'timestamp(6)',
    'datetime(6)',
    "'9999-12-31 23:59:59.999999'",
    "'infinity'",
    "'0044-03-15 12:00:00.5 BC'",
    "'12345-01-01 00:00:00'",
  ],
  zoned: [
    'timestamptz(6)',
    'datetime(6)',
    "'2024-10-27 01:30:00.5+01'",
    "'2024-10-27 01:30:00+05:30'",
    "'0044-03-15 12:00:00+00 BC'",
    "'12345-01-01 00:00:00+00'",
  ],
  clock: ['time(3)', 'time(3)', "'23:59:59.999'", "'24:00:00'"],
  bits: ['bit(12)', 'bit(12)', "B'101010101010'", "B'000000000001'"],
};

const FROM_MYSQL: Corpus = {
  tz: ['tinyint(3) unsigned zerofill', 'tinyint(3) unsigned zerofill', '0', '7'],
  narrow: ['int', 'smallint', '32767', '40000'],
  bu: ['bigint unsigned', 'bigint unsigned', '18446744073709551615'],
  de: ['decimal(65,30)', 'decimal(65,30)', '-0.000000000000000000000000000001'],
  db: ['double', 'double', '1.7976931348623157e308', '5e-324', '-0e0'],
  b10: ['bit(10)', 'bit(10)', "b'1000000001'", "b'1'"],
  y: ['year', 'year', '0', '1901', '2155', '2000'],
  da: ['date', 'date', "'0000-00-00'", "'2024-00-10'", "'9999-12-31'", "'2024-02-31'"],
  dt: [
    'datetime(6)',
    'datetime(6)',
    "'9999-12-31 23:59:59.999999'",
    "'0000-00-00 00:00:00'",
    "'2023-02-29 10:00:00'",
  ],
  // What a TIMESTAMP has no place for, and what a column of no fraction would round.
  dts: ['datetime', 'timestamp null', "'2038-01-19 03:14:07'", "'2038-01-20 00:00:00'"],
  ts: [
    'timestamp(6) null',
    'timestamp(6) null',
    "'1970-01-01 00:00:01'",
    "'2024-10-27 00:30:00.1'",
    "'0000-00-00 00:00:00'",
  ],
  tm: ['time(6)', 'time(6)', "'-838:59:59.000000'", "'-00:00:00.000001'"],
  c: ['char(10)', 'char(10)', "'a'", "''", "'  lead'"],
  v: [
    'varchar(60)',
    'varchar(60)',
    "''",
    "'trailing   '",
    "'\\\\N'",
    "'\\\\.'",
    "'tab\\tcr\\rlf\\n'",
    "concat('nul', char(0 using utf8mb4), char(26 using utf8mb4), char(11 using utf8mb4), char(12 using utf8mb4))",
    "'😀 漢字 é'",
  ],
  tx: ['text', 'text', "repeat('x', 65535)"],
  lt: ['longtext', 'longtext', "repeat('漢😀\\\\', 60000)"],
  bn: ['binary(4)', 'binary(4)', "x'00000000'", "x'20202020'"],
  vb: ['varbinary(300)', 'varbinary(300)', "x''", "x'00ff1a5c270d0a'"],
  bl: ['mediumblob', 'mediumblob', "repeat(x'00275cff', 100000)"],
  en: ["enum('a','b,c','2')", "enum('a','b,c','2')", "'b,c'", "'2'"],
  se: ["set('x','y','z')", "set('x','y','z')", "'x,z'", "''"],
};

/** What the rules of rows refuse before a server of MySQL would change it. */
const TWICE = `'{"a": [{"b": 1}], "a": 2}'`;
const LONG_NUMBER = `'[0.12345678901234567891]'`;
const JSON_VALUES = [
  `'{"b": [1, 2.50, -1.5e3, "x", null, true], "a": {"a": {"a": 9007199254740991}}, "": ""}'`,
  String.raw`'"😀 漢字 ''it'' \\ \" \n \u00e9 \ud83d\ude00"'`,
  `' [ ] '`,
  String.raw`'{"k": 18446744073709551615, "😀": 12345678901234567, "\\": 0, "\"": 0}'`,
  "'null'",
  TWICE,
  LONG_NUMBER,
];
const JSON_FROM_POSTGRES: Corpus = {
  jb: [
    'jsonb',
    'json',
    ...JSON_VALUES.filter((v) => v !== TWICE),
    `('["' || repeat('漢😀', 30000) || '"]')::jsonb`,
  ],
  js: [
    'json',
    'json',
    ...JSON_VALUES,
    String.raw`E'{"a":\n\t1,\r "\\u0061":\n2}'`,
    "'1e400'",
    String.raw`'{"a": "\ud800"}'`,
  ],
  jt: ['text', 'json', ...JSON_VALUES, "''", "'{'", "'nul'", String.raw`E'"\t"'`],
};
const ofMysql = (value: string): string => value.replaceAll('\\', '\\\\');
const JSON_FROM_MYSQL: Corpus = {
  jj: ['json', 'json', ...JSON_VALUES.filter((v) => v !== LONG_NUMBER && v !== TWICE).map(ofMysql)],
  jt: ['longtext', 'json', ...JSON_VALUES.map(ofMysql), "'{'"],
};

function tableSql(name: string, corpus: Corpus, end: 'from' | 'to'): string {
  const columns = Object.entries(corpus).map(([column, [from, to]]) => {
    const type = end === 'from' ? from : to;
    return `${column} ${type.endsWith(' null') ? type : `${type} NULL`}`;
  });
  return `CREATE TABLE ${name} (id int PRIMARY KEY, named varchar(10), ${columns.join(', ')})`;
}

function rowsSql(corpus: Corpus): readonly string[] {
  let id = 0;
  return Object.entries(corpus).flatMap(([column, [, , ...values]]) =>
    values.map(
      (value) => `INSERT INTO src (id, named, ${column}) VALUES (${id++}, '${column}', ${value})`,
    ),
  );
}

/** What the server itself says of every cell. */
async function cellsOf(target: TestDatabase, table: string, corpus: Corpus): Promise<unknown> {
  const shown = Object.entries(corpus).map(([column, [, to]]) => {
    const exact = to.startsWith('bit')
      ? `${column} + 0`
      : /blob|binary/.test(to)
        ? column
        : `CONCAT(${column})`;
    return `HEX(${exact}) AS ${column}`;
  });
  return execute(
    target.server,
    `SET time_zone = '+00:00'; SELECT id, ${shown.join(', ')} FROM ${table} ORDER BY id`,
    target.name,
  );
}

/** On MariaDB, whose JSON is its text, and on MySQL. */
const JSON_DIRTY = {
  postgres: ['js jt jt jt jt', 'jb js js js js js jt jt jt jt jt jt'],
  mysql: ['jt', 'jt jt jt'],
} as const;

/** Their fields are looked at before the server sees them; those of JSON too, as far as that tells. */
const LOOKED_AT: ReadonlySet<string> = new Set(['day', 'at']);
const TAKEN_BACK = /taken back and sent again/;

interface Copy {
  readonly from: SyncEnd;
  readonly target: TestDatabase;
  readonly corpus: Corpus;
  readonly concurrency: number;
}

/** Without LOCAL INFILE, as a server of MySQL comes, while `work` runs. */
async function withoutLocal<T>(server: TestServer, work: () => Promise<T>): Promise<T> {
  await execute(server, 'SET GLOBAL local_infile = 0');
  try {
    return await work();
  } finally {
    await execute(server, 'SET GLOBAL local_infile = 1');
  }
}

async function copyCorpus(copy: Copy, table: string, lane: Lane, where?: string): Promise<SyncRun> {
  const { from, target, corpus, concurrency } = copy;
  await execute(target.server, tableSql(table, corpus, 'to'), target.name);
  const run = await runSync({
    from,
    to: { kind: 'mysql', server: target.server, database: target.name },
    reader: { table: 'src', sliceKey: 'id', ...(where === undefined ? {} : { where }) },
    writer: { table, mode: 'append' },
    channel: { concurrency, dirtyLimit: { records: 20 } },
    lane,
    identity: { instanceId: table, nodeId: table },
  });
  expect(run.lane).toBe(lane);
  // One dirty row alone has no -0.
  const hasZero = 'd' in corpus && where?.startsWith('id = ') !== true;
  const isCounted = target.server.name === 'mariadb' && hasZero;
  const policies = isCounted ? [{ policy: 'negativeZero', column: 'd', count: 1 }] : [];
  expect(run.policies).toEqual(policies);
  return run;
}

/** Gives the columns that were dirty, in the order of the rows. */
async function compareLanes(copy: Copy): Promise<readonly string[]> {
  const { target, corpus } = copy;
  const dirtyOf = (run: SyncRun): readonly (readonly [number, string, unknown])[] =>
    run.dirty
      .map((d) => [Number(d.cells[0]), String(d.column ?? d.cells[1]), d.cells] as const)
      .toSorted((a, b) => a[0] - b[0]);
  const byRows = dirtyOf(await copyCorpus(copy, 'by_rows', 'rows'));
  const cells = await cellsOf(target, 'by_rows', corpus);
  expect(dirtyOf(await copyCorpus(copy, 'by_text', 'pg-copy-text'))).toEqual(byRows);
  expect(await cellsOf(target, 'by_text', corpus)).toEqual(cells);
  const byInsert = await withoutLocal(target.server, () =>
    copyCorpus(copy, 'by_insert', 'pg-copy-text'),
  );
  expect(byInsert.log).toContainEqual(expect.stringMatching(/written by INSERT: LOCAL INFILE/));
  expect(dirtyOf(byInsert)).toEqual(byRows);
  expect(await cellsOf(target, 'by_insert', corpus)).toEqual(cells);

  // One bad row sends its chunk by INSERT: what LOAD DATA itself makes of the good ones shows without it.
  const ids = byRows.map(([id]) => id);
  const clean = await copyCorpus(copy, 'clean', 'pg-copy-text', `id NOT IN (${ids.join(', ')})`);
  expect(clean.log.filter((line) => TAKEN_BACK.test(line))).toEqual([]);
  expect(await cellsOf(target, 'clean', corpus)).toEqual(cells);
  for (const [id, column] of byRows) {
    const alone = await copyCorpus(copy, `alone_${id}`, 'pg-copy-text', `id = ${id}`);
    expect(alone).toMatchObject({ rowsDirty: 1, rowsWritten: 0 });
    const isTakenBack = alone.log.some((line) => TAKEN_BACK.test(line));
    const isJson = corpus[column]?.[1] === 'json' && alone.dirty[0]?.code === 'MR-D202';
    expect([column, isTakenBack]).toEqual([column, !(isJson || LOOKED_AT.has(column))]);
  }
  return byRows.map(([, column]) => column);
}

describe.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  'lanes into %s',
  (name, server) => {
    ownLocalInfile(server);

    test.each([1, 3])(
      'from PostgreSQL every lane gives the same cells and the same dirty rows, with %i channels',
      async (channels) => {
        await using from = await createDatabase(testServers().postgres);
        await using to = await createDatabase(server);
        const corpus: Corpus = FROM_POSTGRES;
        const sql = [tableSql('src', corpus, 'from'), ...rowsSql(corpus)];
        await execute(from.server, sql.join(';'), from.name);
        const end = { kind: 'postgres', server: from.server, database: from.name } as const;
        expect(
          await compareLanes({
            from: end,
            target: to,
            corpus,
            concurrency: channels,
          }),
        ).toEqual('narrow un nu d day day day at at at zoned zoned'.split(' '));
      },
    );

    test.each([1, 3])(
      'from MySQL every lane gives the same cells and the same dirty rows, with %i channels',
      async (channels) => {
        await using from = await createDatabase(server);
        await using to = await createDatabase(server);
        const mode =
          "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00'";
        const sql = [mode, tableSql('src', FROM_MYSQL, 'from'), ...rowsSql(FROM_MYSQL)];
        await execute(server, sql.join(';'), from.name);
        const end = { kind: 'mysql', server, database: from.name } as const;
        expect(
          await compareLanes({ from: end, target: to, corpus: FROM_MYSQL, concurrency: channels }),
        ).toEqual(['narrow', 'da', 'dt', 'dts']);
      },
    );

    test('JSON of either system arrives the same by every lane', async () => {
      for (const [kind, corpus] of [
        ['postgres', JSON_FROM_POSTGRES],
        ['mysql', JSON_FROM_MYSQL],
      ] as const) {
        await using from = await createDatabase(kind === 'mysql' ? server : testServers().postgres);
        await using to = await createDatabase(server);
        const sql = [tableSql('src', corpus, 'from'), ...rowsSql(corpus)];
        await execute(from.server, sql.join(';'), from.name);
        const end = { kind, server: from.server, database: from.name } as const;
        const dirty = await compareLanes({ from: end, target: to, corpus, concurrency: 1 });
        expect([kind, dirty.join(' ')]).toEqual([
          kind,
          JSON_DIRTY[kind][name === 'mariadb' ? 0 : 1],
        ]);
      }
    });
  },
);
