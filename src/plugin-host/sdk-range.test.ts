import { expect, test } from '@jest/globals';
import { isInRange } from './sdk-range.js';

test.each([
  ['0.1.4', '^0.1.0', true],
  ['0.2.0', '^0.1.0', false],
  ['0.0.4', '^0.0.3', false],
  ['1.9.9', '^1.2.0', true],
  ['2.0.0', '^1.2.0', false],
  ['1.1.9', '^1.2.0', false],
  ['1.2.9', '~1.2.3', true],
  ['1.3.0', '~1.2.3', false],
  ['1.3.0', '~1', true],
  ['1.2.3', '1.2.3', true],
  ['1.2.4', '1.2.3', false],
  ['1.7.0', '1.x', true],
  ['1.2.7', '1.2.*', true],
  ['9.9.9', '*', true],
  ['1.5.0', '>=1.0.0 <2.0.0', true],
  ['2.0.0', '>=1.0.0 <2.0.0', false],
  ['1.0.1', '>1.0.0', true],
  ['1.0.0', '>1.0.0', false],
  ['1.0.0', '<=1.0.0', true],
  ['3.0.0', '^1.0.0 || ^3.0.0', true],
  ['1.0.0', 'latest', undefined],
  ['1.0.0', '', undefined],
])('version %s against range %s is %s', (version, range, expected) => {
  expect(isInRange(version, range)).toBe(expected);
});
