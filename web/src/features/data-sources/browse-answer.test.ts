import { sampleOf, tablesOf } from './browse-answer.ts';

describe('what browsing a data source answers', () => {
  it('lists tables; a count below zero is none', () => {
    const answer = { kind: 'tables', tables: [{ name: 'a', rows: 3 }, { name: 'b', rows: -1 }, 7] };
    expect(tablesOf(answer)).toEqual([
      { name: 'a', rows: 3 },
      { name: 'b', rows: undefined },
    ]);
    expect(tablesOf({ kind: 'schemas', schemas: [] })).toBeUndefined();
  });

  it('shows rows with NULL as null', () => {
    const answer = { kind: 'sample', columns: ['a', 'b'], rows: [['1', null]] };
    expect(sampleOf(answer)).toEqual({ columns: ['a', 'b'], rows: [['1', null]] });
    expect(sampleOf({ tables: [] })).toBeUndefined();
  });
});
