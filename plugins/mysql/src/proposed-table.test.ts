import { describe, expect, test } from '@jest/globals';
import { columnVerdict } from '@millrace/sdk';
import type { Column, LogicalType } from '@millrace/sdk';

import { proposedTable } from './proposed-table.js';

type Given = Partial<Column> & Pick<Column, 'type'>;

const propose = (
  columns: readonly Given[],
  key: readonly string[] = [],
  system: 'mysql' | 'mariadb' = 'mysql',
) =>
  proposedTable(
    { database: 'db', table: 't`1' },
    {
      columns: columns.map((column, i) => {
        const nativeType = column.type.kind;
        const source = { name: `c${i}`, nativeType, nullable: true, ...column };
        return { name: source.name, source, nullable: source.nullable };
      }),
      key,
      notes: [],
    },
    {
      system,
      keyCollation: 'utf8mb4_0900_bin',
      hasCollation: (name) => name === 'latin1_swedish_ci',
    },
  );

/** The column's line of the statement, without its name. */
const lineOf = (...given: Parameters<typeof propose>): string | undefined =>
  /^ {2}`c0` (.*),?$/m.exec(propose(...given).sql)?.[1]?.replace(/,$/, '');

const integer = (bits: 8 | 16 | 24 | 32 | 64, unsigned = false): LogicalType => ({
  kind: 'integer',
  bits,
  unsigned,
});
const text = (length?: number): LogicalType =>
  length === undefined ? { kind: 'text' } : { kind: 'text', length };

const TYPES: readonly (readonly [type: LogicalType, proposed: string])[] = [
  [{ kind: 'boolean' }, 'tinyint(1)'],
  [integer(16), 'smallint'],
  [integer(32, true), 'int unsigned'],
  [integer(64), 'bigint'],
  [{ kind: 'decimal', precision: 10, scale: 2 }, 'decimal(10,2)'],
  [{ kind: 'decimal', precision: 5, scale: -2 }, 'decimal(7,0)'],
  [{ kind: 'decimal', precision: 3, scale: 5 }, 'decimal(5,5)'],
  [{ kind: 'decimal', precision: 66, scale: 0 }, 'longtext'],
  [{ kind: 'decimal', precision: 40, scale: 31 }, 'longtext'],
  [{ kind: 'float', bits: 32 }, 'float'],
  [{ kind: 'float', bits: 64 }, 'double'],
  [text(), 'longtext'],
  [text(40), 'varchar(40)'],
  [text(16_383), 'varchar(16383)'],
  [text(16_384), 'longtext'],
  [{ kind: 'text', length: 5, padded: true }, 'char(5)'],
  [{ kind: 'text', length: 300, padded: true }, 'varchar(300)'],
  [{ kind: 'bytes' }, 'longblob'],
  [{ kind: 'bits', length: 64 }, 'bit(64)'],
  [{ kind: 'bits', length: 65 }, 'varchar(65)'],
  [{ kind: 'date' }, 'date'],
  [{ kind: 'time', fraction: 3 }, 'time(3)'],
  [{ kind: 'time', fraction: 6, zoned: true }, 'varchar(21)'],
  [{ kind: 'timestamp', fraction: 6, zoned: false }, 'datetime(6)'],
  [{ kind: 'timestamp', fraction: 9, zoned: true }, 'datetime(6)'],
  [{ kind: 'interval' }, 'longtext'],
  [{ kind: 'json' }, 'json'],
  [{ kind: 'uuid' }, 'char(36) CHARACTER SET ascii'],
  [{ kind: 'other' }, 'longtext'],
  [{ kind: 'decimal' }, 'decimal(65,30)'],
];

describe('the type of a column in MySQL', () => {
  test.each(TYPES)('%j is %s', (type, proposed) => {
    expect(lineOf([{ type }])).toBe(`${proposed} NULL`);
  });

  test.each(TYPES)('%j keeps what %s can say', (type) => {
    const source = { name: 'c', nativeType: type.kind, type, nullable: true };
    const [target] = propose([source]).schema.columns;
    expect(target && columnVerdict(source, target, 'mysql').verdict).not.toBe('impossible');
  });

  test('says where it holds less', () => {
    const { notes } = propose([
      { type: { kind: 'decimal' } },
      { type: { kind: 'timestamp', fraction: 6, zoned: true } },
      { type: { kind: 'decimal', precision: 66, scale: 1 } },
      { type: { kind: 'decimal', precision: 65, scale: 30 } },
    ]);
    expect(notes.map((note) => note.split(':')[0])).toEqual(['c0', 'c1', 'c2']);
  });
});

