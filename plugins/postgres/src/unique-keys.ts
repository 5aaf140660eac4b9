import type { MergeKeys, MergeMode, TableSchema } from '@millrace/sdk';
import { chooseMergeKeys } from '@millrace/sdk';
import type { Client } from 'pg';
import { query } from './session.js';
import { resolveColumn } from './table-catalog.js';

export interface WantedKeys {
  readonly mode: MergeMode;
  /** `undefined`: the primary key. */
  readonly key: readonly string[] | undefined;
  /** Names of the target's columns that are written. */
  readonly mapped: readonly string[];
}

/** Throws MR-D190 when the table has no unique key as the mode needs one. */
export async function resolveKeys(
  client: Client,
  schema: TableSchema,
  quotedTable: string,
  { mode, key, mapped }: WantedKeys,
): Promise<MergeKeys> {
  const spelled = (name: string): string => resolveColumn(name, schema).name;
  const wanted = key?.map(spelled);
  const written = mapped.map(spelled);
  return chooseMergeKeys(mode, schema, await uniqueKeys(client, quotedTable), { wanted, written });
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
