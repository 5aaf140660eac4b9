import { describe, expect, test } from '@jest/globals';
import { qualifiedParts, shardNames } from './shard-names.js';

describe('names of shards', () => {
  test('count through ranges, with the zeros that the range has', () => {
    expect(shardNames(['t_[0-2]', 'u'])).toEqual(['t_0', 't_1', 't_2', 'u']);
    expect(shardNames(['t_[08-10]'])).toEqual(['t_08', 't_09', 't_10']);
    expect(shardNames(['d_[0-1].t_[0-1]'])).toEqual(['d_0.t_0', 'd_0.t_1', 'd_1.t_0', 'd_1.t_1']);
    expect(qualifiedParts('d.t')).toEqual({ schema: 'd', table: 't' });
    expect(qualifiedParts('t')).toEqual({ table: 't' });
  });

  test.each([
    ['a range that runs backwards', ['t_[3-1]']],
    ['a table that is named twice', ['t_[0-3]', 't_2']],
    ['more tables than anybody has', ['t_[0-99]_[0-99]']],
    ['a range without end', ['t_[0-99999999999999999999]']],
  ])('refuse %s', (_, patterns) => {
    expect(() => shardNames(patterns)).toThrow(/MR-D261/);
  });
});
