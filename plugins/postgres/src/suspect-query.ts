import type { Column } from '@millrace/sdk';
import type { Client } from 'pg';
import type { ChunkRows } from './chunk-rows.js';
import { sendCopy } from './copy-in.js';
import { quoteName } from './quoting.js';
import type { KeyPlaces } from './seen-keys.js';
import { underSavepoint } from './savepoint.js';
import { query } from './session.js';

const NAME = quoteName('millrace_rows');
const ROWS = `pg_temp.${NAME}`;
const NUMBER = quoteName('millrace_no');

/** A table, and the columns of it that rows have. */
export interface SuspectTarget {
  readonly client: Client;
  readonly quotedTable: string;
  readonly columns: readonly Column[];
}

/**
 * Asks the server which rows of a chunk have a key that is taken, or break a CHECK, before they are sent: only
 * the columns that this takes go into a temporary table.
 */
export class SuspectQuery {
  readonly #client: Client;
  /** Of the columns that are looked at. */
  readonly #places: readonly number[];
  readonly #create: string;
  readonly #find: string;
  /** A CHECK may end the question, as 1 / 0 does. */
  readonly #mayFail: boolean;

  private constructor(
    { client, quotedTable, columns }: SuspectTarget,
    places: readonly number[],
    conditions: readonly string[],
    mayFail: boolean,
  ) {
    this.#mayFail = mayFail;
    this.#client = client;
    this.#places = places;
    const names = places.map((place) => quoteName(columns[place]?.name ?? ''));
    this.#create = `CREATE TEMPORARY TABLE IF NOT EXISTS ${NAME} ON COMMIT DROP AS
      SELECT 0::bigint AS ${NUMBER}, ${names.join(', ')} FROM ${quotedTable} WHERE false;
      TRUNCATE ${ROWS}`;
    this.#find = conditions.join(' UNION ALL ');
  }

  /** `undefined`: the table has no rule that could be asked about. */
  static async of(
    target: SuspectTarget,
    keys: readonly KeyPlaces[],
  ): Promise<SuspectQuery | undefined> {
    const { client, quotedTable, columns } = target;
    const checks = await checksOf(
      client,
      quotedTable,
      columns.map(({ name }) => name),
    );
    if (checks.length + keys.length === 0) return undefined;
    const places = new Set([...checks.flatMap((check) => check.places), ...keys.flat()]);
    const conditions = checks.map(
      ({ condition }) => `SELECT ${NUMBER} FROM ${ROWS} AS s WHERE (${condition}) IS FALSE`,
    );
    for (const key of keys) {
      const parts = key.flatMap((place) => columns[place] ?? []);
      const names = parts.map(({ name }) => quoteName(name));
      const isSame = names.map((n) => `t.${n} = s.${n}`).join(' AND ');
      // One look into the index a row: a join could read the whole table for a few thousand rows.
      conditions.push(
        `SELECT ${NUMBER} FROM ${ROWS} AS s WHERE (SELECT true FROM ${quotedTable} AS t WHERE ${isSame} LIMIT 1)`,
      );
      if (parts.every(({ type }) => isWrittenAlike(type.kind))) continue;
      // One that comes first is no suspect.
      conditions.push(
        `SELECT ${NUMBER} FROM (SELECT ${NUMBER},
             row_number() OVER (PARTITION BY ${names.join(', ')} ORDER BY ${NUMBER}) AS n FROM ${ROWS}
            WHERE ${names.map((n) => `${n} IS NOT NULL`).join(' AND ')}) AS s WHERE n > 1`,
      );
    }
    const ascending = [...places].toSorted((a, b) => a - b);
    return new SuspectQuery(target, ascending, conditions, checks.length > 0);
  }

  /** Their numbers; `undefined` where a value is none of its column's type, or a CHECK cannot take it. */
  async find(rows: ChunkRows): Promise<readonly number[] | undefined> {
    const client = this.#client;
    await query(client, this.#create);
    const { format } = rows;
    const data = rows.numbered(this.#places);
    if (typeof (await sendCopy(client, ROWS, { format, data }).taken) !== 'number')
      return undefined;
    let found: readonly number[] = [];
    const find = async (): Promise<void> => {
      found = (await query(client, this.#find)).map(([no]) => Number(no));
    };
    if (!this.#mayFail) await find();
    else if ((await underSavepoint(client, find)) !== undefined) return undefined;
    return found;
  }
}

/** Equal values are of equal bytes, as servers write them: rows with the same key are found without asking. */
function isWrittenAlike(kind: Column['type']['kind']): boolean {
  return kind === 'integer' || kind === 'uuid' || kind === 'date' || kind === 'bytes';
}

/** The CHECKs whose columns are all there: the condition, and the places of its columns. */
async function checksOf(
  client: Client,
  quotedTable: string,
  columns: readonly string[],
): Promise<readonly { readonly condition: string; readonly places: readonly number[] }[]> {
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
    const places = (JSON.parse(names ?? '[]') as string[]).map((name) => columns.indexOf(name));
    return places.includes(-1) ? [] : [{ condition: condition ?? 'false', places }];
  });
}
