import { PluginError, resolveVersions } from '@millrace/sdk';
import type { AttemptIdentity, Column, TableSchema, Versions } from '@millrace/sdk';
import type { Client } from 'pg';
import type { Merge, MergeStatement, MergeTables, RefusedRows } from './merge.js';
import { notAside, sameKey } from './merge.js';
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
  readonly #isSame: string;
  readonly #isOpen: string;
  readonly #from: string;
  readonly #to: string;
  readonly #at: string;

  constructor(tables: MergeTables, versions: Versions) {
    this.#tables = tables;
    this.#versions = versions;
    const { from, to, open, at } = versions;
    this.#from = quoteName(from.name);
    this.#to = quoteName(to.name);
    this.#isSame = sameKey(tables.keys[0] ?? []);
    this.#isOpen =
      open === undefined ? `t.${this.#to} IS NULL` : `t.${this.#to} = ${literalOf(open, to)}`;
    this.#at = literalOf(at, from);
  }

  get keys(): MergeTables['keys'] {
    return this.#tables.keys;
  }

  get refused(): RefusedRows {
    const { target, staging } = this.#tables;
    // A version that was closed later than this run has been judged by a later one as well.
    const isLater = `(t.${this.#from} > ${this.#at} OR (t.${this.#to} > ${this.#at} AND NOT coalesce(${this.#isOpen}, false)))`;
    return {
      sql: `SELECT abs(s.${ROW_NUMBER})::text FROM ${staging} AS s
        WHERE EXISTS (SELECT 1 FROM ${target} AS t WHERE ${this.#isSame} AND ${isLater})`,
      code: 'MR-D193',
      reason: `a later run than that of ${this.#versions.at} has written versions of this key`,
    };
  }

  statements(range: string): readonly MergeStatement[] {
    const { target, staging, columns, keys } = this.#tables;
    const isMine = `${this.#isSame} AND ${this.#isOpen} AND ${notAside(range)}`;
    const insert = `INSERT INTO ${target} (${[...columns, ...this.#filled().map(([name]) => name)].join(', ')})
      SELECT ${[...columns.map((c) => `s.${c}`), ...this.#filled().map(([, value]) => value)].join(', ')}
        FROM ${staging} AS s WHERE ${notAside(range)}
         AND NOT EXISTS (SELECT 1 FROM ${target} AS t WHERE ${this.#isSame} AND ${this.#isOpen})`;
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
          WHERE ${isMine} AND t.${this.#from} = ${this.#at} AND ${differs}`,
        publishes: true,
      },
      {
        sql: `UPDATE ${target} AS t SET ${this.#closed()} FROM ${staging} AS s
          WHERE ${isMine} AND t.${this.#from} < ${this.#at} AND ${differs}`,
        publishes: false,
      },
      { sql: insert, publishes: true },
    ];
  }

  ending(isWhole: boolean): readonly MergeStatement[] {
    if (this.#versions.missing === 'keep' || !isWhole) return [];
    const { target, staging } = this.#tables;
    const isMissing = `${this.#isOpen} AND NOT EXISTS (SELECT 1 FROM ${staging} AS s WHERE ${this.#isSame})`;
    return [
      // An earlier attempt at the same time has brought it.
      {
        sql: `DELETE FROM ${target} AS t WHERE ${isMissing} AND t.${this.#from} = ${this.#at}`,
        publishes: false,
      },
      {
        sql: `UPDATE ${target} AS t SET ${this.#closed()} WHERE ${isMissing} AND t.${this.#from} < ${this.#at}`,
        publishes: true,
      },
    ];
  }

  #closed(): string {
    const { current } = this.#versions;
    const flag =
      current === undefined ? '' : `, ${quoteName(current.name)} = ${flagOf(current, false)}`;
    return `${this.#to} = ${this.#at}${flag}`;
  }

  /** Name and value of what the source does not bring. */
  #filled(): readonly (readonly [string, string])[] {
    const { to, current, open } = this.#versions;
    const end = open === undefined ? 'NULL' : literalOf(open, to);
    const flag =
      current === undefined ? [] : [[quoteName(current.name), flagOf(current, true)] as const];
    return [[this.#from, this.#at], [this.#to, end], ...flag];
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

function flagOf({ type }: Column, isCurrent: boolean): string {
  return type.kind === 'boolean' ? String(isCurrent) : isCurrent ? '1' : '0';
}
