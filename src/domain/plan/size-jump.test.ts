import { expect, test } from '@jest/globals';

import { sizeJump } from './size-jump.js';

test.each([
  [1500, 1000, undefined],
  [1501, 1000, 'grown'],
  [667, 1000, undefined],
  [666, 1000, 'shrunk'],
  [0, 1000, 'shrunk'],
  [40, 0, 'grown'],
])('%i instances where %i are usual: %s', (instances, usual, jump) => {
  expect(sizeJump(instances, usual, 1.5)).toBe(jump);
});

test('a few instances are no jump, however few there were before', () => {
  expect(sizeJump(11, 2, 1.5)).toBeUndefined();
  expect(sizeJump(12, 2, 1.5)).toBe('grown');
  expect(sizeJump(0, 9, 1.5)).toBeUndefined();
});
