import { describe, expect, test } from '@jest/globals';
import type { Cell } from '../chunk.js';
import type { Column, LogicalType } from '../table.js';
import { compileConversion } from './cell-conversion.js';
import { columnVerdict } from './column-verdict.js';
import { compileCheck } from './value-check.js';

const column = (type: LogicalType, more: Partial<Column> = {}): Column => ({
  name: 'c',
  nativeType: type.kind,
  type,
  nullable: true,
  ...more,
});
const int = (bits: 8 | 16 | 24 | 32 | 64, unsigned = false) =>
  column({ kind: 'integer', bits, unsigned });

type Case = readonly [string, Column, Cell, boolean];
const CASES: readonly Case[] = [
  ['the largest bigint', int(64), '9223372036854775807', true],
  ['one more than the largest bigint', int(64), '9223372036854775808', false],
  ['the largest unsigned bigint', int(64, true), '18446744073709551615', true],
  ['a negative unsigned', int(32, true), '-1', false],
  ['a fraction for an integer', int(32), '1.5', false],
  [
    'a decimal of the right scale',
    column({ kind: 'decimal', precision: 5, scale: 2 }),
    '999.990',
    true,
  ],
  ['a decimal to be rounded', column({ kind: 'decimal', precision: 5, scale: 2 }), '1.005', false],
  ['a decimal too large', column({ kind: 'decimal', precision: 5, scale: 2 }), '1000', false],
  [
    'an exponent within the scale',
    column({ kind: 'decimal', precision: 5, scale: 2 }),
    '1.5e-1',
    true,
  ],
  ['a float of 7 digits', column({ kind: 'float', bits: 32 }), '3.1415927', true],
  ['a double in a float', column({ kind: 'float', bits: 32 }), '3.141592653589793', false],
  ['2^24 + 1 in a float', column({ kind: 'float', bits: 32 }), '16777217', false],
  ['a shortest double', column({ kind: 'float', bits: 64 }), '2.2250738585072014e-308', true],
  ['2^53 + 1 in a double', column({ kind: 'float', bits: 64 }), '9007199254740993', false],
  ['a double that overflows', column({ kind: 'float', bits: 64 }), '1e400', false],
  ['a text of n code points', column({ kind: 'text', length: 2 }), '😀😀', true],
  ['a text with a trailing blank too many', column({ kind: 'text', length: 2 }), 'ab ', false],
  ['half a surrogate pair', column({ kind: 'text' }), 'a\ud800', false],
  [
    'trailing blanks in a padded column',
    column({ kind: 'text', length: 5, padded: true }),
    'a ',
    false,
  ],
  ['bytes too long', column({ kind: 'bytes', length: 1 }), new Uint8Array(2), false],
  ['text in bytes', column({ kind: 'bytes' }), 'a', false],
  ['bytes in text', column({ kind: 'text' }), new Uint8Array(1), false],
  ['a date with a time', column({ kind: 'date' }), '2024-02-29 10:00:00', false],
  ["the last day of a leap year's February", column({ kind: 'date' }), '2024-02-29', true],
  ['a day that February has in other years', column({ kind: 'date' }), '2023-02-29', false],
  ['a day that April does not have', column({ kind: 'date' }), '2024-04-31', false],
  [
    'a day of a century that has no leap year',
    column({ kind: 'timestamp', fraction: 0, zoned: false }),
    '1900-02-29 00:00:00',
    false,
  ],
  [
    'milliseconds kept',
    column({ kind: 'timestamp', fraction: 3, zoned: false }),
    '2024-02-29 10:00:00.120000',
    true,
  ],
  [
    'microseconds cut',
    column({ kind: 'timestamp', fraction: 3, zoned: false }),
    '2024-02-29 10:00:00.1234',
    false,
  ],
  [
    'a zone that would be dropped',
    column({ kind: 'timestamp', fraction: 6, zoned: false }),
    '2024-02-29 10:00:00+00',
    false,
  ],
  ['NULL in NOT NULL', column({ kind: 'text' }, { nullable: false }), null, false],
  ['NULL in a nullable column', column({ kind: 'text' }), null, true],
];

