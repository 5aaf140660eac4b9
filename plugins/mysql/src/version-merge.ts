import { PluginError, VersionTerms } from '@millrace/sdk';
import type { Column, MergeTables, RefusedRows, Versions } from '@millrace/sdk';

import { quoteName, textLiteral } from './literal.js';
import type { Merge } from './merge.js';
import { countOf } from './merge.js';
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
  readonly #terms: VersionTerms;

  constructor(tables: MergeTables, versions: Versions, told: readonly ToldColumn[]) {
    this.#tables = tables;
    this.#versions = versions;
    this.#told = told;
    this.#terms = new VersionTerms(tables, versions, { quoteName, literalOf });
  }

  get keys(): MergeTables['keys'] {
    return this.#tables.keys;
  }

  get refused(): RefusedRows {
    const number = quoteName(ROW_NUMBER_COLUMN);
    return this.#terms.refused(`SELECT s.${number} FROM ${this.#tables.staging} AS s`);
  }

  count(range: string): string {
    const { isSame, isOpen } = this.#terms;
    const differs = this.#differs();
    const isEqual = differs === undefined ? '' : ` AND NOT (${differs})`;
    return countOf(
      this.#tables.staging,
      `${notAside(range)} AND NOT EXISTS (SELECT 1 FROM ${this.#tables.target} AS t
        WHERE ${isSame} AND ${isOpen}${isEqual})`,
    );
  }

  statements(range: string): readonly string[] {
    const { target, staging, columns } = this.#tables;
    const { from, at, filled, isSame } = this.#terms;
    const isOpen = `${isSame} AND ${this.#terms.isOpen}`;
    const insert = `INSERT INTO ${target} (${[...columns, ...filled.map(([name]) => name)].join(', ')})
      SELECT ${[...columns.map((c) => `s.${c}`), ...filled.map(([, value]) => value)].join(', ')}
        FROM ${staging} AS s LEFT JOIN ${target} AS t ON ${isOpen}
       WHERE t.${from} IS NULL AND ${notAside(range)}`;
    const differs = this.#differs();
    if (differs === undefined) return [insert];
    const set = this.#told.map(({ name }) => `t.${name} = s.${name}`).join(', ');
    const update = `UPDATE ${target} AS t JOIN ${staging} AS s ON ${isOpen}`;
    return [
      `${update} SET ${set} WHERE t.${from} = ${at} AND (${differs}) AND ${notAside(range)}`,
      `${update} SET ${this.#terms.closed('t.')} WHERE t.${from} < ${at} AND (${differs}) AND ${notAside(range)}`,
      insert,
    ];
  }

  ending(isWhole: boolean): readonly string[] {
    if (this.#versions.missing === 'keep' || !isWhole) return [];
    const { target } = this.#tables;
    const { from, at, isMissing } = this.#terms;
    return [
      // An earlier attempt at the same time has brought it.
      `DELETE t FROM ${target} AS t WHERE ${isMissing} AND t.${from} = ${at}`,
      `UPDATE ${target} AS t SET ${this.#terms.closed('t.')} WHERE ${isMissing} AND t.${from} < ${at}`,
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
