import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { visibleBytes } from '../../../../src/domain/log/visible-bytes.js';
import { styledText } from './ansi-text.ts';

test('colours and weights become spans of the visible text', () => {
  expect(styledText('a \x1b[1;31mred\x1b[0m \x1b[96mcyan\x1b[39m\x1b[4m_\x1b[24m.\r')).toEqual({
    text: 'a red cyan_.',
    spans: [
      { start: 2, end: 5, style: { isBold: true, color: 1 } },
      { start: 6, end: 10, style: { color: 14 } },
      { start: 10, end: 11, style: { isUnderlined: true } },
    ],
  });
});

test('colours of 256 become the nearest that the theme has, those of a program’s own none', () => {
  const colorOf = (code: string): number | undefined =>
    styledText(`\x1b[38;${code}mx`).spans[0]?.style.color;
  expect(['5;3', '5;196', '5;46', '5;21', '5;240', '5;250'].map(colorOf)).toEqual([
    3, 9, 10, 12, 8, 7,
  ]);
  expect(styledText('\x1b[38;2;1;2;3mx\x1b[1my').spans).toEqual([
    { start: 1, end: 2, style: { isBold: true } },
  ]);
});

test('the visible text is the one that the server searches', () => {
  const piece = fc.constantFrom(
    '\x1b',
    '[',
    ']',
    '(',
    '8;;',
    '31',
    ';',
    'm',
    'B',
    '\x07',
    '\\',
    ' ',
    'a',
    '数',
    '\t',
    '!',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const line = pieces.join('');
      expect(styledText(line).text).toBe(
        Buffer.from(visibleBytes(Buffer.from(line))).toString('utf8'),
      );
    }),
    { numRuns: 3000 },
  );
});
