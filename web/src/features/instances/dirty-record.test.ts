import { describe, expect, it } from '@jest/globals';

import { cellOf, cellsText, draftsOf, isCell, keyText, obstacleOf } from './dirty-record.ts';

const ROW = {
  cells: ['2', null, { base64: 'AAE=' }, { text64: 'YQAAAA==' }],
  columns: ['id', 'day', 'raw', 'odd'],
  key: ['id'],
  stage: 'target' as const,
};

describe('a row that is edited', () => {
  it('goes back as it came when nothing was changed', () => {
    expect(draftsOf(ROW).map(cellOf)).toEqual(ROW.cells);
  });

  it('has an empty cell for each column where it was no row', () => {
    const drafts = draftsOf({ cells: [], columns: ['id', 'name'], stage: 'source' });
    expect(drafts.map(cellOf)).toEqual(['', '']);
  });

  it('becomes NULL and back without losing what stood there', () => {
    const [id] = draftsOf(ROW);
    expect(cellOf({ ...id!, isNull: true })).toBeNull();
    expect(cellOf({ ...id!, isNull: false })).toBe('2');
  });

  it('takes bytes only as base64', () => {
    const bytes = draftsOf(ROW)[2]!;
    expect([bytes, { ...bytes, value: 'AAE' }, { ...bytes, value: 'ä===' }].map(isCell)).toEqual([
      true,
      false,
      false,
    ]);
  });
});

it('says why a row cannot be mended', () => {
  const row = { code: 'MR-D202', replayedAt: null, stage: 'target' as const, columns: ['id'] };
  expect(obstacleOf(row)).toBeUndefined();
  expect(obstacleOf({ ...row, code: 'MR-D251', stage: 'source' })).toBe('tooLarge');
  expect(obstacleOf({ ...row, replayedAt: '2026-11-21T00:00:00Z' })).toBe('replayed');
  expect(obstacleOf({ ...row, stage: 'source', columns: null })).toBe('noColumns');
});

it('names the cells of a row, and cuts what is long', () => {
  expect(keyText(ROW)).toBe('"2"');
  expect(cellsText(ROW)).toBe('id = "2"\nday = NULL\nraw = AAE=\nodd = YQAAAA==');
  expect(cellsText({ cells: ['x'.repeat(5_000)], columns: null })).toMatch(/^1 = "x{199}…$/);
});
