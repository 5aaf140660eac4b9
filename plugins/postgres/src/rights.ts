import type { WriteMode } from '@millrace/sdk';
import type { Client } from 'pg';
import { query } from './session.js';

const DELETING: readonly WriteMode[] = ['delete-insert', 'insert-replace-row'];
const UPDATING: readonly WriteMode[] = ['upsert', 'update', 'scd2'];
const READING: readonly WriteMode[] = ['replace-swap', 'scd2', 'insert-replace-row'];

export interface NeededFor {
  readonly mode: WriteMode;
  /** The run replaces rows. */
  readonly hasScope: boolean;
  /** scd2: what the run did not bring is closed, or taken back. */
  readonly closesMissing: boolean;
}

/** What this account may not do with the table and has to for that mode, e.g. `INSERT`. */
export async function missingRights(
  client: Client,
  quotedTable: string,
  { mode, hasScope, closesMissing }: NeededFor,
): Promise<readonly string[]> {
  const [row] = await query(
    client,
    `SELECT has_any_column_privilege($1, 'INSERT')::text, has_table_privilege($1, 'DELETE')::text,
            has_any_column_privilege($1, 'UPDATE')::text, has_table_privilege($1, 'TRUNCATE')::text,
            has_any_column_privilege($1, 'SELECT')::text`,
    [quotedTable],
  );
  const needed = [
    ['INSERT', mode !== 'update'],
    ['DELETE', (hasScope && mode !== 'replace-swap') || DELETING.includes(mode) || closesMissing],
    ['UPDATE', UPDATING.includes(mode)],
    ['TRUNCATE', mode === 'replace-swap'],
    ['SELECT', READING.includes(mode)],
  ] as const;
  return needed.flatMap(([right, isNeeded], i) => (isNeeded && row?.[i] !== 'true' ? [right] : []));
}

/** A temporary table with the columns of `quotedTable`; without it, of a table of its own. */
export async function mayMakeTemporary(
  client: Client,
  quotedTable: string | undefined,
): Promise<boolean> {
  const [row] = await query(
    client,
    `SELECT (has_database_privilege(current_database(), 'TEMPORARY')
             AND ($1::text IS NULL OR has_table_privilege($1, 'SELECT')))::text`,
    [quotedTable ?? null],
  );
  return row?.[0] === 'true';
}

export async function mayCreate(client: Client, schema: string): Promise<boolean> {
  const [row] = await query(client, `SELECT has_schema_privilege($1, 'CREATE')::text`, [schema]);
  return row?.[0] === 'true';
}
