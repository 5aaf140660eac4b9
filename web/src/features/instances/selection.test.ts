import { MAX_SELECTED, NOTHING_SELECTED, selectRange, toggleAll, toggleRow } from './selection.ts';

const ROWS = ['a', 'b', 'c', 'd', 'e'];

describe('a selection of rows', () => {
  it('takes a row and gives it back', () => {
    const one = toggleRow(NOTHING_SELECTED, 'b');
    expect([...one.ids]).toEqual(['b']);
    expect([...toggleRow(one, 'b').ids]).toEqual([]);
  });

  it('takes a range from the row before, in both directions, beside what it has', () => {
    const from = toggleRow(toggleRow(NOTHING_SELECTED, 'a'), 'd');
    expect([...selectRange(from, ROWS, 'e').ids].sort()).toEqual(['a', 'd', 'e']);
    expect([...selectRange(from, ROWS, 'c').ids].sort()).toEqual(['a', 'c', 'd']);
  });

  it('begins anew where the row before is not in the list any more', () => {
    const from = toggleRow(NOTHING_SELECTED, 'gone');
    expect([...selectRange(from, ROWS, 'c').ids]).toEqual(['gone', 'c']);
  });

  it('takes all, and nothing when all is taken', () => {
    const all = toggleAll(NOTHING_SELECTED, ROWS);
    expect(all.ids.size).toBe(5);
    expect(toggleAll(all, ROWS).ids.size).toBe(0);
  });

  it('takes all of some beside what was taken, and gives only those up', () => {
    const both = toggleAll(toggleRow(NOTHING_SELECTED, 'e'), ['a', 'b']);
    expect([...both.ids]).toEqual(['e', 'a', 'b']);
    expect([...toggleAll(both, ['a', 'b']).ids]).toEqual(['e']);
  });

  it('never takes more than one operation may have', () => {
    const rows = Array.from({ length: MAX_SELECTED + 10 }, (_, index) => `row ${index}`);
    expect(toggleAll(NOTHING_SELECTED, rows).ids.size).toBe(MAX_SELECTED);
    const first = toggleRow(NOTHING_SELECTED, 'row 0');
    const range = selectRange(first, rows, rows.at(-1) ?? '');
    expect(range.ids.size).toBe(MAX_SELECTED);
    expect(toggleRow(range, 'another').ids.has('another')).toBe(false);
  });
});
