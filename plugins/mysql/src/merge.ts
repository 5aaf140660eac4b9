import { chooseMergeKey } from '@millrace/sdk';
import type { MergeMode } from '@millrace/sdk';

import { quoteName, quoteTable, textLiteral } from './literal.js';
import { columnNamed } from './reader-source.js';
import type { Session } from './session.js';
import type { WriterTarget } from './writer-target.js';

export interface UniqueKey {
  readonly index: string;
  /** As the index has them, e.g. `name`(20). */
  readonly parts: readonly string[];
  /** Absent when a part is an expression or the begin of a text: no row is found by it. */
  readonly columns: readonly string[] | undefined;
}

/** The primary key comes first. */
export async function uniqueKeys(
  session: Session,
  { name }: Pick<WriterTarget, 'name'>,
): Promise<readonly UniqueKey[]> {
  const rows = await session.rows(
    `SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS
      WHERE TABLE_SCHEMA = ${textLiteral(name.database)} AND TABLE_NAME = ${textLiteral(name.table)}
        AND NON_UNIQUE = 0 ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`,
  );
  const keys = new Map<string, { parts: string[]; columns: string[] | undefined }>();
  for (const [index, column, length] of rows) {
    const key = keys.get(index ?? '') ?? { parts: [], columns: [] };
    keys.set(index ?? '', key);
    if (column !== null && column !== undefined) {
      key.parts.push(`${quoteName(column)}${length === null ? '' : `(${length})`}`);
    }
    if (column === null || column === undefined || length !== null) key.columns = undefined;
    else key.columns?.push(column);
  }
  return [...keys].map(([index, key]) => ({ index, ...key }));
}

/** Throws MR-D190 when the table has no unique key of these columns; `undefined`: its primary key. */
export async function resolveKey(
  session: Session,
  target: WriterTarget,
  wanted: readonly string[] | undefined,
): Promise<readonly string[]> {
  const { schema } = target;
  const keys = (await uniqueKeys(session, target)).flatMap(({ columns }) =>
    columns === undefined ? [] : [columns],
  );
  const names = wanted?.map((name) => columnNamed(schema, name).name);
  return chooseMergeKey(schema, keys, names);
}

/**
 * The statements that bring staged rows into the target by their key. Never INSERT … ON DUPLICATE KEY UPDATE
 * or REPLACE: those also change the row that another unique key finds.
 */
export class Merge {
  readonly mode: MergeMode;
  readonly #table: string;
  readonly #staging: string;
  readonly #columns: readonly string[];
  readonly #key: readonly string[];

  constructor(
    mode: MergeMode,
    target: WriterTarget,
    staging: string,
    columns: readonly string[],
    key: readonly string[],
  ) {
    this.mode = mode;
    this.#table = quoteTable(target.name.database, target.name.table);
    this.#staging = staging;
    this.#columns = columns.map(quoteName);
    this.#key = key.map(quoteName);
  }

  /**
   * Takes away the rows whose key a later row has, or an earlier one where the first is to stay: a statement
   * may not change a row twice.
   */
  dedupe(number: string): string {
    const isOther = this.mode === 'ignore' ? '<' : '>';
    const isSame = this.#key.map((k) => `o.${k} = s.${k}`).join(' AND ');
    return `DELETE s FROM ${this.#staging} AS s JOIN ${this.#staging} AS o ON ${isSame} AND o.${number} ${isOther} s.${number}`;
  }

  /** How many rows the statements of `condition` publish, asked before they run. */
  count(condition: string): string {
    const from = `SELECT COUNT(*) FROM ${this.#staging} AS s`;
    const found = `EXISTS (SELECT 1 FROM ${this.#table} AS t WHERE ${this.#isSame()})`;
    if (this.mode === 'ignore') return `${from} WHERE ${condition} AND NOT ${found}`;
    if (this.mode === 'update') return `${from} WHERE ${condition} AND ${found}`;
    return `${from} WHERE ${condition}`;
  }

  /** Of the rows that meet `condition`, on the staged row `s`. */
  statements(condition: string): readonly string[] {
    const rest = this.#columns.filter((c) => !this.#key.includes(c));
    const set = rest.map((c) => `t.${c} = s.${c}`).join(', ');
    const isSame = this.#isSame();
    const update = `UPDATE ${this.#table} AS t JOIN ${this.#staging} AS s ON ${isSame} SET ${set} WHERE ${condition}`;
    const updates = rest.length === 0 ? [] : [update];
    const chosen = this.#columns.map((c) => `s.${c}`).join(', ');
    const [first = ''] = this.#key;
    // In the order of the key, so that two merges into a table wait for each other and do not deadlock.
    const order = this.#key.map((k) => `s.${k}`).join(', ');
    const insertNew = `INSERT INTO ${this.#table} (${this.#columns.join(', ')}) SELECT ${chosen} FROM ${this.#staging} AS s
      LEFT JOIN ${this.#table} AS t ON ${isSame} WHERE t.${first} IS NULL AND ${condition} ORDER BY ${order}`;
    switch (this.mode) {
      case 'upsert':
        return [...updates, insertNew];
      case 'ignore':
        return [insertNew];
      case 'update':
        return updates;
      case 'delete-insert':
        return [
          `DELETE t FROM ${this.#table} AS t JOIN ${this.#staging} AS s ON ${isSame} WHERE ${condition}`,
          insertNew,
        ];
    }
  }

  #isSame(): string {
    return this.#key.map((k) => `t.${k} = s.${k}`).join(' AND ');
  }
}
