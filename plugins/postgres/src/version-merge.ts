import { PluginError, resolveVersions, VersionTerms } from '@millrace/sdk';
import type {
  AttemptIdentity,
  Column,
  MergeTables,
  RefusedRows,
  TableSchema,
  Versions,
} from '@millrace/sdk';
import type { Client } from 'pg';
import type { Merge, MergeStatement } from './merge.js';
import { notAside } from './merge.js';
import { toPluginError } from './pg-error.js';
import { quoteLiteral, quoteName } from './quoting.js';
import { query } from './session.js';
import { ROW_NUMBER } from './superseded-rows.js';
import { resolveColumn } from './table-catalog.js';
import { versionSettings } from './writer-config.js';
import type { PostgresWriterConfig } from './writer-config.js';

/**
 * A history of rows (slowly changing dimension, type 2): where a row differs from the version that holds, that
 * one is closed at the time of the run, and the row becomes the next. A run that is repeated changes nothing.
 */
export class VersionMerge implements Merge {
  readonly mode = 'scd2';
  readonly takesTurns = true;
  readonly #tables: MergeTables;
  readonly #versions: Versions;
  readonly #terms: VersionTerms;

  constructor(tables: MergeTables, versions: Versions) {
    this.#tables = tables;
    this.#versions = versions;
    this.#terms = new VersionTerms(tables, versions, { quoteName, literalOf });
  }

  get keys(): MergeTables['keys'] {
    return this.#tables.keys;
  }

  get refused(): RefusedRows {
    const { staging } = this.#tables;
    return this.#terms.refused(`SELECT abs(s.${ROW_NUMBER})::text FROM ${staging} AS s`);
  }

  statements(range: string): readonly MergeStatement[] {
    const { target, staging, columns, keys } = this.#tables;
    const { from, at, filled, isSame, isOpen } = this.#terms;
    const isMine = `${isSame} AND ${isOpen} AND ${notAside(range)}`;
    const insert = `INSERT INTO ${target} (${[...columns, ...filled.map(([name]) => name)].join(', ')})
      SELECT ${[...columns.map((c) => `s.${c}`), ...filled.map(([, value]) => value)].join(', ')}
        FROM ${staging} AS s WHERE ${notAside(range)}
         AND NOT EXISTS (SELECT 1 FROM ${target} AS t WHERE ${isSame} AND ${isOpen})`;
    const told = columns.filter((c) => keys[0]?.includes(c) !== true);
    if (told.length === 0) return [{ sql: insert, publishes: true }];
    const set = told.map((c) => `${c} = s.${c}`).join(', ');
    const rowOf = (table: string): string =>
      `(ROW(${told.map((c) => `${table}.${c}`).join(', ')}))::record`;
    // By their bytes: = takes 1.0 for 1.00, 'a' for 'A' under some collations, and knows no = of JSON.
    const differs = `${rowOf('t')} *<> ${rowOf('s')}`;
    return [
      {
        sql: `UPDATE ${target} AS t SET ${set} FROM ${staging} AS s
          WHERE ${isMine} AND t.${from} = ${at} AND ${differs}`,
        publishes: true,
      },
      {
        sql: `UPDATE ${target} AS t SET ${this.#terms.closed()} FROM ${staging} AS s
          WHERE ${isMine} AND t.${from} < ${at} AND ${differs}`,
        publishes: false,
      },
      { sql: insert, publishes: true },
    ];
  }

  ending(isWhole: boolean): readonly MergeStatement[] {
    if (this.#versions.missing === 'keep' || !isWhole) return [];
    const { target } = this.#tables;
    const { from, at, isMissing } = this.#terms;
    return [
      // An earlier attempt at the same time has brought it.
      {
        sql: `DELETE FROM ${target} AS t WHERE ${isMissing} AND t.${from} = ${at}`,
        publishes: false,
      },
      {
        sql: `UPDATE ${target} AS t SET ${this.#terms.closed()} WHERE ${isMissing} AND t.${from} < ${at}`,
        publishes: true,
      },
    ];
  }
}

/** `undefined`: the mode keeps none. */
export function versionsOf(
  table: TableSchema,
  config: PostgresWriterConfig,
  identity: AttemptIdentity,
): Versions | undefined {
  const settings = versionSettings(config);
  return settings && resolveVersions(settings, identity, (name) => resolveColumn(name, table));
}

/** Throws MR-D209 for a time that the server does not read as one of the column. */
export async function checkVersionTimes(
  client: Client,
  { from, to, at, open }: Versions,
): Promise<void> {
  const times =
    open === undefined ? [[at, from] as const] : [[at, from] as const, [open, to] as const];
  for (const [text, column] of times) {
    await query(client, `SELECT ${literalOf(text, column)}`).catch((error: unknown) => {
      throw new PluginError('MR-D209', `scd2: ${column.name}: ${toPluginError(error).detail}`);
    });
  }
}

function literalOf(text: string, { nativeType }: Column): string {
  return `CAST(${quoteLiteral(text)} AS ${nativeType})`;
}
