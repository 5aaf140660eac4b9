import { describe, expect, test } from '@jest/globals';
import type { Column, LogicalType } from '../table.js';
import { CopyTextDecoder, encodeCopyText } from './copy-text.js';

const column = (type: LogicalType): Column => ({ name: 'c', nativeType: '', type, nullable: true });
const text = column({ kind: 'text' });
const bytes = column({ kind: 'bytes' });

describe('the text format of COPY', () => {
  const rows = [
    ['a\tb\\c\r\nd\b\f\v', null, '\\N', '\\.', '', '😀'],
    ['', '', null, null, 'x', 'y'],
  ];
  const six = [text, text, text, text, text, text];

  test('brings back what was written, wherever the stream is cut', () => {
    const wire = encodeCopyText(rows);
    for (let cut = 0; cut <= wire.length; cut++) {
      const decoder = new CopyTextDecoder(six);
      const parts = [wire.subarray(0, cut), wire.subarray(cut)];
      expect(parts.flatMap((p) => decoder.push(Buffer.from(p)))).toEqual(rows);
    }
  });

  test('writes bytes as escaped hex and reads them back', () => {
    const wire = encodeCopyText([[Buffer.from([0, 10, 255])]]);
    expect(wire.toString()).toBe('\\\\x000aff\n');
    expect(new CopyTextDecoder([bytes]).push(wire)).toEqual([[Buffer.from([0, 10, 255])]]);
  });

  test('reads booleans as true and false', () => {
    const decoder = new CopyTextDecoder([column({ kind: 'boolean' })]);
    expect(decoder.push(Buffer.from('t\nf\n\\N\n'))).toEqual([['true'], ['false'], [null]]);
  });

  test('refuses bytes that are no UTF-8 instead of replacing them', () => {
    const decoder = new CopyTextDecoder([text]);
    expect(() => decoder.push(Buffer.from([0xe9, 10]))).toThrow(
      expect.objectContaining({ code: 'MR-D250' }),
    );
  });
});
