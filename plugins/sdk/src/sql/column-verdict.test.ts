import { describe, expect, test } from '@jest/globals';
import type { Cell } from '../chunk.js';
import type { Column, LogicalType } from '../table.js';
import { compileConversion } from './cell-conversion.js';
import { columnVerdict } from './column-verdict.js';
import type { SqlDialect } from './statements.js';
import { compileCheck } from './value-check.js';

const column = (type: LogicalType, nativeType: string = type.kind): Column => ({
  name: 'c',
  nativeType,
  type,
  nullable: true,
});

const bytes = (count: number): Uint8Array => new Uint8Array(count).fill(1);

/** Columns with values at the ends of what they hold. */
const SOURCES: readonly (readonly [source: Column, values: readonly Cell[]])[] = [
  ...([8, 16, 24, 32, 64] as const).flatMap((bits) => {
    const most = 2n ** BigInt(bits);
    return [
      [column({ kind: 'integer', bits, unsigned: true }), ['0', `${most - 1n}`]] as const,
      [
        column({ kind: 'integer', bits, unsigned: false }),
        [`${-most / 2n}`, `${most / 2n - 1n}`],
      ] as const,
    ];
  }),
  [column({ kind: 'integer', bits: 16, unsigned: true }, 'year'), ['0', '1901', '2155']],
  [column({ kind: 'decimal', precision: 5, scale: 2 }), ['999.99', '-0.01']],
  [column({ kind: 'decimal', precision: 5, scale: 0 }), ['99999', '-99999']],
  [column({ kind: 'decimal' }), ['1e40', 'NaN', '0.000000000000000001']],
  [column({ kind: 'float', bits: 32 }), ['3.4028235e38', '1e-45', 'NaN', '0.1']],
  [column({ kind: 'float', bits: 64 }), ['1.7976931348623157e308', '5e-324', '-Infinity']],
  [column({ kind: 'boolean' }), ['true', 'false']],
  [column({ kind: 'text', length: 3 }), ['', '漢字😀', 'a  ', 'no']],
  [column({ kind: 'text', length: 100 }), ['漢'.repeat(100)]],
  [column({ kind: 'text', length: 3, padded: true }), ['', '漢字😀', 'a  ']],
  [column({ kind: 'text' }, 'longtext'), ['', 'x'.repeat(70_000)]],
  [column({ kind: 'text', length: 1 }, "enum('a','b')"), ['a', 'b']],
  [column({ kind: 'bytes', length: 4 }, 'varbinary(4)'), [bytes(0), bytes(4)]],
  [column({ kind: 'bytes', length: 4 }, 'binary(4)'), [bytes(4)]],
  [column({ kind: 'bytes' }), [bytes(0), bytes(70_000)]],
  [column({ kind: 'bits', length: 1 }), ['0', '1']],
  [column({ kind: 'bits', length: 12 }), ['000000000001']],
  [column({ kind: 'date' }), ['2024-02-29', 'infinity', '0044-03-15 BC', '5874897-12-31']],
  [column({ kind: 'time', fraction: 6 }), ['23:59:59.999999', '24:00:00', '-838:59:59']],
  [column({ kind: 'time', fraction: 0, zoned: true }), ['23:59:59+05:30']],
  ...([0, 6] as const).flatMap((fraction) => {
    const digits = fraction === 0 ? '' : '.999999';
    const years = [`9999-12-31 23:59:59${digits}`, `294276-12-31 23:59:59${digits}`];
    return [
      [
        column({ kind: 'timestamp', fraction, zoned: false }),
        [...years, 'infinity', `4713-01-01 00:00:00${digits} BC`],
      ] as const,
      [
        column({ kind: 'timestamp', fraction, zoned: true }),
        [...years.map((year) => `${year}+00`), '-infinity', `0001-01-01 00:00:00${digits}+00 BC`],
      ] as const,
    ];
  }),
  [column({ kind: 'interval' }), ['P1Y2M', 'PT838H59M59.5S', 'PT0S']],
  [column({ kind: 'json' }, 'json'), ['{"a":1,"a":2}', '[1e400]', '1']],
  [
    { ...column({ kind: 'json', normalized: true }, 'jsonb'), dialect: 'postgres' },
    ['{"a": 0.12345678901234567890}'],
  ],
  [{ ...column({ kind: 'json', normalized: true }), dialect: 'mysql' }, ['[-0.0, 1e300]']],
  [{ ...column({ kind: 'text', length: 300 }), dialect: 'mysql' }, ['a\0b', '漢'.repeat(300)]],
  [{ ...column({ kind: 'decimal', precision: 5, scale: 2 }), dialect: 'postgres' }, ['NaN']],
  [{ ...column({ kind: 'float', bits: 64 }), dialect: 'mysql' }, ['1.5']],
  [
    { ...column({ kind: 'time', fraction: 6, zoned: false }), dialect: 'postgres' },
    ['24:00:00', '00:00:00.000001'],
  ],
  [
    { ...column({ kind: 'timestamp', fraction: 3, zoned: false }), dialect: 'mysql' },
    ['9999-12-31 23:59:59.999'],
  ],
  [column({ kind: 'uuid' }), ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  [column({ kind: 'other' }, 'inet'), ['192.168.0.1/24', '::1']],
  ...(
    [
      { kind: 'text' },
      { kind: 'integer', bits: 64, unsigned: false },
      { kind: 'decimal' },
      { kind: 'float', bits: 64 },
      { kind: 'boolean' },
      { kind: 'date' },
      { kind: 'timestamp', fraction: 6, zoned: false },
      { kind: 'json' },
    ] as const
  ).map((type) => [{ ...column(type), unchecked: true }, ['', 'abc', 'a\0b', '1']] as const),
];

const MORE_TARGETS: readonly Column[] = [
  column({ kind: 'bytes', length: 16 }, 'binary(16)'),
  column({ kind: 'bytes', length: 16 }, 'varbinary(16)'),
  column({ kind: 'bytes', length: 36 }, 'binary(36)'),
  column({ kind: 'bytes', length: 36 }, 'varbinary(36)'),
  column({ kind: 'text', length: 255 }, 'tinytext'),
  column({ kind: 'text', length: 36 }, 'char(36)'),
  column({ kind: 'decimal', precision: 20, scale: 0 }),
  column({ kind: 'decimal', precision: 22, scale: 2 }),
];

function refused(source: Column, target: Column, dialect: SqlDialect, cell: Cell): boolean {
  const convert = compileConversion(source, target, dialect);
  const check = compileCheck(target, dialect, source);
  return check(convert === undefined ? cell : convert(cell)) !== undefined;
}

test('into bytes says how many, and is impossible where no value has as many', () => {
  const verdict = (from: LogicalType, to: Column) => {
    const { verdict, reason } = columnVerdict(column(from), to, 'mysql');
    return reason === undefined ? verdict : `${verdict}: ${reason}`;
  };
  const binary = column({ kind: 'bytes', length: 16 }, 'binary(16)');
  const varbinary = column({ kind: 'bytes', length: 36 }, 'varbinary(36)');
  expect([
    verdict({ kind: 'uuid' }, binary),
    verdict({ kind: 'uuid' }, varbinary),
    verdict({ kind: 'text' }, binary),
    verdict({ kind: 'text' }, varbinary),
    verdict({ kind: 'text', length: 9 }, varbinary),
    verdict({ kind: 'timestamp', fraction: 6, zoned: false }, binary),
    verdict({ kind: 'boolean' }, binary),
    verdict({ kind: 'bytes' }, binary),
    verdict({ kind: 'uuid' }, column({ kind: 'bytes' }, 'longblob')),
  ]).toEqual([
    'impossible: its values have 36 bytes, not 16',
    'widened',
    'policy: only values of 16 bytes',
    'policy: more than 36 bytes are refused',
    'widened',
    'policy: only values of 16 bytes',
    'impossible: its values have at most 5 bytes, not 16',
    'policy: only values of 16 bytes',
    'widened',
  ]);
});

test('into text says how many characters, where a type has a number of them', () => {
  const verdict = (from: LogicalType, length: number) =>
    columnVerdict(column(from), column({ kind: 'text', length }), 'postgres').verdict;
  expect([
    verdict({ kind: 'uuid' }, 36),
    verdict({ kind: 'uuid' }, 35),
    verdict({ kind: 'bits', length: 70 }, 70),
    verdict({ kind: 'integer', bits: 64, unsigned: false }, 20),
    verdict({ kind: 'integer', bits: 64, unsigned: false }, 19),
    verdict({ kind: 'interval' }, 80),
  ]).toEqual(['widened', 'impossible', 'widened', 'widened', 'policy', 'policy']);
});

test('into a list of members or a year says that no other value is taken', () => {
  const verdict = (from: string, to: string) => {
    const text = (nativeType: string) => column({ kind: 'text', length: 1 }, nativeType);
    return columnVerdict(text(from), text(to), 'mysql').verdict;
  };
  expect([
    verdict('varchar(1)', "enum('a')"),
    verdict("enum('a')", "enum('a')"),
    verdict("set('a')", "set('a')"),
    verdict("set('a')", 'varchar(1)'),
  ]).toEqual(['policy', 'policy', 'exact', 'exact']);
  const year = column({ kind: 'integer', bits: 16, unsigned: true }, 'year');
  const number = column({ kind: 'integer', bits: 16, unsigned: true }, 'smallint unsigned');
  expect(columnVerdict(number, year, 'mysql').verdict).toBe('policy');
  expect(columnVerdict(year, year, 'mysql').verdict).toBe('exact');
});

describe.each(['postgres', 'mysql'] as const)('the verdict of a column for %s', (dialect) => {
  const targets = [...SOURCES.map(([target]) => target), ...MORE_TARGETS];
  test.each(SOURCES)('of %j: is exact or widened where no value is refused', (source, values) => {
    const untrue = targets.flatMap((target) => {
      const { verdict } = columnVerdict(source, target, dialect);
      const isKept = verdict === 'exact' || verdict === 'widened';
      return isKept && values.some((cell) => refused(source, target, dialect, cell))
        ? [`${verdict}: ${target.nativeType} ${JSON.stringify(target.type)}`]
        : [];
    });
    expect(untrue).toEqual([]);
  });
});

test('documents in an array of jsonb come from such an array alone: nobody looks for their repeated keys', () => {
  const column = (kind: 'text' | 'other', nativeType: string): Column => ({
    name: 'c',
    nativeType,
    type: { kind },
    nullable: true,
  });
  const target = column('other', 'jsonb[]');
  const verdictOf = (source: Column) => columnVerdict(source, target, 'postgres').verdict;
  expect(verdictOf(column('other', 'jsonb[]'))).toBe('exact');
  expect(verdictOf(column('other', 'json[]'))).toBe('impossible');
  expect(verdictOf(column('text', 'text'))).toBe('impossible');
});
