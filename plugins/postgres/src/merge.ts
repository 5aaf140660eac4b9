import { PluginError } from '@millrace/sdk';
import type { Finding, TableSchema, WriteMode } from '@millrace/sdk';
import type { Client } from 'pg';
import { quoteName } from './quoting.js';
import { query } from './session.js';
import { resolveColumn } from './table-catalog.js';

/** The modes that compare each row with those of the target by a unique key. */
export const MERGE_MODES = ['upsert', 'ignore', 'update', 'delete-insert'] as const;
export type MergeMode = (typeof MERGE_MODES)[number];

export function isMergeMode(mode: WriteMode): mode is MergeMode {
  return (MERGE_MODES as readonly WriteMode[]).includes(mode);
}

/** Throws MR-D190 when the table has no unique key of these columns; `undefined`: its primary key. */
export async function resolveKey(
  client: Client,
  schema: TableSchema,
  quotedTable: string,
  wanted: readonly string[] | undefined,
): Promise<readonly string[]> {
  const keys = await uniqueKeys(client, quotedTable);
  const names = wanted?.map((name) => resolveColumn(name, schema).name) ?? schema.primaryKey;
  if (names.length > 0 && keys.some((key) => isSameSet(key, names))) return names;
  const [only, ...others] = keys;
  if (wanted === undefined && only !== undefined && others.length === 0) return only;
  const has = keys.map((key) => `(${key.join(', ')})`).join(' and ');
  const text =
    wanted === undefined ? 'has no primary key' : `has no unique key (${names.join(', ')})`;
  throw new PluginError(
    'MR-D190',
    `"${schema.table}" ${text}; its unique keys: ${has === '' ? 'none' : has}`,
  );
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

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

/** What stands in the way of comparing by that key, of the columns `mapped`. */
export async function keyFindings(
  client: Client,
  schema: TableSchema,
  quotedTable: string,
  wanted: readonly string[] | undefined,
  mapped: readonly string[],
): Promise<readonly Finding[]> {
  try {
    const key = await resolveKey(client, schema, quotedTable, wanted);
    // Every row would be compared with the column's default.
    const missing = key.filter((name) => !mapped.includes(name));
    return missing.map((column) => ({
      level: 'error',
      code: 'MR-D190',
      message: `nothing is mapped to "${column}", a column of the key`,
      column,
    }));
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    return [{ level: 'error', code: error.code, message: error.detail }];
  }
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
