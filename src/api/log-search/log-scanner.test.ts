import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { isAtLeast } from '../../domain/log/line-level.js';
import type { Found, LogSearch } from './log-search.js';
import { LogScanner } from './log-scanner.js';

const PLAIN: LogSearch = {
  text: '',
  isRegex: false,
  isCaseSensitive: true,
  level: undefined,
  limit: 10_000,
};

/** Scans `text` cut at `cuts` (bytes), as chunks of a worker may be. */
function scan(search: Partial<LogSearch>, text: string, cuts: readonly number[] = []): Found {
  const scanner = new LogScanner({ ...PLAIN, ...search });
  const bytes = Buffer.from(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const found: Found[] = [];
  for (const [i, end] of [...places, bytes.length].entries()) {
    const piece = bytes.subarray(i === 0 ? 0 : places[i - 1], end);
    found.push(scanner.scan([piece], piece.filter((byte) => byte === 10).length));
  }
  found.push(scanner.end());
  return {
    hits: found.flatMap(({ hits }) => hits),
    count: found.reduce((sum, { count }) => sum + count, 0),
    lines: found.reduce((sum, { lines }) => sum + lines, 0),
  };
}

/** The lines as a person sees them. */
function visibleLines(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  // oxlint-disable-next-line no-control-regex -- the escape character is what is looked for
  return lines.map((line) => line.replace(/\x1b\[[0-9;]*m/g, '').replace(/\r$/, ''));
}

function indicesOf(line: string, word: string): [number, number][] {
  const found: [number, number][] = [];
  for (let at = line.indexOf(word); at !== -1; at = line.indexOf(word, at + word.length))
    found.push([at, at + word.length]);
  return found;
}

const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const piece = fc.constantFrom(
  'a',
  'A',
  'b',
  'ab',
  'aB',
  'é',
  'É',
  '数据',
  '😀',
  ' ',
  '\r',
  '\r\n',
  '\n',
  '\n',
  '\n\n',
  '\x1b[31m',
  '\x1b[0m',
  '\x1b[1;32m',
  'ERROR ',
  'WARN ',
  'x',
);
const textOf = fc.array(piece, { maxLength: 80 }).map((pieces) => pieces.join(''));
const cutsOf = fc.array(fc.nat(400), { maxLength: 12 });
const wordOf = fc.constantFrom(
  'a',
  'ab',
  'AB',
  'aa',
  'b ',
  '数',
  '据a',
  '😀',
  'é',
  'É',
  'error',
  'x',
);

describe('a log in pieces, cut anywhere', () => {
  test('has the hits that a search of its whole text has', () => {
    fc.assert(
      fc.property(textOf, cutsOf, wordOf, fc.boolean(), (text, cuts, word, isCaseSensitive) => {
        const fold = (each: string): string => {
          if (isCaseSensitive) return each;
          // A word with letters beyond ASCII is compared by Unicode's rules.
          return word.toLowerCase() === 'é' ? each.toLowerCase() : lower(each);
        };
        const lines = visibleLines(text);
        const expected = lines.flatMap((line, i) => {
          const ranges = indicesOf(fold(line), fold(word));
          return ranges.length === 0 ? [] : [{ line: i, ranges, text: line }];
        });
        const found = scan({ text: word, isCaseSensitive }, text, cuts);
        expect(found).toEqual({ hits: expected, count: expected.length, lines: lines.length });
      }),
      { numRuns: 2000 },
    );
  });

  test('has the lines that match an expression, and no match goes over the end of a line', () => {
    const sources = ['a+', '^a', 'b$', '[^x]b', '\\s', 'a|^$', '(?!a)b', '.😀', '^(?:.{2})$'];
    fc.assert(
      fc.property(textOf, cutsOf, fc.constantFrom(...sources), (text, cuts, source) => {
        const expression = new RegExp(source, 'u');
        const expected = visibleLines(text).flatMap((line, i) =>
          expression.test(line) ? [i] : [],
        );
        const found = scan({ text: source, isRegex: true }, text, cuts);
        expect(found.hits.map(({ line }) => line)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('has the lines of a level, alone and together with a word', () => {
    fc.assert(
      fc.property(
        textOf,
        cutsOf,
        fc.constantFrom('', 'a', 'é'),
        fc.constantFrom('error', 'warn'),
        (text, cuts, word, level) => {
          const expected = visibleLines(text).flatMap((line, i) =>
            isAtLeast(line, level) && line.includes(word) ? [i] : [],
          );
          const found = scan({ text: word, level }, text, cuts);
          expect(found.hits.map(({ line }) => line)).toEqual(expected);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

test('counts the lines that are not listed any more', () => {
  for (const search of [
    { text: 'a' },
    { text: 'a', isRegex: true },
    { text: 'a', isCaseSensitive: false },
  ]) {
    const found = scan({ ...search, limit: 2 }, 'a\nb\naa\na\n\na', [3, 5]);
    expect(found.hits.map(({ line }) => line)).toEqual([0, 2]);
    expect(found).toMatchObject({ count: 4, lines: 6 });
  }
});

test('lists the beginning of a long line and no more than a hundred places', () => {
  const [hit] = scan({ text: 'ab' }, 'ab'.repeat(5000)).hits;
  expect(hit?.text).toBe('ab'.repeat(250));
  expect(hit?.ranges).toHaveLength(100);
});

test.each([
  [{ text: '' }, /choose a level/],
  [{ text: 'a\nb' }, /one by one/],
  [{ text: '(', isRegex: true }, /Unterminated group/],
  [{ text: '\\-', isRegex: true }, /Invalid escape/],
])('%j is refused', (search, reason) => {
  expect(() => new LogScanner({ ...PLAIN, ...search })).toThrow(
    expect.objectContaining({
      code: 'MR-A101',
      errors: [{ pointer: '/q', detail: expect.stringMatching(reason) }],
    }),
  );
});
