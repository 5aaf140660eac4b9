import { describe, expect, test } from '@jest/globals';

import { partitionGroups } from './partition-text.js';

describe('a partition as a node declares it', () => {
  test('is taken apart into columns and values, those of the same columns together', () => {
    const texts = ['ds=20261101', "ds='20261102'", 'ds=20261101/hh=05', 'ds = a b, hh="06"', ''];
    expect(partitionGroups(texts)).toEqual([
      {
        columns: ['ds'],
        partitions: [
          { text: 'ds=20261101', values: ['20261101'] },
          { text: "ds='20261102'", values: ['20261102'] },
        ],
      },
      {
        columns: ['ds', 'hh'],
        partitions: [
          { text: 'ds=20261101/hh=05', values: ['20261101', '05'] },
          { text: 'ds = a b, hh="06"', values: ['a b', '06'] },
        ],
      },
      { columns: [], partitions: [{ text: '', values: [] }] },
    ]);
  });

  test.each(['20261101', '=5', 'ds=1/', 'out/orders.csv'])('is refused: %s', (text) => {
    expect(() => partitionGroups([text])).toThrow(expect.objectContaining({ code: 'MR-D195' }));
  });
});
