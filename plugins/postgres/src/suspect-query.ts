import type { Column } from '@millrace/sdk';
import type { Client } from 'pg';
import type { ChunkRows } from './chunk-rows.js';
import { quoteName } from './quoting.js';
import type { KeyPlaces } from './seen-keys.js';
import { underSavepoint } from './savepoint.js';
import type { TextRow } from './session.js';
import { query } from './session.js';

/** The columns that are asked about, each as one array. */
const ARRAYS = quoteName('millrace_arrays');
/** Of a row among them, from 1. */
const NUMBER = quoteName('millrace_no');
/** A rule that found nothing in so many chunks is not asked again before the server has refused a row. */
const QUIET_CHUNKS = 16;

/** A table, and the columns of it that rows have. */
export interface SuspectTarget {
  readonly client: Client;
  readonly quotedTable: string;
  readonly columns: readonly Column[];
}

/** A rule of a table, and how the server is asked which rows `s` it speaks against. */
interface Rule {
  /** Of the columns it looks at. */
  readonly places: readonly number[];
  readonly condition: string;
  /** What the condition needs beside the columns. */
  readonly column?: string;
  /** Chunks since it has found one. */
  quietChunks: number;
}

/** A column that can be sent as an array. */
interface AskedColumn {
  readonly name: string;
  /** As a statement names it. */
  readonly arrayType: string;
  readonly oid: number;
}

/**
 * Asks the server which rows of a chunk have a key that is taken, or break a CHECK, before they are sent. Only the
 * columns that this takes go with the question, each as an array: a temporary table of them took twice as long.
 */
export class SuspectQuery {
  readonly #client: Client;
  /** By place; `undefined`: there is no array of its type. */
  readonly #columns: readonly (AskedColumn | undefined)[];
  readonly #rules: readonly Rule[];

  private constructor(
    client: Client,
    columns: readonly (AskedColumn | undefined)[],
    rules: readonly Rule[],
  ) {
    this.#client = client;
    this.#columns = columns;
    this.#rules = rules;
  }

  /** `keys`: the unique ones. */
  static async of(target: SuspectTarget, keys: readonly KeyPlaces[]): Promise<SuspectQuery> {
    const columns = await askedColumns(target);
    const rules = [
      ...(await checksOf(target)),
      ...keys.map((places, no) => ({ places, ...takenKey(target, places, no) })),
    ].filter(({ places }) => places.every((place) => columns[place] !== undefined));
    return new SuspectQuery(
      target.client,
      columns,
      rules.map((rule) => ({ ...rule, quietChunks: Infinity })),
    );
  }

  /** Some rule has found rows lately. */
  get isUseful(): boolean {
    return this.#rules.some(isUseful);
  }

  /**
   * By the rules that have found rows lately, or by all. Looks at the rows at once; nothing may be under way on the
   * session when it is asked. Resolves to their numbers with the `known` ones, ascending.
   */
  question(
    rows: ChunkRows,
    known: readonly number[],
    which: 'useful' | 'all',
  ): () => Promise<readonly number[]> {
    const rules = which === 'all' ? this.#rules : this.#rules.filter(isUseful);
    if (rules.length === 0) return () => Promise.resolve(known);
    const places = [...new Set(rules.flatMap((rule) => rule.places))].toSorted((a, b) => a - b);
    const columns = places.flatMap((place) => {
      const column = this.#columns[place];
      return column === undefined ? [] : [{ ...column, place }];
    });
    const arrays = rows.arrays(columns);
    const parameters = arrays.map(({ values }, i) =>
      values.parameter(i + 1, columns[i]?.arrayType ?? ''),
    );
    const names = columns.map(({ name }) => name);
    const fields = names.map((name) => `(SELECT ${name} FROM ${ARRAYS})`);
    const more = rules.flatMap(({ column }) => column ?? []);
    const cases = rules.map(({ condition }, no) => `WHEN ${condition} THEN ${no}`);
    const sql = `WITH ${ARRAYS} AS MATERIALIZED (
        SELECT ${names.map((name, i) => `${parameters[i]} AS ${name}`).join(', ')})
      SELECT * FROM (
        SELECT CASE ${cases.join(' ')} END AS rule, ${NUMBER} - 1 FROM (
          SELECT ${['*', ...more].join(', ')}
            FROM unnest(${fields.join(', ')}) WITH ORDINALITY AS r (${[...names, NUMBER].join(', ')})) AS s) AS f
       WHERE rule IS NOT NULL`;
    return async () => {
      const found = await this.#ask(
        sql,
        arrays.map(({ data }) => data),
      );
      const isKnown = new Set(known);
      const useful = new Set<number>();
      const all = new Set(known);
      for (const [rule, no] of found ?? []) {
        if (!isKnown.has(Number(no))) useful.add(Number(rule));
        all.add(Number(no));
      }
      for (const [no, rule] of rules.entries()) {
        if (useful.has(no)) rule.quietChunks = 0;
        else rule.quietChunks += found === undefined ? Infinity : 1;
      }
      return [...all].toSorted((a, b) => a - b);
    };
  }

  /** `undefined`: a value is none of its column's type, or a CHECK ends the question, as 1 / 0 does. */
  async #ask(sql: string, values: readonly Buffer[]): Promise<readonly TextRow[] | undefined> {
    let found: readonly TextRow[] = [];
    const refused = await underSavepoint(this.#client, async () => {
      found = await query(this.#client, sql, values);
    });
    return refused === undefined ? found : undefined;
  }
}

