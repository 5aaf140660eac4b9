import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Column, LogicalType } from '../table.js';
import { compileConversion } from './cell-conversion.js';
import { encodeCopyCell } from './copy-text.js';
import { compileFieldCheck } from './field-check.js';
import { LineCheck } from './line-check.js';
import type { SqlDialect } from './statements.js';
import { compileCheck } from './value-check.js';

const column = (type: LogicalType, nativeType: string = type.kind, nullable = true): Column => ({
  name: 'c',
  nativeType,
  type,
  nullable,
});

const TARGETS: readonly Column[] = [
  column({ kind: 'integer', bits: 16, unsigned: false }),
  column({ kind: 'integer', bits: 64, unsigned: true }, 'bigint unsigned', false),
  column({ kind: 'decimal', precision: 6, scale: 2 }),
  column({ kind: 'decimal' }),
  column({ kind: 'float', bits: 64 }),
  column({ kind: 'float', bits: 32 }),
  column({ kind: 'text', length: 4 }),
  column({ kind: 'text', length: 4, padded: true }),
  column({ kind: 'text' }, 'tinytext'),
  column({ kind: 'date' }),
  column({ kind: 'timestamp', fraction: 3, zoned: false }),
  column({ kind: 'timestamp', fraction: 6, zoned: true }),
  column({ kind: 'time', fraction: 2 }),
  column({ kind: 'boolean' }),
  column({ kind: 'json' }),
  column({ kind: 'json', normalized: true }),
];

const digits = fc.stringMatching(/^[+-]?\d{0,8}\.?\d{0,4}(e\d)?$/);
const instant = fc.stringMatching(
  /^\d{4}-[01]\d-[0-3]\d( \d\d:\d\d:\d\d(\.\d{1,7})?(\+0[0-2])?)?$/,
);
const clock = fc.stringMatching(/^\d\d:\d\d:\d\d(\.\d{0,3})?$/);
const word = fc
  .array(fc.constantFrom('a', ' ', '\\', '\t', '\n', '漢', '😀', 'é', '1', '-', "'"), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''));
/** Nearly JSON: keys of few letters come twice, with escapes and without. */
const JSON_PARTS = String.raw`{ } [ ] , : " \ \u000b null é E+9 "a" "b" "a": "b" : "\u0061": "\"": "\\" -12345.678
  12345678901 -0 -0.0 -0e1 1e-400 1e400 {"a":1,"b":[{"a":"}"}]} {"a":{"b":1},"b":2} {"a":{},"a":1} 1.5 "9007199254740993"`;
const json = fc
  .array(fc.constantFrom(' ', '\n', '\v', '\u00a0', ...JSON_PARTS.split(/\s+/)), { maxLength: 6 })
  .map((parts) => parts.join(''));
const cell = fc.oneof(
  json,
  digits,
  instant,
  clock,
  word,
  fc.constantFrom('true', 'f', 'x'.repeat(300), '\\N'),
);

describe('the rules of rows on lines', () => {
  test('pass a field only where the row rules pass its cell unchanged', () => {
    const seen = { passed: 0, left: 0 };
    const source = { ...column({ kind: 'text' }), unchecked: true };
    fc.assert(
      fc.property(
        fc.constantFrom(...TARGETS),
        fc.constantFrom('postgres', 'mysql'),
        cell,
        (target, dialect, text) => {
          const field = compileFieldCheck(source, target, dialect);
          if (field === undefined) return;
          const bytes = Buffer.from(`x${encodeCopyCell(text)}y`);
          const passes = field(bytes, 1, bytes.length - 1);
          seen[passes ? 'passed' : 'left'] += 1;
          if (!passes) return;
          expect(compileConversion(source, target, dialect)).toBeUndefined();
          expect([text, compileCheck(target, dialect, source)(text)]).toEqual([text, undefined]);
        },
      ),
      { numRuns: 20_000 },
    );
    expect(Math.min(seen.passed, seen.left)).toBeGreaterThan(2000);
  });

  test.each([
    ['{"b": [1, 2.5, -1e3, "x", null, true], "a": {"a": {"a": ""}}, "漢": {}}', true],
    ['[{"a": "{\\"a\\": 1}"}, {"a": "\\\\"}, "a", "a"]', true],
    [' {\n\t"a" :\r\n1} ', true],
    ['{"a": 1, "b": {"a": 1}, "a": 2}', false],
    ['{"a\\u0062": 1}', false],
    ['[123456789012.3456]', false, true],
    ['[1e-400]', false, true],
    ['1e400', false, true],
    ['[1e99, 1E-12, 2e+3]', true],
    ['[-1.5, -0.5, -10]', true],
    ['[-0]', false],
    ['[-0.0e1]', true, false],
    ['{"a": "open}', false],
  ])(
    'a field of JSON of MySQL and of jsonb needs no value where nothing of it changes: %j',
    (text, passesMysql, passesJsonb = passesMysql) => {
      const bytes = Buffer.from(encodeCopyCell(text));
      const passes = (dialect: SqlDialect, normalized: boolean) => {
        const target = column({ kind: 'json', normalized });
        return compileFieldCheck(column({ kind: 'json' }), target, dialect)?.(
          bytes,
          0,
          bytes.length,
        );
      };
      expect([passes('mysql', true), passes('postgres', true)]).toEqual([passesMysql, passesJsonb]);
      expect(passes('postgres', false)).toBe(true);
    },
  );

  test('let a line pass, write it differently or refuse it, and keep the order', () => {
    const target = column({ kind: 'integer', bits: 32, unsigned: false }, 'integer', false);
    const source = { ...column({ kind: 'decimal' }), unchecked: true };
    const name = { ...column({ kind: 'text' }), name: 'name' };
    const check = new LineCheck([
      {
        source: name,
        target: name,
        isTrusted: true,
        field: undefined,
        convert: undefined,
        check: () => undefined,
      },
      {
        source,
        target,
        isTrusted: false,
        field: compileFieldCheck(source, target, 'postgres'),
        convert: compileConversion(source, target, 'postgres'),
        check: compileCheck(target, 'postgres', source),
      },
    ]);
    expect(check).toMatchObject({ isNeeded: true, isPossible: true });
    const lines = Buffer.from('a\\tb\t1\nb\t2.00\nc\tx\n\\N\t3\ne\t\\N\nf\t99999999999\ng\t4\n');
    const found = check.check(lines, 7, 'needed');
    expect(found.data.toString()).toBe('a\\tb\t1\nb\t2\n\\N\t3\ng\t4\n');
    expect(found.count).toBe(4);
    expect([...found.originals]).toEqual([[1, ['b', '2.00']]]);
    expect(found.refused.map((r) => [r.cells, r.column])).toEqual([
      [['c', 'x'], 'c'],
      [['e', null], 'c'],
      [['f', '99999999999'], 'c'],
    ]);
  });

  test('tell of the lines that only the row rules let pass, by their place among those that are left', () => {
    const target = column({ kind: 'uuid' });
    const check = new LineCheck([
      {
        source: { ...column({ kind: 'text' }), unchecked: true },
        target,
        isTrusted: false,
        field: compileFieldCheck(column({ kind: 'text' }), target, 'postgres'),
        convert: undefined,
        check: (cell) => (cell === 'bad' ? 'bad' : undefined),
      },
    ]);
    const good = '0cc175b9-c0f1-b6a8-31c3-99e269772661';
    const found = check.check(
      Buffer.from(`${good}\nbad\n{${good}}\n${good}\nno uuid\n`),
      5,
      'needed',
    );
    expect(found).toMatchObject({ count: 4, doubtful: [1, 3] });
  });
});
