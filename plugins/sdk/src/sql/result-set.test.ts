import { describe, expect, test } from '@jest/globals';
import { checkOutputs } from '../output.js';
import { RESULT_OUTPUTS, ResultSet } from './result-set.js';

describe('the result of a script', () => {
  test('is that of its last statement with rows; of it only what is wanted', () => {
    const result = new ResultSet(['value', 'column']);
    result.begin();
    result.add(['old', '1']);
    result.begin();
    result.add(['a', '1']);
    result.add([null, '2']);
    expect(result.outputs()).toEqual({ value: 'a', column: '["a",null]' });
    expect(new ResultSet(['other']).isWanted).toBe(false);
  });

  test('without a row is two empty lists and no value; without a statement nothing', () => {
    const result = new ResultSet(RESULT_OUTPUTS);
    expect(result.outputs()).toEqual({});
    result.begin();
    expect(result.outputs()).toEqual({ column: '[]', rows: '[]' });
  });

  test('is not cut when it is too large, and an earlier large one does not matter', () => {
    const result = new ResultSet(['rows']);
    result.begin();
    for (let i = 0; i < 1000; i += 1) result.add(['x'.repeat(100)]);
    expect(() => result.outputs()).toThrow('rows of 1000 rows has more than');
    result.begin();
    result.add([Buffer.from('small')]);
    expect(result.outputs()).toEqual({ rows: '[["small"]]' });
  });

  test('with a cell of bytes is refused', () => {
    const result = new ResultSet(['value']);
    result.begin();
    result.add([Buffer.from([0xff])]);
    expect(() => result.outputs()).toThrow('is binary');
  });
});

test('outputs together are bounded, and hold no NUL and no half of a character', () => {
  const large = 'é'.repeat(32 * 1024);
  expect(() => checkOutputs({ a: large, b: large, c: large, d: large })).not.toThrow();
  expect(() => checkOutputs({ a: large, b: large, c: large, d: large, e: 'x' })).toThrow(
    'together',
  );
  expect(() => checkOutputs({ a: `${large}x` })).toThrow('a has 65537 bytes');
  expect(() => checkOutputs({ a: 'x\0' })).toThrow('NUL');
  expect(() => checkOutputs({ a: '\ud800' })).toThrow('half of a character');
  expect(() => checkOutputs({ a: '😀' })).not.toThrow();
});