function isUseful({ quietChunks }: Rule): boolean {
  return quietChunks < QUIET_CHUNKS;
}

function takenKey(
  { quotedTable, columns }: SuspectTarget,
  key: KeyPlaces,
  no: number,
): Pick<Rule, 'condition' | 'column'> {
  const parts = key.flatMap((place) => columns[place] ?? []);
  const names = parts.map(({ name }) => quoteName(name));
  const isSame = names.map((n) => `t.${n} = s.${n}`).join(' AND ');
  // One look into the index a row: a join could read the whole table for a few thousand rows.
  const isTaken = `(SELECT true FROM ${quotedTable} AS t WHERE ${isSame} LIMIT 1)`;
  const [name = ''] = names;
  const condition =
    names.length === 1 ? `${mayBeTaken(quotedTable, name)} AND ${isTaken}` : isTaken;
  if (parts.every(({ type }) => isWrittenAlike(type.kind))) return { condition };
  const count = quoteName(`millrace_times${no}`);
  // One that comes first is no suspect.
  return {
    column: `row_number() OVER (PARTITION BY ${names.join(', ')} ORDER BY ${NUMBER}) AS ${count}`,
    condition: `(${condition}) OR (${count} > 1 AND (${names.join(', ')}) IS NOT NULL)`,
  };
}

/**
 * Not of rows with a key between that of the first row and that of the last one where the table has none between
 * them: where rows come in the order of their key, that is nearly all of them.
 */
function mayBeTaken(quotedTable: string, name: string): string {
  const [first, last] = [`${name}[1]`, `${name}[cardinality(${name})]`];
  return `((s.${name} BETWEEN (SELECT ${first} FROM ${ARRAYS}) AND (SELECT ${last} FROM ${ARRAYS})) IS NOT TRUE
    OR (SELECT EXISTS (SELECT FROM ${quotedTable} AS t WHERE t.${name} BETWEEN a.${name}[1] AND a.${name}[cardinality(a.${name})]) FROM ${ARRAYS} AS a))`;
}

/** Equal values are of equal bytes, as servers write them: rows with the same key are found without asking. */
function isWrittenAlike(kind: Column['type']['kind']): boolean {
  return kind === 'integer' || kind === 'uuid' || kind === 'date' || kind === 'bytes';
}

/** By place; `undefined`: an array itself, of which the server makes no arrays. */
async function askedColumns({
  client,
  quotedTable,
  columns,
}: SuspectTarget): Promise<readonly (AskedColumn | undefined)[]> {
  // With a type modifier a value that is too long would be cut; -1 is none, and names `char` so that it is not char(1).
  const rows = await query(
    client,
    `SELECT a.attname, format_type(t.typarray, -1), t.oid FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND t.typarray <> 0`,
    [quotedTable],
  );
  const found = new Map(
    rows.map(([name, arrayType, oid]) => [
      name,
      { name: quoteName(name ?? ''), arrayType: arrayType ?? '', oid: Number(oid) },
    ]),
  );
  return columns.map(({ name }) => found.get(name));
}

/** The CHECKs whose columns are all there. */
async function checksOf({
  client,
  quotedTable,
  columns,
}: SuspectTarget): Promise<readonly Omit<Rule, 'quietChunks'>[]> {
  const rows = await query(
    client,
    `SELECT pg_get_expr(c.conbin, c.conrelid), json_agg(a.attname)::text
       FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey) AS k(attnum)
       JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
      WHERE c.conrelid = $1::regclass AND c.contype = 'c'
      GROUP BY c.oid HAVING count(*) = cardinality(c.conkey)`,
    [quotedTable],
  );
  return rows.flatMap(([condition, names]) => {
    const places = (JSON.parse(names ?? '[]') as string[]).map((name) =>
      columns.findIndex((column) => column.name === name),
    );
    if (places.includes(-1)) return [];
    return [{ places, condition: `(${condition ?? 'true'}) IS FALSE` }];
  });
}
