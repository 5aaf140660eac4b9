import { describe, expect, test } from '@jest/globals';

import { findLoop } from './find-loop.js';

describe('looking for a loop', () => {
  test('finds none where every path ends', () => {
    expect(findLoop([])).toBeUndefined();
    expect(findLoop([[], [0], [0, 1], [2]])).toBeUndefined();
  });

  test('names the ones that wait for each other, without those above and below', () => {
    // 0 above; 1 waits for 3, 2 for 1, 3 for 2; 4 below.
    expect(findLoop([[], [0, 3], [1], [2], [3]])).toEqual([1, 3, 2]);
  });

  test('finds one that waits for itself', () => {
    expect(findLoop([[], [1]])).toEqual([1]);
  });
});
