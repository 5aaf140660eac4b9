import { expect, test } from '@jest/globals';

import { bytesLiteral, quoteTable, textLiteral } from './literal.js';

test('a text literal doubles quotes and escapes backslashes and NUL', () => {
  expect(textLiteral("it's \\ \0 \n 😀")).toBe("'it''s \\\\ \\0 \n 😀'");
});

test('a quoted name keeps every character of a name', () => {
  expect(quoteTable('a`b', 'c.d')).toBe('`a``b`.`c.d`');
});

test('a bytes literal covers the view, not the buffer behind it', () => {
  expect(bytesLiteral(Uint8Array.from([9, 0, 255, 9]).subarray(1, 3))).toBe("x'00ff'");
});
