import { expect, test } from '@jest/globals';

import { nodesOnLoops } from './nodes-on-loops.js';

test('no node is on a loop where every path ends', () => {
  expect(nodesOnLoops([])).toEqual([]);
  expect(nodesOnLoops([[], [0], [0, 1], [2]])).toEqual([]);
});

test('the nodes of a loop are told without those above and below it', () => {
  // 0 above; 1 waits for 3, 2 for 1, 3 for 2; 4 below.
  expect(nodesOnLoops([[], [0, 3], [1], [2], [3]])).toEqual([1, 2, 3]);
});

test('two loops and what lies between them are told', () => {
  // 0 and 1 wait for each other, 2 for 1, 3 for 2 and 4, 4 for 3; 5 for 0 alone.
  expect(nodesOnLoops([[1], [0], [1], [2, 4], [3], [0]])).toEqual([0, 1, 2, 3, 4]);
});
