import { describe, expect, test } from '@jest/globals';
import { LastLine } from './last-line.js';

function lastLineOf(...chunks: (string | Buffer)[]): string {
  const printed = new LastLine();
  for (const chunk of chunks) printed.add(Buffer.from(chunk));
  return printed.text();
}

describe('the last line of a stream', () => {
  test.each([
    [['a\nb\n'], 'b'],
    [['a\nb'], 'b'],
    [['a\n', 'b', 'c\n', '\n', '  \r\n'], 'bc'],
    [[' kept as it is \r\n'], ' kept as it is '],
    [['', '\n'], ''],
    [[Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)], 'é'],
    [['x'.repeat(70_000), '\nshort\n'], 'short'],
    [[Buffer.from([0xff, 0x0a]), 'text\n'], 'text'],
  ])('is found whatever the chunks, blanks and earlier lines: %#', (chunks, line) => {
    expect(lastLineOf(...chunks)).toBe(line);
  });

  test('that is too long or no text is an error, not cut', () => {
    expect(() => lastLineOf('x'.repeat(40_000), 'x'.repeat(40_000), '\n\n')).toThrow('MR-S182');
    expect(() => lastLineOf(Buffer.from([0x61, 0xff, 0x0a]))).toThrow('not UTF-8');
  });
});
