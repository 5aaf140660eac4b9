import { describe, expect, test } from '@jest/globals';
import { CopyTextDecoder } from '@millrace/sdk';
import fc from 'fast-check';
import type { BrokenLines } from './broken-lines.js';
import type { CsvFormat } from './csv-layout.js';
import { isOneByte } from './csv-layout.js';
import { CsvLines } from './csv-lines.js';
import { CsvSplitter } from './csv-splitter.js';
import type { BadLine } from './text-blocks.js';

const PLAIN = {
  delimiter: ',',
  nullToken: '',
  quote: '"',
  escape: '',
  trimWhitespace: false,
  skipEmptyRecords: false,
};

interface Outcome {
  readonly rows: readonly unknown[];
  readonly broken: readonly BrokenLines[];
}

interface Shape extends CsvFormat {
  readonly width: number;
  readonly bad: readonly BadLine[];
}

function bySplitter(text: string, { width, bad, ...format }: Shape, pieces: number): Outcome {
  const splitter = new CsvSplitter(format, width);
  const rows: unknown[] = [];
  const broken: BrokenLines[] = [];
  for (let at = 0; at < text.length || at === 0; at += pieces) {
    rows.push(...splitter.push(text.slice(at, at + pieces), at === 0 ? bad : []));
    broken.push(...splitter.takeBroken());
  }
  rows.push(...splitter.end());
  return { rows, broken: [...broken, ...splitter.takeBroken()] };
}

function byLines(text: string, { width, bad, ...format }: Shape, pieces: number): Outcome {
  const columns = Array.from({ length: width }, () => ({ isEmptyNull: false }));
  const lines = new CsvLines({ ...format, hasHeader: false }, 64, () => ({
    columns,
    order: columns.map((_, i) => i),
  }));
  const column = { name: 'c', nativeType: 'text', type: { kind: 'text' }, nullable: true } as const;
  const bytes = Buffer.from(text);
  const rows: unknown[] = [];
  const broken: BrokenLines[] = [];
  const take = (): void => {
    broken.push(...lines.takeBroken());
    const chunk = lines.take();
    if (chunk === undefined) return;
    const decoded = new CopyTextDecoder(columns.map(() => column)).push(chunk.data);
    expect(decoded).toHaveLength(chunk.rows);
    rows.push(...decoded);
  };
  for (let at = 0; at < bytes.length || at === 0; at += pieces) {
    lines.push(bytes.subarray(at, at + pieces), at === 0 ? bad : []);
    take();
  }
  lines.end();
  take();
  return { rows, broken };
}

/** Each line of the text once: in a row, or in a broken record. */
function linesOf({ rows, broken }: Outcome): number {
  const ends = rows.map((row) => (row as string[]).join('').split('\n').length);
  return [...ends, ...broken.map(({ lines }) => lines)].reduce((sum, n) => sum + n, 0);
}

const part = fc.constantFrom(
  'a',
  '"',
  '"',
  "'",
  '""',
  ',',
  ';',
  '\n',
  '\r\n',
  '\r',
  '\\',
  '\\N',
  '\t',
  '\b',
  '\v',
  '\f',
  'é',
  '漢😀',
  '\uFEFF',
  'NULL',
  ' ',
  '',
);

