import { expect, test } from '@jest/globals';

import { keyOf, LineKeys } from './line-keys.js';

const NUMBER = { places: [1], isNumber: [true] };

test('whole numbers are the same keys however they are written', () => {
  const lines = Buffer.from(
    'a\t7\tx\nb\t-12\nc\t007\nd\t+7\ne\t-0\nf\t1234567890123456\ng\t\\N\nh\t\n',
  );
  const { keys } = new LineKeys([lines], NUMBER);
  expect(keys.map((key) => (key === 0 ? 0 : key))).toEqual([
    7,
    -12,
    7,
    7,
    0,
    '1234567890123456',
    String.raw`\N`,
    '',
  ]);
  expect(keyOf('7', NUMBER)).toBe(7);
  expect(keyOf('1234567890123456', NUMBER)).toBe('1234567890123456');
});

test('a text is a key as it is', () => {
  const shape = { places: [0], isNumber: [false] };
  expect(new LineKeys([Buffer.from('007\tx\n')], shape).keys).toEqual(['007']);
  expect(keyOf('007', shape)).toBe('007');
});

test('lines of several parts are counted through', () => {
  const parts = ['1\ta\n2\tb\n', '3\tc\n', '', '4\td\n'].map((text) => Buffer.from(text));
  const lines = new LineKeys(parts, { places: [1, 0], isNumber: [false, true] });
  expect(lines.keys).toEqual(['a-1', 'b-2', 'c-3', 'd-4']);
  expect([0, 1, 2, 3].map((no) => lines.line(no).toString())).toEqual([
    '1\ta\n',
    '2\tb\n',
    '3\tc\n',
    '4\td\n',
  ]);
  expect(lines.columns(2)).toEqual(['c', '3']);
});
