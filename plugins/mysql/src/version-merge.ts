import { PluginError } from '@millrace/sdk';
import type { Column, Versions } from '@millrace/sdk';

import { quoteName, textLiteral } from './literal.js';
import type { Merge, MergeTables, RefusedRows } from './merge.js';
import { countOf, sameKey } from './merge.js';
import type { Session } from './session.js';
import { notAside, ROW_NUMBER_COLUMN } from './superseded-rows.js';

/** What a version tells of a key. */
export interface ToldColumn {
  readonly column: Column;
  /** Quoted. */
  readonly name: string;
}

/**
 * A history of rows (slowly changing dimension, type 2): where a row differs from the version that holds, that
 * one is closed at the time of the run, and the row becomes the next. A run that is repeated changes nothing.
 */
export class VersionMerge implements Merge {
  readonly mode = 'scd2';
  readonly takesTurns = true;
  readonly #tables: MergeTables;
  readonly #versions: Versions;
  readonly #told: readonly ToldColumn[];
  readonly #isSame: string;
  readonly #isOpen: string;
  readonly #from: string;
  readonly #to: string;
  readonly #at: string;

  constructor(tables: MergeTables, versions: Versions, told: readonly ToldColumn[]) {
    this.#tables = tables;
    this.#versions = versions;
    this.#told = told;
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
    const number = quoteName(ROW_NUMBER_COLUMN);
    // A version that was closed later than this run has been judged by a later one as well.
    const isLater = `(t.${this.#from} > ${this.#at} OR (t.${this.#to} > ${this.#at} AND NOT ${this.#isOpen}))`;
    return {
      sql: `SELECT s.${number} FROM ${staging} AS s
        WHERE EXISTS (SELECT 1 FROM ${target} AS t WHERE ${this.#isSame} AND ${isLater})`,
      code: 'MR-D193',
      reason: `a later run than that of ${this.#versions.at} has written versions of this key`,
    };
  }

  count(range: string): string {
    const differs = this.#differs();
    const isEqual = differs === undefined ? '' : ` AND NOT (${differs})`;
    return countOf(
      this.#tables.staging,
      `${notAside(range)} AND NOT EXISTS (SELECT 1 FROM ${this.#tables.target} AS t
        WHERE ${this.#isSame} AND ${this.#isOpen}${isEqual})`,
    );
  }

  statements(range: string): readonly string[] {
    const { target, staging, columns } = this.#tables;
    const isOpen = `${this.#isSame} AND ${this.#isOpen}`;
    const filled = this.#filled();
    const insert = `INSERT INTO ${target} (${[...columns, ...filled.map(([name]) => name)].join(', ')})
      SELECT ${[...columns.map((c) => `s.${c}`), ...filled.map(([, value]) => value)].join(', ')}
        FROM ${staging} AS s LEFT JOIN ${target} AS t ON ${isOpen}
       WHERE t.${this.#from} IS NULL AND ${notAside(range)}`;
    const differs = this.#differs();
    if (differs === undefined) return [insert];
    const set = this.#told.map(({ name }) => `t.${name} = s.${name}`).join(', ');
    const update = `UPDATE ${target} AS t JOIN ${staging} AS s ON ${isOpen}`;
    return [
      `${update} SET ${set} WHERE t.${this.#from} = ${this.#at} AND (${differs}) AND ${notAside(range)}`,
      `${update} SET ${this.#closed()} WHERE t.${this.#from} < ${this.#at} AND (${differs}) AND ${notAside(range)}`,
      insert,
    ];
  }

  ending(isWhole: boolean): readonly string[] {
    if (this.#versions.missing === 'keep' || !isWhole) return [];
    const { target, staging } = this.#tables;
    const isMissing = `${this.#isOpen} AND NOT EXISTS (SELECT 1 FROM ${staging} AS s WHERE ${this.#isSame})`;
    return [
      // An earlier attempt at the same time has brought it.
      `DELETE t FROM ${target} AS t WHERE ${isMissing} AND t.${this.#from} = ${this.#at}`,
      `UPDATE ${target} AS t SET ${this.#closed()} WHERE ${isMissing} AND t.${this.#from} < ${this.#at}`,
    ];
  }

  /** By their bytes: = takes 'a' for 'A' under most collations, and 1.0 for 1.00 in JSON. */
  #differs(): string | undefined {
    if (this.#told.length === 0) return undefined;
    return this.#told
      .map(({ name, column }) => {
        const of = (table: string): string => bytesOf(`${table}.${name}`, column);
        return `NOT (${of('t')} <=> ${of('s')})`;
      })
      .join(' OR ');
  }

  #closed(): string {
    const { current } = this.#versions;
    const flag = current === undefined ? '' : `, t.${quoteName(current.name)} = 0`;
    return `t.${this.#to} = ${this.#at}${flag}`;
  }

  /** Name and value of what the source does not bring. */
  #filled(): readonly (readonly [string, string])[] {
    const { to, current, open } = this.#versions;
    const end = open === undefined ? 'NULL' : literalOf(open, to);
    const flag = current === undefined ? [] : [[quoteName(current.name), '1'] as const];
    return [[this.#from, this.#at], [this.#to, end], ...flag];
  }
}

/** Throws MR-D209 for a time that the server does not read as one of the column. */
export async function checkVersionTimes(
  session: Session,
  { from, to, at, open }: Versions,
): Promise<void> {
  const times =
    open === undefined ? [[at, from] as const] : [[at, from] as const, [open, to] as const];
  for (const [text, column] of times) {
    if ((await session.value(`SELECT ${literalOf(text, column)}`)) !== null) continue;
    throw new PluginError(
      'MR-D209',
      `scd2: '${text}' is no ${column.nativeType} of ${column.name}`,
    );
  }
}

function bytesOf(name: string, { type }: Column): string {
  if (type.kind === 'json') return `CAST(CAST(${name} AS CHAR) AS BINARY)`;
  return type.kind === 'text' || type.kind === 'other' ? `CAST(${name} AS BINARY)` : name;
}

function literalOf(text: string, { type }: Column): string {
  const literal = textLiteral(text);
  if (type.kind === 'date') return `CAST(${literal} AS DATE)`;
  return type.kind === 'timestamp' ? `CAST(${literal} AS DATETIME(${type.fraction}))` : literal;
}