describe('a column of MySQL or MariaDB', () => {
  const set = { nativeType: "set('a','b')", type: text(3) } as const;

  test('keeps its type, also that of the other one, with a collation that is known here', () => {
    const latin = { charset: 'latin1', collation: 'latin1_swedish_ci' } as const;
    const line = "set('a','b') CHARACTER SET latin1 COLLATE latin1_swedish_ci NULL";
    expect(lineOf([{ ...set, ...latin, system: 'mysql' }])).toBe(line);
    expect(lineOf([{ ...set, ...latin, system: 'mariadb' }])).toBe(line);
    const other = { charset: 'utf8mb4', collation: 'utf8mb4_uca1400_ai_ci' } as const;
    const { sql, notes } = propose([{ ...set, ...other, system: 'mariadb' }]);
    expect(sql).toContain("`c0` set('a','b') NULL");
    expect(notes).toEqual(['c0: utf8mb4 utf8mb4_uca1400_ai_ci is not known here: utf8mb4']);
  });

  test('goes by what it means where only one of them has it', () => {
    const system = 'mariadb';
    expect(lineOf([{ nativeType: 'uuid', type: { kind: 'uuid' }, system }])).toContain('char(36)');
    expect(lineOf([{ nativeType: 'inet6', type: { kind: 'other' }, system }])).toContain(
      'longtext',
    );
    const vector = { kind: 'bytes', length: 12 } as const;
    expect(lineOf([{ nativeType: 'vector(3)', type: vector, system }])).toBe('varbinary(12) NULL');
    const collected = { nativeType: 'geomcollection', type: { kind: 'bytes' }, system } as const;
    expect(lineOf([collected])).toBe('geometrycollection NULL');
    const uuid = { nativeType: 'uuid', type: { kind: 'uuid' }, system } as const;
    expect(lineOf([uuid], [], 'mariadb')).toBe('uuid NULL');
  });

  test('of JSON is text with a rule in MariaDB', () => {
    const { sql, schema } = propose([{ type: { kind: 'json' } }], [], 'mariadb');
    expect(sql).toContain('`c0` json NULL');
    expect(schema.columns[0]).toMatchObject({ nativeType: 'longtext', type: { kind: 'text' } });
  });
});

describe('the key', () => {
  test('compares its texts byte by byte, and they share the bytes of an index', () => {
    const { sql, schema, notes } = propose(
      [
        { type: text(), nullable: false },
        { type: text(40), nullable: false },
        { type: integer(64), nullable: false },
        { type: { kind: 'uuid' }, nullable: false },
      ],
      ['c0', 'c1', 'c2', 'c3'],
    );
    // 3072 bytes less 8, 36 and 160, of four each.
    expect(sql).toContain('`c0` varchar(717) COLLATE utf8mb4_0900_bin NOT NULL');
    expect(sql).toContain('`c1` varchar(40) COLLATE utf8mb4_0900_bin NOT NULL');
    expect(sql).toContain('`c3` char(36) CHARACTER SET ascii NOT NULL');
    expect(schema.primaryKey).toEqual(['c0', 'c1', 'c2', 'c3']);
    expect(notes).toEqual(['c0: 717 characters at most, since it is of the key']);
  });

  test('keeps the collation that a text of MySQL has', () => {
    const own = { system: 'mysql', charset: 'latin1', collation: 'latin1_swedish_ci' } as const;
    const given = { nativeType: 'varchar(9)', type: text(9), nullable: false, ...own };
    const line = 'varchar(9) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL';
    expect(lineOf([given], ['c0'])).toBe(line);
  });

  test.each([
    ['bytes', { kind: 'bytes' }],
    ['JSON', { kind: 'json' }],
  ] as const)('is left out where a column of it is %s', (_name, type) => {
    const { sql, schema, notes } = propose([{ type, nullable: false }], ['c0']);
    expect(sql).not.toContain('PRIMARY KEY');
    expect(schema.primaryKey).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/^no primary key: c0 is /)]);
  });

  test('may be of short bytes', () => {
    const { sql } = propose([{ type: { kind: 'bytes', length: 16 } }], ['c0']);
    expect(sql).toContain('PRIMARY KEY (`c0`)');
  });
});

test('the longest texts of a row that is too long become LONGTEXT, until it fits', () => {
  const { sql, notes } = propose([
    { type: text(8000) },
    { type: text(9000) },
    { type: text(4000) },
    { type: text(100) },
  ]);
  expect(sql.match(/`c\d` \w+(\(\d+\))?/g)).toEqual([
    '`c0` varchar(8000)',
    '`c1` longtext',
    '`c2` varchar(4000)',
    '`c3` varchar(100)',
  ]);
  expect(notes).toEqual(['c1: LONGTEXT, since the row would be longer than 65535 bytes']);
});

test('the statement has a line for each column', () => {
  const { sql } = propose(
    [
      { name: 'a`b', type: integer(64), nullable: false },
      { name: 'ts', nativeType: 'timestamp(6)', type: { kind: 'date' }, system: 'mysql' },
    ],
    ['a`b'],
  );
  expect(sql).toBe(`CREATE TABLE \`db\`.\`t\`\`1\` (
  \`a\`\`b\` bigint NOT NULL,
  \`ts\` timestamp(6) NULL,
  PRIMARY KEY (\`a\`\`b\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
});
