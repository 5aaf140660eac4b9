import { sameKey } from '@millrace/sdk';
import type { MergeTables } from '@millrace/sdk';

import type { Merge } from './merge.js';
import { countOf, insertOf } from './merge.js';
import { notAside } from './superseded-rows.js';

type KeyMergeMode = 'upsert' | 'ignore' | 'update' | 'delete-insert';

/** By one key: a row of the target that another unique key finds is never changed. */
export class KeyMerge implements Merge {
  readonly mode: KeyMergeMode;
  readonly takesTurns = false;
  readonly #tables: MergeTables;
  readonly #key: readonly string[];

  constructor(mode: KeyMergeMode, tables: MergeTables) {
    this.mode = mode;
    this.#tables = tables;
    this.#key = tables.keys[0] ?? [];
  }

  get keys(): MergeTables['keys'] {
    return this.#tables.keys;
  }

  count(range: string): string {
    const { target, staging } = this.#tables;
    const found = `EXISTS (SELECT 1 FROM ${target} AS t WHERE ${sameKey(this.#key)})`;
    const isFound = { upsert: '', ignore: ` AND NOT ${found}`, update: ` AND ${found}` };
    const more = this.mode === 'delete-insert' ? '' : isFound[this.mode];
    return countOf(staging, `${notAside(range)}${more}`);
  }

  statements(range: string): readonly string[] {
    const { target, staging, columns } = this.#tables;
    const isSame = sameKey(this.#key);
    const rest = columns.filter((c) => !this.#key.includes(c));
    const set = rest.map((c) => `t.${c} = s.${c}`).join(', ');
    const update = `UPDATE ${target} AS t JOIN ${staging} AS s ON ${isSame} SET ${set} WHERE ${notAside(range)}`;
    const updates = rest.length === 0 ? [] : [update];
    const [first = ''] = this.#key;
    const chosen = columns.map((c) => `s.${c}`).join(', ');
    const order = this.#key.map((k) => `s.${k}`).join(', ');
    const insertNew = `INSERT INTO ${target} (${columns.join(', ')}) SELECT ${chosen} FROM ${staging} AS s
      LEFT JOIN ${target} AS t ON ${isSame} WHERE t.${first} IS NULL AND ${notAside(range)} ORDER BY ${order}`;
    switch (this.mode) {
      case 'upsert':
        return [...updates, insertNew];
      case 'ignore':
        return [insertNew];
      case 'update':
        return updates;
      case 'delete-insert':
        return [
          `DELETE t FROM ${target} AS t JOIN ${staging} AS s ON ${isSame} WHERE ${notAside(range)}`,
          insertOf(this.#tables, range),
        ];
    }
  }
}
