import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { linePieces } from './line-pieces.ts';

test('a hit over the end of a colour is cut there', () => {
  const spans = [{ start: 0, end: 3, style: { color: 1 } }];
  expect(linePieces({ text: 'abcdef', spans }, [[2, 4]])).toEqual([
    { text: 'ab', style: { color: 1 }, isHit: false },
    { text: 'c', style: { color: 1 }, isHit: true },
    { text: 'd', style: undefined, isHit: true },
    { text: 'ef', style: undefined, isHit: false },
  ]);
});

test('pieces together are the line, and every place has its style and its hit', () => {
  const ranges = fc
    .uniqueArray(fc.nat(20), { maxLength: 8 })
    .map((all) => [...all].sort((a, b) => a - b))
    .map((all) => all.flatMap((end, i) => (i % 2 === 1 ? [[all[i - 1] ?? 0, end] as const] : [])));
  fc.assert(
    fc.property(ranges, ranges, fc.nat(20), (styles, hits, length) => {
      const text = 'abcdefghijklmnopqrstu'.slice(0, length);
      const spans = styles
        .filter(([, end]) => end <= length)
        .map(([start, end], i) => ({ start, end, style: { color: i } }));
      const pieces = linePieces({ text, spans }, hits);
      expect(pieces.map((piece) => piece.text).join('')).toBe(text);
      let at = 0;
      for (const { text: part, style, isHit } of pieces) {
        for (let i = at; i < at + part.length; i++) {
          expect(style).toEqual(spans.find(({ start, end }) => start <= i && i < end)?.style);
          expect(isHit).toBe(hits.some(([start, end]) => start <= i && i < end));
        }
        at += part.length;
      }
    }),
  );
});