describe('the check of a value', () => {
  for (const dialect of ['postgres', 'mysql'] as const) {
    test.each(CASES)(`for ${dialect}: %s`, (_name, target, cell, fits) => {
      expect(compileCheck(target, dialect)(cell) === undefined).toBe(fits);
    });
  }

  test('NUL fits MySQL text and not that of PostgreSQL', () => {
    const text = column({ kind: 'text' });
    expect(compileCheck(text, 'mysql')('a\0')).toBeUndefined();
    expect(compileCheck(text, 'postgres')('a\0')).toMatch(/NUL/);
  });

  test('NaN fits a float of PostgreSQL and nothing of MySQL', () => {
    const float = column({ kind: 'float', bits: 64 });
    expect(compileCheck(float, 'postgres')('NaN')).toBeUndefined();
    expect(compileCheck(float, 'mysql')('NaN')).toBeDefined();
    const bounded = column({ kind: 'decimal', precision: 4, scale: 1 });
    expect(compileCheck(bounded, 'postgres')('Infinity')).toBeDefined();
  });

  test('MySQL would pad a short binary(n) and round a JSON number', () => {
    const fixed = column({ kind: 'bytes', length: 2 }, { nativeType: 'binary(2)' });
    expect(compileCheck(fixed, 'mysql')(new Uint8Array(1))).toMatch(/pad/);
    const json = column({ kind: 'json', normalized: true });
    expect(compileCheck(json, 'mysql')('{"a":0.12345678901234567891}')).toBeDefined();
    expect(
      compileCheck(json, 'mysql')('{"a":18446744073709551615,"b":"0.12345678901234567891"}'),
    ).toBeUndefined();
    expect(compileCheck(json, 'postgres')('{"a":0.12345678901234567891}')).toBeUndefined();
  });

  test('MySQL would keep the last of repeated JSON keys alone', () => {
    const check = compileCheck(column({ kind: 'json', normalized: true }), 'mysql');
    expect(check('{"a":1,"b":{"a":1},"c":["a","a"],"d":{"a":"a"}}')).toBeUndefined();
    expect(check('{"a":1, "a" :2}')).toMatch(/twice/);
    expect(check('[{"x":{"a":1}},{"a":{},"\\u0061":2}]')).toMatch(/twice/);
  });

  test('jsonb would keep the last of repeated keys alone too, json keeps the text', () => {
    const to = (normalized: boolean) =>
      compileCheck(column({ kind: 'json', normalized }), 'postgres');
    const check = to(true);
    expect(check('{"a":1,"b":{"a":1},"c":["a","a"],"d":{"a":"a"}}')).toBeUndefined();
    for (const text of ['{"a":1, "a" :1}', '[{"x":{"a":1}},{"a":{},"\\u0061":2}]']) {
      expect(check(text)).toMatch(/twice/);
      expect(to(false)(text)).toBeUndefined();
    }
  });

  test('a zero in JSON would lose its sign: each in jsonb, one without a point in MySQL', () => {
    const jsonb = compileCheck(column({ kind: 'json', normalized: true }), 'postgres');
    const mysql = compileCheck(column({ kind: 'json', normalized: true }), 'mysql');
    for (const text of ['-0', '{"a":[1,-0]}']) {
      expect([jsonb(text), mysql(text)]).toEqual([
        expect.stringMatching(/sign/),
        expect.stringMatching(/sign/),
      ]);
    }
    expect([jsonb('[-0.0e3]'), mysql('[-0.0e3]')]).toEqual([
      expect.stringMatching(/sign/),
      undefined,
    ]);
    for (const text of ['[-0.5,-10,0,"-0"]', '{"-0":-0.001e-3}']) {
      expect([jsonb(text), mysql(text)]).toEqual([undefined, undefined]);
    }
  });

  test('MySQL would make 0 of a JSON number that no double is small enough for', () => {
    const check = compileCheck(column({ kind: 'json', normalized: true }), 'mysql');
    expect(check('[1e-400]')).toMatch(/double/);
    expect(check('[1e-300, 2.5E+3]')).toBeUndefined();
  });

  test('a reason never quotes the value', () => {
    for (const [, target, cell] of CASES) {
      const reason = compileCheck(target, 'mysql')(cell) ?? '';
      if (typeof cell === 'string' && cell.length > 4)
        expect(reason.split(/[^\w.-]+/)).not.toContain(cell);
    }
  });
});

