import { expect, test } from '@jest/globals';

import { FoldedRows, groupsOf, groupTitle } from './line-folds.ts';

test('a group goes to its end, to the next group, or to the end of the log', () => {
  const marks = [
    { line: 2, text: '::group::one' },
    { line: 5, text: '::endgroup::' },
    { line: 6, text: '2026-11-21T00:00:00.000Z INFO  ::group::two' },
    { line: 9, text: '::group::three' },
  ];
  expect(groupTitle(marks[2]?.text ?? '')).toBe('two');
  expect([...groupsOf(marks, 12)]).toEqual([
    [2, { first: 3, last: 5 }],
    [6, { first: 7, last: 8 }],
    [9, { first: 10, last: 11 }],
  ]);
});

test('rows pass over folded lines and back', () => {
  const rows = new FoldedRows(12, [
    { first: 3, last: 5 },
    { first: 10, last: 20 },
  ]);
  const lines = Array.from({ length: rows.total }, (_, row) => rows.lineOf(row));
  expect(lines).toEqual([0, 1, 2, 6, 7, 8, 9]);
  expect(lines.map((line) => rows.rowOf(line))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect([rows.rowOf(4), rows.rowOf(5), rows.rowOf(11)]).toEqual([2, 2, 6]);
});