describe('lines of CSV bytes', () => {
  test('are the rows, and the broken lines, that the splitter of text finds, wherever the pieces end', () => {
    const seen = { whole: 0, broken: 0, bad: 0 };
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 40 }),
        fc.constantFrom(',', ';', '\t', ',,', ',;', ' ,'),
        fc.constantFrom('', 'NULL', '\\N', 'a'),
        fc.constantFrom('"', '"', "'", ''),
        fc.constantFrom('', '\\'),
        fc.record({ trimWhitespace: fc.boolean(), skipEmptyRecords: fc.boolean() }),
        fc.integer({ min: 1, max: 3 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 2 }),
        fc.integer({ min: 1, max: 9 }),
        (parts, delimiter, nullToken, quote, escape, leftOut, width, badLines, pieces) => {
          const text = parts.join('');
          const reason = 'it is not text';
          const bad = badLines
            .toSorted((a, b) => a - b)
            .map((line) => ({ line, code: 'MR-D241', reason }) as const);
          const shape = { delimiter, nullToken, quote, escape, ...leftOut, width, bad };
          const wanted = bySplitter(text, shape, pieces);
          expect(bySplitter(text, shape, text.length + 1)).toEqual(wanted);
          if (isOneByte(delimiter)) expect(byLines(text, shape, pieces)).toEqual(wanted);
          const body = text.replace(/^\uFEFF/, '');
          const count = body.split('\n').length - (body === '' || body.endsWith('\n') ? 1 : 0);
          // The last line end may be of a cell.
          const isOpen = escape !== '' && /\\\r?\n$/.test(body);
          if (!isOpen && !leftOut.skipEmptyRecords) expect(linesOf(wanted)).toBe(count);
          seen[wanted.broken.length === 0 ? 'whole' : 'broken'] += 1;
          if (wanted.broken.some(({ code }) => code === 'MR-D241')) seen.bad += 1;
        },
      ),
      { numRuns: 6000 },
    );
    expect(Math.min(seen.whole, seen.broken, seen.bad)).toBeGreaterThan(200);
  });

  test.each([
    ['too few and too many cells', '1,a\n2\n3,c,x\n4,d\n', ['1 a', '4 d'], ['2', '3']],
    ['a quote that stays open, and ends at once', '1,"a\n2,b\n3,c\n', ['2 b', '3 c'], ['1']],
    ['one that another cell ends', '1,"a\n2,"b"\n3,c\n', ['2 b', '3 c'], ['1']],
    ['one behind a cell of two lines', '"1\n2","a\n3,"b"\n', ['3 b'], ['1-2']],
    ['a quote within a plain cell', '1,a"b\n2,b\n', ['2 b'], ['1']],
    ['a quote that is not doubled', '1,"a"b",\n2,b\n', ['2 b'], ['1']],
    ['a wide row of several lines', '"1\n","a\n","c"\n2,b\n', ['2 b'], ['1-3']],
    ['an empty line', '1,a\n\n2,b\n', ['1 a', '2 b'], ['2']],
    ['an open quote in the last line', '1,a\n2,"b', ['1 a'], ['2']],
  ])('go on behind %s', (_, text, rows, broken) => {
    const shape = { ...PLAIN, width: 2, bad: [] };
    const found = byLines(text, shape, 5);
    expect(bySplitter(text, shape, 5)).toEqual(found);
    expect(found.rows.map((row) => (row as string[]).join(' '))).toEqual(rows);
    const places = found.broken.map(({ line, lines }) =>
      lines === 1 ? `${line}` : `${line}-${line + lines - 1}`,
    );
    expect(places).toEqual(broken);
  });

  test.each([
    ['a separator', String.raw`a\,b,c`, [['a,b', 'c']]],
    ['a quote, at the begin and within', String.raw`\"a,b\"c`, [['"a', 'b"c']]],
    ['a quote in quotes, beside a doubled one', String.raw`"a\"b","c""d"`, [['a"b', 'c"d']]],
    ['a separator in quotes', String.raw`"a\,b",c`, [['a,b', 'c']]],
    ['itself', String.raw`\\,"\\"`, [['\\', '\\']]],
    ['itself before a quote that ends', String.raw`"a\\","b"`, [['a\\', 'b']]],
    [
      'a line end',
      'a\\\nb,c\n1,2',
      [
        ['a\nb', 'c'],
        ['1', '2'],
      ],
    ],
    [
      'a line end of two characters',
      'a\\\r\nb,c\r\n1,2\r\n',
      [
        ['a\r\nb', 'c'],
        ['1', '2'],
      ],
    ],
    [
      'a line end in quotes',
      '"a\\\nb",c\n1,2',
      [
        ['a\nb', 'c'],
        ['1', '2'],
      ],
    ],
    [
      'itself at the end of a line',
      'a,b\\\\\n1,2',
      [
        ['a', 'b\\'],
        ['1', '2'],
      ],
    ],
    ['letters', String.raw`\n\t\r\b\0\Z,\a\x\'`, [['\n\t\r\b\0\u001A', "ax'"]]],
    ['letters in quotes', String.raw`"\n\t","\N"`, [['\n\t', 'N']]],
    ['N alone, which is NULL', String.raw`\N,x\N`, [[null, 'xN']]],
    ['an escaped N', String.raw`\\N,""`, [[String.raw`\N`, '']]],
    ['half of a pair', 'a\\\u{1f600},b', [['a\u{1f600}', 'b']]],
  ] as const)('a backslash escapes %s', (_, text, rows) => {
    for (let pieces = 1; pieces <= text.length + 1; pieces += 1) {
      const shape = { ...PLAIN, nullToken: 'none', escape: '\\', width: 2, bad: [] };
      expect(bySplitter(text, shape, pieces)).toEqual({ rows, broken: [] });
      expect(byLines(text, shape, pieces)).toEqual({ rows, broken: [] });
    }
  });

  test.each([
    ['a plain cell', '1,a\n2,b\\', 'a backslash with nothing behind it', 2, 1],
    ['a quoted cell', '1,a\n2,"b\\', 'a quoted cell does not end', 2, 1],
    [
      'a line, so that the next one is of it',
      '1,a\n2\\\n3,c,d\n',
      'it has 3 cells instead of 2',
      2,
      2,
    ],
  ])('a backslash at the end of %s breaks the record', (_, text, reason, line, lines) => {
    const shape = { ...PLAIN, escape: '\\', width: 2, bad: [] };
    const wanted = { rows: [['1', 'a']], broken: [{ line, lines, code: 'MR-D240', reason }] };
    expect(bySplitter(text, shape, 3)).toEqual(wanted);
    expect(byLines(text, shape, 3)).toEqual(wanted);
  });

  test.each([
    ['around cells', ' a\t,  b \n', [['a', 'b']]],
    ['around quotes, not within them', ' " a " ,\t"b"\t\r\n', [[' a ', 'b']]],
    ['of which a cell is, so that it is NULL', ' , none \n', [['', null]]],
    ['but those that are escaped', String.raw`a\\  ,b\   `, [['a\\', 'b ']]],
  ] as const)('blanks are left out %s', (_, text, rows) => {
    for (let pieces = 1; pieces <= text.length + 1; pieces += 1) {
      const own = { nullToken: 'none', escape: '\\', trimWhitespace: true };
      const shape = { ...PLAIN, ...own, width: 2, bad: [] };
      expect(bySplitter(text, shape, pieces)).toEqual({ rows, broken: [] });
      expect(byLines(text, shape, pieces)).toEqual({ rows, broken: [] });
    }
  });

  test('empty lines are left out where that is asked for, and counted', () => {
    const shape = { ...PLAIN, skipEmptyRecords: true, width: 2, bad: [] };
    const text = '\n\r\n1,a\n\n3\n\r\n"\n",b\n\r\n';
    const reason = 'it has 1 cells instead of 2';
    const broken = [{ line: 5, lines: 1, code: 'MR-D240', reason }];
    const rows = [
      ['1', 'a'],
      ['\n', 'b'],
    ];
    for (let pieces = 1; pieces <= text.length + 1; pieces += 1) {
      expect(bySplitter(text, shape, pieces)).toEqual({ rows, broken });
      expect(byLines(text, shape, pieces)).toEqual({ rows, broken });
    }
  });

  test('has whole tables too', () => {
    const cell = fc.oneof(
      fc.constant(''),
      fc.array(part).map((p) => `"${p.join('').replaceAll('"', '""')}"`),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell), { minLength: 1 }),
        fc.integer({ min: 1, max: 99 }),
        (table, pieces) => {
          const text = table.map((row) => row.join(',')).join('\r\n');
          const shape = { ...PLAIN, width: 3, bad: [] };
          const wanted = bySplitter(text, shape, pieces);
          expect(wanted).toMatchObject({ broken: [], rows: { length: table.length } });
          expect(byLines(text, shape, pieces)).toEqual(wanted);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('come in the wanted order, without an empty text where the column has none, and filtered', () => {
    const format = { ...PLAIN, nullToken: 'none', hasHeader: false };
    const lines = new CsvLines(format, 64, () => ({
      columns: [
        { isEmptyNull: true },
        { isEmptyNull: false },
        { isEmptyNull: false, wanted: 'x\ty' },
      ],
      order: [1, 0],
    }));
    lines.push(Buffer.from('"",,x\ty\n1,b,z\n2,none,"x\ty"\n,c,x\ty'));
    lines.end();
    expect(lines.take()?.data.toString()).toBe(['\t\\N', '\\N\t2', 'c\t\\N', ''].join('\n'));
  });
});
