import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase } from '../../support/servers.js';
import { numbersOf, openReader, slicesOf } from '../../support/reader-job.js';

const ROWS = 1000;

/** A table of `ROWS` rows with the key columns `k` and `j`, its rows numbered by `n`. */
interface Case {
  readonly name: string;
  /** SQL types, without and with a second column. */
  readonly types: readonly [string, string?];
  /** SQL of one value; NULL among them. */
  readonly value: (random: () => number) => string;
  readonly second?: (random: () => number) => string;
  readonly reader?: { readonly sliceKey?: string | readonly string[]; readonly where?: string };
  readonly after?: string;
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1;
    return (state >>> 7) / 2 ** 24;
  };
}

const pick = <T>(random: () => number, all: readonly T[]): T =>
  all[Math.floor(random() * all.length)] as T;
const orNull = (random: () => number, sql: string): string => (random() < 0.1 ? 'NULL' : sql);

/** Negative, crowded and huge ones. */
const integer = (random: () => number): string =>
  orNull(
    random,
    pick(random, [
      String(Math.floor(random() * 1000) - 500),
      String(Math.floor(random() * 20)),
      `${9_223_372_036_854_775_000n + BigInt(Math.floor(random() * 800))}`,
      `-${9_223_372_036_854_775_000n + BigInt(Math.floor(random() * 800))}`,
    ]),
  );
const text = (random: () => number): string => {
  const letters = [
    'a',
    'A',
    'b',
    'B',
    'ä',
    'ß',
    'ss',
    'z',
    'Z',
    '_',
    '-',
    '',
    '中',
    '🙂',
    ' ',
    '\\\\',
  ];
  const word = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(random, letters));
  return orNull(random, `'${word.join('')}${random() < 0.2 ? "''" : ''}'`);
};
const instant = (random: () => number): string => {
  const second = String(Math.floor(random() * 60)).padStart(2, '0');
  const micros = String(Math.floor(random() * 1e6)).padStart(6, '0');
  return orNull(
    random,
    `'${pick(random, ['2024-02-29', '1999-12-31'])} 23:59:${second}.${micros}'`,
  );
};
const bytes =
  (open: string, close: string) =>
  (random: () => number): string =>
    orNull(
      random,
      `${open}${pick(random, ['00', '5c', 'ff', '27'])}${pick(random, ['', '00', '0a'])}${close}`,
    );
const decimal = (random: () => number): string =>
  orNull(random, `${Math.floor(random() * 100) - 50}.${Math.floor(random() * 1e6)}`);

const SHARED: readonly Case[] = [
  {
    name: 'huge and negative integers',
    types: ['bigint'],
    value: integer,
    reader: { sliceKey: 'k' },
  },
  { name: 'decimals', types: ['decimal(20,6)'], value: decimal, reader: { sliceKey: 'k' } },
  {
    name: 'a composite key with NULLs',
    types: ['bigint', 'varchar(9)'],
    value: integer,
    second: text,
    reader: { sliceKey: ['k', 'j'] },
  },
  {
    name: 'two values alone',
    types: ['int'],
    value: (r) => pick(r, ['1', '2']),
    reader: { sliceKey: 'k' },
  },
  {
    name: 'a filter that leaves a few',
    types: ['bigint'],
    value: integer,
    reader: { sliceKey: 'k', where: 'n % 7 = 3 -- few' },
  },
];

const POSTGRES: readonly Case[] = [
  ...SHARED,
  {
    name: 'no key: places of rows',
    types: ['text'],
    value: text,
    after: 'DELETE FROM %T WHERE n % 5 = 0; UPDATE %T SET k = k WHERE n % 3 = 0',
  },
  {
    name: 'places of rows under a filter',
    types: ['text'],
    value: text,
    reader: { where: 'n > 700' },
  },
  {
    name: 'text of a linguistic collation',
    types: ['text COLLATE "en-x-icu"'],
    value: text,
    reader: { sliceKey: 'k' },
  },
  { name: 'text of bytes', types: ['text COLLATE "C"'], value: text, reader: { sliceKey: 'k' } },
  {
    name: 'text whose collation calls a and A equal',
    types: ['text COLLATE ci'],
    value: text,
    reader: { sliceKey: 'k' },
  },
  { name: 'padded text', types: ['char(9)'], value: text, reader: { sliceKey: 'k' } },
  { name: 'microseconds', types: ['timestamptz'], value: instant, reader: { sliceKey: 'k' } },
  { name: 'bytes', types: ['bytea'], value: bytes(`'\\x`, `'::bytea`), reader: { sliceKey: 'k' } },
  {
    name: 'floats with NaN',
    types: ['float8'],
    value: (r) => orNull(r, pick(r, [`'NaN'`, `'-Infinity'`, '0.1', '1e-300', String(r())])),
    reader: { sliceKey: 'k' },
  },
  {
    name: 'booleans',
    types: ['boolean'],
    value: (r) => orNull(r, pick(r, ['true', 'false'])),
    reader: { sliceKey: 'k' },
  },
  {
    name: 'intervals',
    types: ['interval'],
    value: (r) => `'${Math.floor(r() * 99)} days ${Math.floor(r() * 99)} hours'`,
    reader: { sliceKey: 'k' },
  },
];

