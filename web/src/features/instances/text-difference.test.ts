import { expect, test } from '@jest/globals';

import { textDifference } from './text-difference.ts';

test('two texts differ from the first line that is not the same to the last one', () => {
  const sql = (table: string): string =>
    ['DELETE', 'INSERT', 'SELECT', `FROM ${table}`, 'WHERE', 'GROUP', 'ORDER', ''].join('\n');
  expect(textDifference(sql('strike'), sql('strikes'))).toEqual({
    before: ['INSERT', 'SELECT'],
    planned: ['FROM strike'],
    latest: ['FROM strikes'],
    after: ['WHERE', 'GROUP'],
    isCutBefore: true,
    isCutAfter: true,
  });
});

test('a line that is repeated is counted once, and what one of them has not is empty', () => {
  const shown = { before: ['a'], after: [], isCutBefore: false, isCutAfter: false };
  expect(textDifference('a', 'a\na')).toEqual({ ...shown, planned: [], latest: ['a'] });
  expect(textDifference('', 'b')).toEqual({ ...shown, before: [], planned: [], latest: ['b'] });
});