describe('the conversion between types that write the same value differently', () => {
  const zoned = column({ kind: 'timestamp', fraction: 6, zoned: true });
  const local = column({ kind: 'timestamp', fraction: 6, zoned: false });
  const interval = column({ kind: 'interval' });
  const time = column({ kind: 'time', fraction: 6 });
  test.each([
    [column({ kind: 'boolean' }), int(8), 'true', '1'],
    [column({ kind: 'decimal', precision: 4, scale: 2 }), int(32), '12.00', '12'],
    [local, column({ kind: 'date' }), '2024-01-02 00:00:00', '2024-01-02'],
    [column({ kind: 'date' }), local, '2024-01-02', '2024-01-02 00:00:00'],
    [zoned, local, '2024-01-02 03:04:05.6+00', '2024-01-02 03:04:05.6'],
    [local, zoned, '2024-01-02 03:04:05', '2024-01-02 03:04:05+00'],
    [interval, time, 'PT-838H-59M-59S', '-838:59:59'],
    [interval, time, 'PT-0.000001S', '-00:00:00.000001'],
    [interval, time, 'PT24H', '24:00:00'],
    [interval, time, 'PT0S', '00:00:00'],
    [interval, time, 'P1DT1H', 'P1DT1H'],
    [interval, time, 'PT1H-1M', 'PT1H-1M'],
  ])('%j to %j', (source, target, cell, expected) => {
    expect(compileConversion(source, target, 'postgres')?.(cell)).toBe(expected);
  });

  test('a value that would change comes back as it was', () => {
    const toDate = compileConversion(local, column({ kind: 'date' }), 'postgres');
    expect(toDate?.('2024-01-02 03:00:00')).toBe('2024-01-02 03:00:00');
  });
});

describe('the verdict of a pair of columns', () => {
  test.each([
    [int(32), int(32), 'exact'],
    [int(32), int(64), 'widened'],
    [int(32, true), int(32), 'policy'],
    [int(64, true), column({ kind: 'decimal', precision: 20, scale: 0 }), 'widened'],
    [column({ kind: 'text', length: 9 }), column({ kind: 'text', length: 8 }), 'policy'],
    [column({ kind: 'bytes' }), column({ kind: 'text' }), 'impossible'],
    [column({ kind: 'date' }), int(32), 'impossible'],
    [column({ kind: 'boolean' }), column({ kind: 'text' }), 'widened'],
    [column({ kind: 'interval' }), column({ kind: 'time', fraction: 6 }), 'policy'],
    [column({ kind: 'decimal' }), column({ kind: 'decimal', precision: 38, scale: 9 }), 'policy'],
    [
      int(32),
      column({ kind: 'integer', bits: 32, unsigned: false }, { nullable: false }),
      'policy',
    ],
    [
      int(32),
      column({ kind: 'integer', bits: 32, unsigned: false }, { generated: true }),
      'impossible',
    ],
  ])('%j into %j', (source, target, verdict) => {
    expect(columnVerdict(source, target, 'postgres').verdict).toBe(verdict);
  });

  test('into jsonb says what is refused and what of a document is not kept', () => {
    const json = (normalized: boolean) =>
      column({ kind: 'json', normalized }, { dialect: 'postgres' });
    const said = (source: Column) => columnVerdict(source, json(true), 'postgres');
    const text = column({ kind: 'text' });
    for (const source of [json(false), text]) {
      expect(said(source)).toMatchObject({
        verdict: 'policy',
        reason: expect.stringMatching(/keys that repeat .* refused; blanks, .* are not kept/),
      });
    }
    expect(said(text).reason).toMatch(/^must be JSON; /);
    expect(said(json(true)).verdict).toBe('exact');
    expect(columnVerdict(text, json(false), 'postgres').reason).toBe('must be JSON');
  });
});
