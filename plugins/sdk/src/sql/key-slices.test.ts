import { describe, expect, test } from '@jest/globals';
import type { KeyDialect } from './key-slices.js';
import { evenBoundaries, keySlices, slicePredicate } from './key-slices.js';

const dialect = (names: readonly string[], isNullable = false): KeyDialect => ({
  names,
  isNullable,
  compare: (operator, value) => `(${names.join()}) ${operator} (${value.join()})`,
  isNull: names.map((name) => `${name} IS NULL`).join(' OR '),
});

describe('slices of a key', () => {
  const conditions = (key: KeyDialect, boundaries: readonly (readonly string[])[]) =>
    keySlices(key, boundaries).map((s) => slicePredicate(s.bounds, key));

  test('meet without gap or overlap, open at both ends, with NULL keys apart', () => {
    expect(
      conditions(dialect(['a', 'b'], true), [
        ['4', 'x'],
        ['4', 'y'],
      ]),
    ).toEqual([
      '(a,b) < (4,x) AND NOT (a IS NULL OR b IS NULL)',
      '(a,b) >= (4,x) AND (a,b) < (4,y) AND NOT (a IS NULL OR b IS NULL)',
      '(a,b) >= (4,y) AND NOT (a IS NULL OR b IS NULL)',
      '(a IS NULL OR b IS NULL)',
    ]);
  });

  test('take a boundary that is there twice once', () => {
    const key = dialect(['a']);
    expect(conditions(key, [['1'], ['1'], ['2']])).toEqual([
      '(a) < (1)',
      '(a) >= (1) AND (a) < (2)',
      '(a) >= (2)',
    ]);
    expect(conditions(key, [])).toEqual(['1 = 1']);
  });

  test('cut the range of an integer key in parts that keep every digit', () => {
    expect(evenBoundaries('-9223372036854775808', '9223372036854775807', 2)).toEqual([['0']]);
    expect(evenBoundaries('9007199254740992', '9007199254740993', 8)).toEqual([
      ['9007199254740993'],
    ]);
    expect(evenBoundaries('1', '10', 3)).toEqual([['4'], ['7']]);
    expect(evenBoundaries('5', '5', 8)).toEqual([]);
  });

  test('refuse stored bounds that are not of their key', () => {
    const key = dialect(['a']);
    const by = ['a'];
    for (const bounds of [{ kind: 'range', from: '1 OR 1=1', by }, { kind: 'x' }, null]) {
      expect(() => slicePredicate(bounds, key)).toThrow(/not valid/);
    }
    expect(() => slicePredicate({ kind: 'range', from: ['1'] }, key)).toThrow(/not valid/);
    expect(() => slicePredicate({ kind: 'range', from: ['1', '2'], by }, key)).toThrow(/2 of 1/);
    for (const other of [dialect(['b']), dialect(['a', 'b']), undefined]) {
      const bounds = { kind: 'range', from: ['1'], by };
      expect(() => slicePredicate(bounds, other)).toThrow(/of the key a; it is cut by/);
    }
  });
});