const MYSQL: readonly Case[] = [
  ...SHARED,
  {
    name: 'no unsigned sign',
    types: ['bigint unsigned'],
    value: (r) => orNull(r, `${18_446_744_073_709_551_000n + BigInt(Math.floor(r() * 600))}`),
    reader: { sliceKey: 'k' },
  },
  {
    name: 'a primary key of two columns',
    types: ['int', 'int'],
    value: (r) => String(Math.floor(r() * 5)),
    second: (r) => String(Math.floor(r() * 1e9)),
    after: 'ALTER TABLE %T ADD PRIMARY KEY (k, j)',
  },
  {
    name: 'text whose collation calls a and A equal',
    types: ['varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci'],
    value: text,
    reader: { sliceKey: 'k' },
  },
  {
    name: 'text of bytes',
    types: ['varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'],
    value: text,
    reader: { sliceKey: 'k' },
  },
  {
    name: 'text of another character set',
    types: ['varchar(9) CHARACTER SET latin1'],
    value: (r) => orNull(r, pick(r, [`'ä'`, `'A'`, `'a '`, `'ß'`, `'é'`])),
    reader: { sliceKey: 'k' },
  },
  {
    name: 'microseconds',
    types: ['datetime(6)'],
    value: instant,
    reader: { sliceKey: 'k' },
  },
  {
    name: 'dates that are none',
    types: ['date'],
    value: (r) =>
      orNull(r, pick(r, [`'0000-00-00'`, `'2024-02-31'`, `'2024-00-10'`, `'2024-03-01'`])),
    reader: { sliceKey: 'k' },
  },
  {
    name: 'bytes',
    types: ['varbinary(9)'],
    value: bytes(`x'`, `'`),
    reader: { sliceKey: 'k' },
  },
  {
    name: 'an enum, whose order is not that of its texts',
    types: [`enum('z','a','m')`],
    value: (r) => orNull(r, pick(r, [`'z'`, `'a'`, `'m'`])),
    reader: { sliceKey: 'k' },
  },
  {
    name: 'floats',
    types: ['float'],
    value: (r) => orNull(r, pick(r, ['0.1', '16777216', '-1e30', String(r())])),
    reader: { sliceKey: 'k' },
  },
  {
    name: 'bits',
    types: ['bit(9)'],
    value: (r) => orNull(r, String(Math.floor(r() * 500))),
    reader: { sliceKey: 'k' },
  },
  {
    name: 'times',
    types: ['time(6)'],
    value: (r) => orNull(r, `'${pick(r, ['-838', '00', '100'])}:00:0${Math.floor(r() * 9)}.5'`),
    reader: { sliceKey: 'k' },
  },
];

async function fill(database: TestDatabase, table: string, one: Case, seed: number): Promise<void> {
  const random = randomOf(seed);
  const [first, second] = one.types;
  const rows = Array.from({ length: ROWS }, (_, n) => {
    const j = one.second === undefined ? '' : `, ${one.second(random)}`;
    return `(${n}, ${one.value(random)}${j})`;
  });
  const mode = database.server.kind === 'mysql' ? `SET sql_mode = 'ALLOW_INVALID_DATES'; ` : '';
  const columns = `n int NOT NULL, k ${first}${second === undefined ? '' : `, j ${second}`}`;
  const analyze = database.server.kind === 'mysql' ? 'ANALYZE TABLE' : 'ANALYZE';
  const after = one.after === undefined ? '' : `${one.after.replaceAll('%T', table)};`;
  const key = [one.reader?.sliceKey ?? []].flat();
  const isIndexed = database.server.kind === 'mysql' && key.length > 0 && !one.reader?.where;
  const index = isIndexed ? `CREATE INDEX i ON ${table} (${key.join(', ')});` : '';
  await execute(
    database.server,
    `${mode}CREATE TABLE ${table} (${columns}); INSERT INTO ${table} VALUES ${rows.join()}; ${after} ${index} ${analyze} ${table}`,
    database.name,
  );
}

const { postgres } = testServers();

describe.each([postgres, ...mysqlTestServers()].map((server) => [server.name, server] as const))(
  'slices on %s',
  (_, server) => {
    let database: TestDatabase;
    const cases = server.kind === 'mysql' ? MYSQL : POSTGRES;

    beforeAll(async () => {
      database = await createDatabase(server);
      if (server.kind === 'postgres') {
        const ci = `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`;
        await execute(server, ci, database.name);
      }
    });
    afterAll(async () => await database[Symbol.asyncDispose]());

    test.each(cases.map((one, i) => [one.name, one, i] as const))(
      'are the table, no row twice: %s',
      async (_name, one, i) => {
        const table = `t${i}`;
        await fill(database, table, one, i + 1);
        const job = await openReader(server, database.name, { table, ...one.reader });
        try {
          await job.describe();
          expect((await job.check()).filter((f) => f.level === 'error')).toEqual([]);
          await job.pinSnapshot?.(2);
          const where = /n [^-]*/.exec(one.reader?.where ?? 'n >= 0')?.[0];
          const expected = await execute(
            server,
            `SELECT n FROM ${table} WHERE ${where ?? ''} ORDER BY n`,
            database.name,
          );
          const slices = await slicesOf(job, 7);
          const read = await numbersOf(job, slices, 2);
          expect(read).toEqual(expected.map((row) => Number(row['n'])));
          expect(slices.length).toBeGreaterThan(1);
        } finally {
          await job.close('succeeded');
        }
      },
    );
  },
);
