import { describe, expect, test } from '@jest/globals';
import { integerSlices, slicePredicate } from './integer-slices.js';

describe('slices of an integer key', () => {
  const bounds = (min: string, max: string, count: number, nullable = false) =>
    integerSlices('id', min, max, count, nullable).map((s) => slicePredicate(s.bounds, '"id"'));

  test('meet without gap or overlap, open at both ends, with NULL keys apart', () => {
    expect(bounds('1', '10', 3, true)).toEqual([
      '"id" < 4',
      '"id" >= 4 AND "id" < 7',
      '"id" >= 7',
      '"id" IS NULL',
    ]);
  });

  test('keep every digit of keys beyond what a number holds', () => {
    expect(bounds('-9223372036854775808', '9223372036854775807', 2)).toEqual([
      '"id" < 0',
      '"id" >= 0',
    ]);
    expect(bounds('9007199254740992', '9007199254740993', 2)).toEqual([
      '"id" < 9007199254740993',
      '"id" >= 9007199254740993',
    ]);
  });

  test('are no more than there are keys', () => {
    expect(bounds('5', '6', 8)).toHaveLength(2);
    expect(bounds('5', '5', 8, true)).toEqual(['"id" IS NOT NULL', '"id" IS NULL']);
    expect(integerSlices('id', null, null, 8, true)).toHaveLength(1);
  });

  test('refuse stored bounds that are no digits', () => {
    expect(() => slicePredicate({ kind: 'range', from: '1 OR 1=1' }, '"id"')).toThrow(/not valid/);
  });
});
