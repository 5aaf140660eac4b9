import { describe, expect, test } from '@jest/globals';

import type { Column, TableSchema } from '../table.js';
import { shapeOf } from './table-shape.js';

const column = (name: string, nullable = false): Column => ({
  name,
  nativeType: 'text',
  type: { kind: 'text' },
  nullable,
});

const SOURCE: TableSchema = {
  table: 'src',
  columns: [column('id'), column('code', true), column('v', true)],
  primaryKey: ['id'],
};

const mapping = (...pairs: readonly (readonly [string, string])[]) => ({
  columns: pairs.map(([from, target]) => ({
    source: SOURCE.columns.find(({ name }) => name === from) ?? {
      ...column(target),
      nativeType: 'constant',
    },
    target,
  })),
});

describe('the shape of a missing table', () => {
  test('has the columns of the mapping under their new names, and the key of the source', () => {
    const { columns, key, notes } = shapeOf(SOURCE, mapping(['v', 'w'], ['id', 'no']), {});
    expect(columns.map(({ name, nullable }) => [name, nullable])).toEqual([
      ['w', true],
      ['no', false],
    ]);
    expect([key, notes]).toEqual([['no'], []]);
  });

  test('has no key where a part of the key is left out, also where a constant bears its name', () => {
    expect(shapeOf(SOURCE, mapping(['code', 'code']), {}).key).toEqual([]);
    expect(shapeOf(SOURCE, mapping(['', 'id'], ['code', 'code']), {}).key).toEqual([]);
  });

  test('has what rows are compared by as its key, without NULL, and says that it is another one', () => {
    const { columns, key, notes } = shapeOf(SOURCE, mapping(['id', 'id'], ['code', 'Code']), {
      key: ['code'],
    });
    expect(key).toEqual(['Code']);
    expect(columns.at(-1)).toMatchObject({ name: 'Code', nullable: false });
    expect(notes).toEqual(['rows are compared by (Code), which is not the key of the source']);
  });

  test('has the partition in front of its key, whether it is mapped or added', () => {
    const mapped = shapeOf(SOURCE, mapping(['id', 'id'], ['', 'DS']), { partition: ['ds'] });
    expect([mapped.columns.map(({ name }) => name), mapped.key]).toEqual([
      ['id', 'DS'],
      ['DS', 'id'],
    ]);
    const added = shapeOf(SOURCE, mapping(['id', 'id']), { partition: ['ds'] });
    expect([added.columns.map(({ name }) => name), added.key]).toEqual([
      ['id', 'ds'],
      ['ds', 'id'],
    ]);
    expect(shapeOf(SOURCE, mapping(['v', 'v']), { partition: ['ds'] }).key).toEqual([]);
  });

  test('has added columns behind the others, and those of the key behind the key', () => {
    const added = [
      { name: 'since', type: { kind: 'date' }, nullable: false, inKey: true },
      { name: 'until', type: { kind: 'date' }, nullable: true, inKey: false },
    ] as const;
    const { columns, key } = shapeOf(SOURCE, mapping(['id', 'id']), { added });
    expect(columns.map(({ name, nullable }) => [name, nullable])).toEqual([
      ['id', false],
      ['since', false],
      ['until', true],
    ]);
    expect(key).toEqual(['id', 'since']);
  });
});
