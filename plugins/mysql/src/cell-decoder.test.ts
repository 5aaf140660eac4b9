import { expect, test } from '@jest/globals';
import type { LogicalType } from '@millrace/sdk';

import { cellDecoderOf } from './cell-decoder.js';

function decode(type: LogicalType, raw: string | Buffer | null): unknown {
  const column = { name: 'c', nativeType: '', type, nullable: true };
  return cellDecoderOf(column)(typeof raw === 'string' ? Buffer.from(raw) : raw);
}

test.each([
  ['0.10000000149011612', '0.1'],
  ['3.4028234663852886e38', '3.4028235e38'],
  ['1.401298464324817e-45', '1e-45'],
  ['16777216', '16777216'],
  ['-0', '-0'],
  ['0', '0'],
  ['1.5', '1.5'],
  ['123456.7890625', '123456.79'],
  ['100000', '100000'],
])('shortens the double %s of a FLOAT to %s, which is the same float', (double, text) => {
  expect(decode({ kind: 'float', bits: 32 }, double)).toBe(text);
  expect(Math.fround(Number(text))).toBe(Number(double));
});

test('strips the zeros that only ZEROFILL and YEAR show', () => {
  const type = { kind: 'integer', bits: 32, unsigned: true } as const;
  expect(['00042', '0000', '0', '18446744073709551615'].map((t) => decode(type, t))).toEqual([
    '42',
    '0',
    '0',
    '18446744073709551615',
  ]);
});

test('shows bits in their declared number', () => {
  expect(decode({ kind: 'bits', length: 10 }, Buffer.from([2, 1]))).toBe('1000000001');
  expect(decode({ kind: 'bits', length: 1 }, Buffer.from([0]))).toBe('0');
});

test('marks an instant as UTC and leaves a wall clock time alone', () => {
  const text = '2024-03-31 02:30:00.5';
  expect(decode({ kind: 'timestamp', fraction: 1, zoned: true }, text)).toBe(`${text}+00`);
  expect(decode({ kind: 'timestamp', fraction: 1, zoned: false }, text)).toBe(text);
});

test('copies bytes, because the driver uses its buffer again', () => {
  const buffer = Buffer.from([1, 2, 3]);
  const cell = decode({ kind: 'bytes' }, buffer);
  buffer.fill(9);
  expect(cell).toEqual(Uint8Array.from([1, 2, 3]));
});
