import { describe, expect, test } from '@jest/globals';
import { CollectingSink, makeJobContext, makeWriteContext, publish } from '@millrace/testkit';
import { PostgresReaderJob } from './reader-job.js';
import { openWorld } from './testing/world.js';
import { PostgresWriterJob } from './writer-job.js';

/** Type and hard values, as SQL. */
const CORPUS: Readonly<Record<string, readonly string[]>> = {
  smallint: ['-32768', '32767'],
  integer: ['-2147483648', '2147483647'],
  bigint: ['-9223372036854775808', '9223372036854775807', '9007199254740993'],
  numeric: ["'NaN'", "'Infinity'", '0.000000000000000000000000000001', '1e40', '-0.10'],
  'numeric(10,2)': ['99999999.99', "'NaN'", '0'],
  'numeric(5,-2)': ['1234500', '-100'],
  'numeric(3,5)': ['0.00999'],
  real: ['3.4028235e38', '1e-45', '16777216', "'NaN'", "'-Infinity'", '0.1', "'-0'"],
  'double precision': ['1.7976931348623157e308', '5e-324', '0.1', "'-0'", "'Infinity'", '1e22'],
  money: ['-92233720368547758.08', '12.34'],
  boolean: ['true', 'false'],
  text: [
    "''",
    "'\\N'",
    "'\\.'",
    "E'tab\\tcr\\rlf\\nbs\\\\'",
    "'😀 漢字 é'",
    "'trailing  '",
    "'NULL'",
  ],
  'varchar(5)': ["'abc  '", "'😀😀😀😀😀'"],
  'char(5)': ["'a'", "'12345'", "''"],
  bytea: ["'\\x'", "'\\x00095c0a0dff'"],
  date: ["'infinity'", "'-infinity'", "'0044-03-15 BC'", "'9999-12-31'", "'5874897-12-31'"],
  'time(3)': ["'23:59:59.999'", "'24:00:00'"],
  time: ["'00:00:00.000001'"],
  timetz: ["'12:00:00.5+05:30'", "'00:00:00-12'"],
  'timestamp(0)': ["'2024-03-31 02:30:00'"],
  timestamp: ["'infinity'", "'0001-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'"],
  timestamptz: ["'2024-10-27 01:30:00+01'", "'-infinity'", "'4713-01-01 00:00:00+00 BC'"],
  interval: ["'1 year -2 days 03:04:05.000006'", "'-838:59:59'", "'0'"],
  'interval(2)': ["'1.25 seconds'"],
  json: ['\'{"a":  1.10, "a":"\\u00e9"}\''],
  jsonb: ['\'{"n": 123456789012345678901234567890.12345}\'', "'null'"],
  uuid: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
  'bit(3)': ["B'101'"],
  'bit varying(8)': ["B''", "B'00000001'"],
  'text[]': ["ARRAY['a,\"b', NULL, '', 'NULL', '{\\}']", "'{}'", "'[0:1]={x,y}'"],
  int4range: ["'[1,5)'", "'empty'"],
  inet: ["'192.168.0.1/24'", "'::1'"],
  point: ["'(1.5,-2)'"],
  tsvector: ["'a:1 b''c:2'"],
  xml: ["'<a>&lt;</a>'"],
  mood: ["'so, so'"],
  small: ["'ab'"],
  oid: ['4294967295'],
};

describe('every type of PostgreSQL', () => {
  test.each([1, 2])('arrives as it left, with %i writer(s)', async (writers) => {
    const types = Object.keys(CORPUS);
    const columns = types.map((type, i) => `c${i} ${type}`).join(', ');
    await using world = await openWorld(
      `CREATE TYPE mood AS ENUM ('so, so'); CREATE DOMAIN small AS varchar(3) CHECK (value <> 'no');
       CREATE TABLE source (n int, ${columns}); CREATE TABLE target (n int, ${columns});
       INSERT INTO source (n) VALUES (0)`,
    );
    for (const [i, type] of types.entries()) {
      for (const value of CORPUS[type] ?? []) {
        await world.sql(
          `INSERT INTO source (n, c${i}) VALUES (${i + 1}, CAST(${value} AS ${type}))`,
        );
      }
    }
    const { dataSource } = world;
    const reader = new PostgresReaderJob({ table: 'source' }, makeJobContext(dataSource));
    const schema = await reader.describe();
    const mapping = { columns: schema.columns.map((source) => ({ source, target: source.name })) };
    const sink = new CollectingSink();
    const task = await reader.open(0);
    for await (const slice of reader.slices({ count: 1 })) {
      await task.read(slice, sink, new AbortController().signal);
    }
    await task.close();
    await reader.close('succeeded');

    const ctx = makeWriteContext(dataSource, mapping, { writers, dirtyLimit: 1000 });
    const writer = new PostgresWriterJob({ table: 'target', mode: 'append' }, ctx);
    const { verdicts } = await writer.check(schema);
    expect(verdicts.filter((v) => v.verdict === 'impossible')).toEqual([]);
    await publish(writer, sink.rows, writers);

    expect(ctx.dirty.map((d) => [d.column, d.reason])).toEqual([]);
    const all = (table: string) => world.sql(`SELECT t::text AS row FROM ${table} t ORDER BY 1`);
    expect(await all('target')).toEqual(await all('source'));
    expect(sink.rows.length).toBe(1 + Object.values(CORPUS).flat().length);
  });
});
