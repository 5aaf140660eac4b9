import { describe, expect, test } from '@jest/globals';
import type { Cell, Column, LogicalType, Row } from '@millrace/sdk';
import { encodeCopyText } from '@millrace/sdk';
import fc from 'fast-check';
import type { FileWriterConfig } from './file-config.js';
import { fileWriterConfig } from './file-config.js';
import { rowFormatter } from './format-rows.js';
import { LineEncoder } from './line-encoder.js';
import { RowEncoder } from './row-encoder.js';
import { textEncoding } from './text-encoding.js';
import { hasWhiteSpaceAtEnds } from './white-space.js';

const TYPES: readonly LogicalType[] = [
  { kind: 'text' },
  { kind: 'boolean' },
  { kind: 'bytes' },
  { kind: 'json' },
];

function column({ kind }: LogicalType, i: number, unchecked: boolean): Column {
  const type = { kind } as LogicalType;
  const of = { name: `c${i}`, nativeType: kind, type, nullable: true };
  return unchecked ? { ...of, unchecked } : of;
}

/** The lane has `t` and `f` for a boolean that a server has looked at. */
function linesOf(rows: readonly Row[], columns: readonly Column[]): Buffer {
  const fields = rows.map((row) =>
    row.map((cell, i) => {
      const { type, unchecked } = columns[i] ?? {};
      if (type?.kind !== 'boolean' || unchecked === true || cell === null) return cell;
      return cell === 'true' ? 't' : 'f';
    }),
  );
  return encodeCopyText(fields);
}

function byRows(config: FileWriterConfig, columns: readonly Column[], rows: readonly Row[]) {
  const names = columns.map(({ name }) => name);
  const formatter = rowFormatter(config, names, columns);
  return new RowEncoder(formatter, textEncoding('utf-8'), names).encode(rows);
}

const MARKS = ['"', '"', "'", ',', ';', '|', '\n', '\r', '\r\n', '\\', '\\N', 'NULL', '\t', ' '];
const OTHERS = ['a', 'e', 't', 'N', '\b', '\v', '\f', '\0', 'é', '漢', '😀'];
const WIDE_MARKS = ['\uFEFF', '\u00A0', '\u3000', '\u2028'];
const part = fc.constantFrom(...MARKS, ...OTHERS, ...WIDE_MARKS);
const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));

function cellOf(type: LogicalType, unchecked: boolean): fc.Arbitrary<Cell> {
  const value: fc.Arbitrary<Cell> =
    type.kind === 'boolean' && !unchecked
      ? fc.constantFrom('true', 'false')
      : type.kind === 'bytes'
        ? fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes))
        : text;
  return fc.option(value, { nil: null, freq: 4 });
}

const table = fc
  .array(fc.record({ type: fc.constantFrom(...TYPES), unchecked: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  })
  .chain((shape) =>
    fc.record({
      columns: fc.constant(shape.map(({ type, unchecked }, i) => column(type, i, unchecked))),
      rows: fc.array(fc.tuple(...shape.map(({ type, unchecked }) => cellOf(type, unchecked))), {
        maxLength: 6,
      }),
    }),
  );

const format = fc
  .record({
    delimiter: fc.constantFrom(',', ';', '|', '\t', 'e', '\\', ' '),
    nullToken: fc.constantFrom('', 'NULL', '\\N', '\\\\N', 'true', '"', ' '),
    quote: fc.constantFrom('"', '"', "'", '|', ''),
    escape: fc.constantFrom('', '\\'),
    quoteAll: fc.boolean(),
    lineEnding: fc.constantFrom('lf', 'crlf'),
  })
  .map((options) => fileWriterConfig.safeParse({ path: 'x', ...options }).data)
  .filter((config) => config !== undefined);

describe('lines of COPY text', () => {
  test('become the bytes, and the refused rows, that the rows themselves become', () => {
    const seen = { refused: 0, written: 0 };
    fc.assert(
      fc.property(format, table, (config, { columns, rows }) => {
        const encoder = new LineEncoder(config, columns);
        const wanted = byRows(config, columns, rows);
        for (let chunk = 0; chunk < 2; chunk++) {
          const found = encoder.encode(linesOf(rows, columns), rows.length);
          expect(found.bytes.toString('utf8')).toBe(wanted.bytes.toString('utf8'));
          expect(found.refused).toEqual(wanted.refused);
          found.release?.();
        }
        seen.refused += wanted.refused.length;
        seen.written += rows.length - wanted.refused.length;
      }),
      { numRuns: 6000 },
    );
    expect(Math.min(seen.refused, seen.written)).toBeGreaterThan(500);
  });

  test('that are not UTF-8 are no other text', () => {
    const config = fileWriterConfig.parse({ path: 'x' });
    const encoder = new LineEncoder(config, [column({ kind: 'text' }, 0, false)]);
    expect(() => encoder.encode(Buffer.from('f\u00fcr\n', 'latin1'), 1)).toThrow(
      expect.objectContaining({ code: 'MR-D250' }),
    );
  });

  test('of a row far larger than the others come through, and the next ones too', () => {
    const config = fileWriterConfig.parse({ path: 'x', quoteAll: true });
    const columns = [column({ kind: 'text' }, 0, false)];
    const encoder = new LineEncoder(config, columns);
    for (const row of ['a', '"\\\n'.repeat(700_000), 'b']) {
      const { bytes, release } = encoder.encode(linesOf([[row]], columns), 1);
      expect(bytes.equals(byRows(config, columns, [[row]]).bytes)).toBe(true);
      release?.();
    }
  });
});

test('white space is what a pattern takes for it, at either end', () => {
  for (let code = 0; code < 0x1_00_00; code++) {
    const char = String.fromCharCode(code);
    if (/\p{Surrogate}/u.test(char)) continue;
    for (const words of [char, `${char}a`, `漢${char}`, `a${char}a`]) {
      const bytes = Buffer.from(words);
      const found = hasWhiteSpaceAtEnds(bytes, 0, bytes.length);
      if (found !== /^\s|\s$/.test(words)) expect(`${code} of ${words}`).toBe(found);
    }
  }
});
