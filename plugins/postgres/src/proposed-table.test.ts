import { describe, expect, test } from '@jest/globals';
import type { Column, LogicalType } from '@millrace/sdk';
import { columnVerdict } from '@millrace/sdk';
import { proposedTable } from './proposed-table.js';

const propose = (columns: readonly Partial<Column>[], key: readonly string[] = []) =>
  proposedTable(
    { schema: 'public', table: 't "1"' },
    {
      columns: columns.map((column, i) => {
        const type = column.type ?? ({ kind: 'text' } as const);
        const source = { name: `c${i}`, nativeType: type.kind, type, nullable: true, ...column };
        return { name: source.name, source, nullable: source.nullable };
      }),
      key,
      notes: [],
    },
    (nativeType) => nativeType !== 'mood',
  );

const typeOf = (column: Partial<Column>): string | undefined =>
  propose([column]).schema.columns[0]?.nativeType;

const integer = (bits: 8 | 16 | 24 | 32 | 64, unsigned = false): LogicalType => ({
  kind: 'integer',
  bits,
  unsigned,
});

const TYPES: readonly (readonly [native: string, type: LogicalType, proposed: string])[] = [
  ['tinyint', integer(8), 'smallint'],
  ['tinyint unsigned', integer(8, true), 'smallint'],
  ['smallint unsigned', integer(16, true), 'integer'],
  ['mediumint unsigned', integer(24, true), 'integer'],
  ['int', integer(32), 'integer'],
  ['int unsigned', integer(32, true), 'bigint'],
  ['bigint', integer(64), 'bigint'],
  ['bigint unsigned', integer(64, true), 'numeric(20,0)'],
  ['year', integer(16, true), 'smallint'],
  ['decimal(65,30)', { kind: 'decimal', precision: 65, scale: 30 }, 'numeric(65,30)'],
  ['decimal', { kind: 'decimal' }, 'numeric'],
  ['float', { kind: 'float', bits: 32 }, 'real'],
  ['double', { kind: 'float', bits: 64 }, 'double precision'],
  ['bit(10)', { kind: 'bits', length: 10 }, 'bit(10)'],
  ['char(10)', { kind: 'text', length: 10, padded: true }, 'character varying(10)'],
  ['varchar(60)', { kind: 'text', length: 60 }, 'character varying(60)'],
  ['tinytext', { kind: 'text', length: 255 }, 'text'],
  ["enum('a')", { kind: 'text', length: 1 }, 'text'],
  ['constant', { kind: 'text' }, 'text'],
  ['binary(4)', { kind: 'bytes', length: 4 }, 'bytea'],
  ['date', { kind: 'date' }, 'date'],
  ['time(3)', { kind: 'time', fraction: 3 }, 'time(3) without time zone'],
  [
    'datetime(6)',
    { kind: 'timestamp', fraction: 6, zoned: false },
    'timestamp(6) without time zone',
  ],
  ['timestamp', { kind: 'timestamp', fraction: 0, zoned: true }, 'timestamp(0) with time zone'],
  ['json', { kind: 'json' }, 'jsonb'],
  ['uuid', { kind: 'uuid' }, 'uuid'],
  ['inet6', { kind: 'other' }, 'inet'],
  ['boolean', { kind: 'boolean' }, 'boolean'],
  ['interval', { kind: 'interval' }, 'interval'],
  ['point', { kind: 'other' }, 'text'],
];

describe('the type of a column in PostgreSQL', () => {
  test.each(TYPES)('%s is %j: %s', (nativeType, type, proposed) => {
    expect(typeOf({ nativeType, type })).toBe(proposed);
  });

  test.each(TYPES)('%s keeps what %j can say', (nativeType, type) => {
    const source = { name: 'c', nativeType, type, nullable: true };
    const [target] = propose([source]).schema.columns;
    const verdict = target && columnVerdict(source, target, 'postgres').verdict;
    const isRefusing = /^(year|time\(|json|inet)/.test(nativeType);
    expect(verdict).toEqual(isRefusing ? 'policy' : expect.stringMatching(/^(exact|widened)$/));
  });

  test('of PostgreSQL itself is the same, unless it is not known here', () => {
    const system = 'postgres';
    expect(typeOf({ nativeType: 'json', type: { kind: 'json' }, system })).toBe('json');
    expect(typeOf({ nativeType: 'int4range', type: { kind: 'other' }, system })).toBe('int4range');
    const { schema, notes } = propose([{ nativeType: 'mood', type: { kind: 'other' }, system }]);
    expect([schema.columns[0]?.type, notes]).toEqual([
      { kind: 'text' },
      ['"c0": there is no type mood here: text'],
    ]);
  });
});

test('the statement has a line for each column, and its key', () => {
  const { sql, schema } = propose(
    [
      { name: 'id', type: integer(64), nullable: false },
      { name: 'a "b"', type: { kind: 'date' } },
    ],
    ['id'],
  );
  expect(sql).toBe(`CREATE TABLE "public"."t ""1""" (
  "id" bigint NOT NULL,
  "a ""b""" date,
  PRIMARY KEY ("id")
)`);
  expect(schema.primaryKey).toEqual(['id']);
});
