import { describe, expect, test } from '@jest/globals';
import { CopyTextDecoder } from '@millrace/sdk';
import fc from 'fast-check';
import { CsvLines } from './csv-lines.js';
import { CsvSplitter } from './csv-splitter.js';

interface Outcome {
  readonly rows: readonly unknown[];
  readonly failure: string | undefined;
}

function bySplitter(text: string, delimiter: string, nullToken: string): Outcome {
  const splitter = new CsvSplitter(delimiter, nullToken);
  const rows: unknown[] = [];
  try {
    rows.push(...splitter.push(text));
    rows.push(...splitter.end());
    return { rows, failure: undefined };
  } catch (error) {
    return { rows: [], failure: String(error) };
  }
}

function byLines(text: string, delimiter: string, nullToken: string, pieces: number): Outcome {
  const format = { delimiter, nullToken, hasHeader: false };
  const lines = new CsvLines(format, 64, (first) => ({
    columns: first.map(() => ({ isEmptyNull: false })),
    order: first.map((_, i) => i),
  }));
  const bytes = Buffer.from(text);
  const rows: unknown[] = [];
  const take = (): void => {
    const chunk = lines.take();
    if (chunk === undefined) return;
    const fields = chunk.data.subarray(0, chunk.data.indexOf(10)).toString().split('\t').length;
    const column = {
      name: 'c',
      nativeType: 'text',
      type: { kind: 'text' },
      nullable: true,
    } as const;
    const decoded = new CopyTextDecoder(Array.from({ length: fields }, () => column)).push(
      chunk.data,
    );
    expect(decoded).toHaveLength(chunk.rows);
    rows.push(...decoded);
  };
  try {
    for (let at = 0; at < bytes.length; at += pieces) {
      lines.push(bytes.subarray(at, at + pieces));
      take();
    }
    lines.end();
    take();
    return { rows, failure: undefined };
  } catch (error) {
    return { rows: [], failure: String(error) };
  }
}

const part = fc.constantFrom(
  'a',
  '"',
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
  test('have the cells, and the errors, that the splitter of text finds, wherever the bytes are cut', () => {
    const seen = { good: 0, bad: 0 };
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 40 }),
        fc.constantFrom(',', ';', '\t'),
        fc.constantFrom('', 'NULL', '\\N', 'a'),
        fc.integer({ min: 1, max: 9 }),
        (parts, delimiter, nullToken, pieces) => {
          const text = parts.join('');
          const wanted = bySplitter(text, delimiter, nullToken);
          expect(byLines(text, delimiter, nullToken, pieces)).toEqual(wanted);
          seen[wanted.failure === undefined ? 'good' : 'bad'] += 1;
        },
      ),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.good, seen.bad)).toBeGreaterThan(300);
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
          const wanted = bySplitter(text, ',', '');
          expect(wanted.failure).toBeUndefined();
          expect(byLines(text, ',', '', pieces)).toEqual(wanted);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('come in the wanted order, without an empty text where the column has none, and filtered', () => {
    const format = { delimiter: ',', nullToken: 'none', hasHeader: false };
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
