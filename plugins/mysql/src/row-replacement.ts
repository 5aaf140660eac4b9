import { sameKey } from '@millrace/sdk';
import type { MergeTables } from '@millrace/sdk';

import type { Merge } from './merge.js';
import { countOf, insertOf } from './merge.js';
import { notAside } from './superseded-rows.js';

/**
 * What REPLACE does with the rows one after another: each takes the place of every row that has its values in
 * any unique key, and columns that are not written get their defaults. Not REPLACE itself, which would do so
 * with rows that another statement refuses, and by keys that the sessions of Millrace do not know.
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

  count(range: string): string {
    return countOf(this.#tables.staging, notAside(range));
  }

  statements(range: string): readonly string[] {
    const { target, staging, keys } = this.#tables;
    // Also of a row that a later one of the run supersedes: it would have had its effect by then.
    const deletes = keys.map(
      (key) =>
        `DELETE t FROM ${target} AS t JOIN ${staging} AS s ON ${sameKey(key)} WHERE ${range}`,
    );
    return [...deletes, insertOf(this.#tables, range)];
  }
}
