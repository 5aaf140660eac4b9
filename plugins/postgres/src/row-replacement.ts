import { sameKey } from '@millrace/sdk';
import type { MergeTables } from '@millrace/sdk';
import type { Merge, MergeStatement } from './merge.js';
import { insertOf } from './merge.js';

/**
 * What MySQL's REPLACE does with the rows one after another: each takes the place of every row that has its
 * values in any unique key, and columns that are not written get their defaults.
 */
export class RowReplacement implements Merge {
  readonly mode = 'insert-replace-row';
  readonly takesTurns = false;
  readonly #tables: MergeTables;

  constructor(tables: MergeTables) {
    this.#tables = tables;
  }

  get keys(): MergeTables['keys'] {
    return this.#tables.keys;
  }

  statements(range: string): readonly MergeStatement[] {
    const { target, staging, keys } = this.#tables;
    // Also of a row that a later one of the run supersedes: it would have had its effect by then.
    const deletes = keys.map((key) => ({
      sql: `DELETE FROM ${target} AS t USING ${staging} AS s WHERE ${sameKey(key)} AND ${range}`,
      publishes: false,
    }));
    return [...deletes, { sql: insertOf(this.#tables, range), publishes: true }];
  }
}
