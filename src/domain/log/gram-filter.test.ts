import { describe, expect, test } from '@jest/globals';

import { gramBitsOf, GramFilters } from './gram-filter.js';

function mayHold(filter: Uint8Array | undefined, text: string): boolean {
  return (
    filter === undefined ||
    gramBitsOf(Buffer.from(text)).every((bit) => ((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0)
  );
}

function filtersOf(...chunks: readonly string[]): (Uint8Array | undefined)[] {
  const filters = new GramFilters();
  return chunks.map((chunk) => filters.next(Buffer.from(chunk), true));
}

describe('a filter', () => {
  test('holds every part of its lines and hardly anything else', () => {
    const line = '2026-11-21T00:00:00Z WARN MR-D201 table Zürich 行一 batch 123456';
    const [filter] = filtersOf(`first\n${line}\nlast\n`);
    for (let from = 0; from < line.length; from++)
      for (let to = from + 1; to <= line.length; to++)
        expect(mayHold(filter, line.slice(from, to))).toBe(true);
    const others = Array.from({ length: 1000 }, (_, i) => `needle ${i * 7919}`);
    expect(others.filter((other) => mayHold(filter, other)).length).toBeLessThan(5);
  });

  test('does not tell capitals of ASCII from small letters', () => {
    const [filter] = filtersOf('Table Orders\n');
    expect(mayHold(filter, 'table orders')).toBe(true);
    expect(mayHold(filter, 'TABLE ORDERS')).toBe(true);
  });

  test('knows a line that a chunk cuts, also within an escape sequence', () => {
    const [, second] = filtersOf('one\nthe line is \u001b[3', '1mcut\u001b[0m here\n');
    expect(mayHold(second, 'the line is cut here')).toBe(true);
  });

  test('is none while a line is too long to carry along, and comes again after it', () => {
    const filters = filtersOf(
      'x'.repeat(20_000),
      'still the line',
      ' its end\nnext line',
      ' ends\n',
    );
    expect(filters.map((filter) => filter !== undefined)).toEqual([true, false, false, true]);
    expect(mayHold(filters[3], 'next line ends')).toBe(true);
  });
});

test('what is shorter than five bytes is not told', () => {
  expect(gramBitsOf(Buffer.from('four'))).toEqual([]);
});
