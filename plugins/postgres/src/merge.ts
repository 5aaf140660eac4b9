import type { MergeMode, TableSchema } from '@millrace/sdk';
import { chooseMergeKey } from '@millrace/sdk';
import type { Client } from 'pg';
import { quoteName } from './quoting.js';
import { query } from './session.js';
import { resolveColumn } from './table-catalog.js';

/** Throws MR-D190 when the table has no unique key of these columns; `undefined`: its primary key. */
export async function resolveKey(
  client: Client,
  schema: TableSchema,
  quotedTable: string,
  wanted: readonly string[] | undefined,
): Promise<readonly string[]> {
  const names = wanted?.map((name) => resolveColumn(name, schema).name);
  return chooseMergeKey(schema, await uniqueKeys(client, quotedTable), names);
}

/** Without those of expressions, of a part of the rows, or checked at COMMIT only: no row is found by them. */
export async function uniqueKeys(
  client: Client,
  quotedTable: string,
): Promise<readonly string[][]> {
  const rows = await query(
    client,
    `SELECT json_agg(a.attname ORDER BY k.n)::text FROM pg_index i
       CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
      WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indisvalid AND i.indimmediate
        AND i.indpred IS NULL AND i.indexprs IS NULL AND k.n <= i.indnkeyatts
      GROUP BY i.indexrelid ORDER BY bool_or(i.indisprimary) DESC, i.indexrelid`,
    [quotedTable],
  );
  return rows.map(([names]) => JSON.parse(names ?? '[]') as string[]);
}

/** The statements that bring staged rows into the target by their key. */
export class Merge {
  readonly mode: MergeMode;
  readonly #target: string;
  readonly #staging: string;
  readonly #columns: readonly string[];
  readonly #key: readonly string[];

  constructor(
    mode: MergeMode,
    tables: { readonly target: string; readonly staging: string },
    columns: readonly string[],
    key: readonly string[],
  ) {
    this.mode = mode;
    this.#target = tables.target;
    this.#staging = tables.staging;
    this.#columns = columns.map(quoteName);
    this.#key = key.map(quoteName);
  }

  /**
   * Takes away the rows whose key a later row has, or an earlier one where the first is to stay: a statement
   * may not change a row twice.
   */
  dedupe(number: string): string {
    const order = this.mode === 'ignore' ? 'ASC' : 'DESC';
    return `DELETE FROM ${this.#staging} AS s USING (
      SELECT ${number}, row_number() OVER (PARTITION BY ${this.#key.join(', ')} ORDER BY ${number} ${order}) AS n
        FROM ${this.#staging}) AS d WHERE d.n > 1 AND s.${number} = d.${number}`;
  }

  /** Of the rows that meet `condition`, on the staged row `s`. The last one's count is that of published rows. */
  statements(condition: string): readonly string[] {
    const columns = this.#columns.join(', ');
    const key = this.#key.join(', ');
    const isSame = this.#key.map((k) => `t.${k} = s.${k}`).join(' AND ');
    const set = (from: string): string =>
      this.#columns
        .filter((c) => !this.#key.includes(c))
        .map((c) => `${c} = ${from}.${c}`)
        .join(', ');
    // In the order of the key, so that two merges into a table wait for each other and do not deadlock.
    const insert = `INSERT INTO ${this.#target} (${columns})
      SELECT ${columns} FROM ${this.#staging} AS s WHERE ${condition} ORDER BY ${key}`;
    const hasMore = this.#columns.length > this.#key.length;
    switch (this.mode) {
      case 'upsert':
        // Only a conflict of this key updates: one of another unique key is an error of its row.
        return [
          `${insert} ON CONFLICT (${key}) DO ${hasMore ? `UPDATE SET ${set('EXCLUDED')}` : 'NOTHING'}`,
        ];
      case 'ignore':
        return [`${insert} ON CONFLICT (${key}) DO NOTHING`];
      case 'update':
        return hasMore
          ? [
              `UPDATE ${this.#target} AS t SET ${set('s')} FROM ${this.#staging} AS s
                WHERE ${isSame} AND ${condition}`,
            ]
          : [];
      case 'delete-insert':
        return [
          `DELETE FROM ${this.#target} AS t USING ${this.#staging} AS s WHERE ${isSame} AND ${condition}`,
          insert,
        ];
    }
  }
}
