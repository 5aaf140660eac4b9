import { expect, test } from '@jest/globals';

import { isAtLeast, lineLevel } from './line-level.js';

test.each([
  ['2026-11-21T01:02:03.004Z ERROR MR-D201 the target is gone', 'error'],
  ['2026-11-21T01:02:03.004Z WARN  3 rows were put into quarantine', 'warn'],
  ['2026-11-21T01:02:03.004Z INFO  ERROR is a word of this line', 'info'],
  ['{"time":1,"level":"error","msg":"x"}', 'error'],
  ['time=1 level=warning msg=x', 'warn'],
  ['Traceback (most recent call last):', 'error'],
  ['ValueError: no such day', 'error'],
  ['java.lang.IllegalStateException: no', 'error'],
  ['npm ERR! code 1', 'error'],
  ['error: unknown option', 'error'],
  ['Warning: deprecated', 'warn'],
  ['0 errors, 0 warnings', undefined],
  ['terror and warnings', undefined],
  ['rows written: 12', undefined],
  [`${'x '.repeat(80)} ERROR`, undefined],
])('%s is %s', (line, level) => {
  expect(lineLevel(line)).toBe(level);
});

test('a graver level is in a lesser one, a line without level in none', () => {
  expect(isAtLeast('ERROR x', 'warn')).toBe(true);
  expect(isAtLeast('INFO x', 'warn')).toBe(false);
  expect(isAtLeast('x', 'info')).toBe(false);
});
