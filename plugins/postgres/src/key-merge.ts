import { sameKey } from '@millrace/sdk';
import type { MergeTables } from '@millrace/sdk';
import type { Merge, MergeStatement } from './merge.js';
import { insertOf, notAside } from './merge.js';

type KeyMergeMode = 'upsert' | 'ignore' | 'update' | 'delete-insert';

/** By one key: a row of the target that another unique key finds is never changed. */
export class KeyMerge implements Merge {
  readonly mode: KeyMergeMode;
  readonly takesTurns = false;
  readonly #tables: MergeTables;

  constructor(mode: KeyMergeMode, tables: MergeTables) {
    this.mode = mode;
    this.#tables = tables;
  }

  get keys(): MergeTables['keys'] {
    return this.#tables.keys;
  }

  statements(range: string): readonly MergeStatement[] {
    const { target, staging, columns, keys } = this.#tables;
    const [key = []] = keys;
    const set = (from: string): string =>
      columns
        .filter((c) => !key.includes(c))
        .map((c) => `${c} = ${from}.${c}`)
        .join(', ');
    const insert = insertOf(this.#tables, range);
    const found = `${sameKey(key)} AND ${notAside(range)}`;
    const hasMore = columns.length > key.length;
    switch (this.mode) {
      case 'upsert': {
        // Only a conflict of this key updates: one of another unique key is an error of its row.
        const action = hasMore ? `UPDATE SET ${set('EXCLUDED')}` : 'NOTHING';
        return [publishing(`${insert} ON CONFLICT (${key.join(', ')}) DO ${action}`)];
      }
      case 'ignore':
        return [publishing(`${insert} ON CONFLICT (${key.join(', ')}) DO NOTHING`)];
      case 'update': {
        const update = `UPDATE ${target} AS t SET ${set('s')} FROM ${staging} AS s WHERE ${found}`;
        return hasMore ? [publishing(update)] : [];
      }
      case 'delete-insert':
        return [
          {
            sql: `DELETE FROM ${target} AS t USING ${staging} AS s WHERE ${found}`,
            publishes: false,
          },
          publishing(insert),
        ];
    }
  }
}

function publishing(sql: string): MergeStatement {
  return { sql, publishes: true };
}
