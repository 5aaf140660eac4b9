import type { Cell, Row } from '@millrace/sdk';
import type { Client } from 'pg';
import { sendCopy } from './copy-in.js';
import type { CopyRows } from './copy-in.js';
import { uniqueKeys } from './merge.js';
import type { ServerReason } from './pg-error.js';
import { quoteLiteral, quoteName } from './quoting.js';
import { execute, query } from './session.js';
import { underSavepoint } from './savepoint.js';

const ROWS = `pg_temp.${quoteName('millrace_rows')}`;
const REASONS = `pg_temp.${quoteName('millrace_reasons')}`;
const NUMBER = quoteName('millrace_no');

/** Where rows go: a table and the columns of the mapping in it. */
export interface ConflictTarget {
  readonly client: Client;
  readonly quotedTable: string;
  readonly columns: readonly string[];
  readonly columnList: string;
}

/** A row the server refused. */
export interface ConflictRow {
  /** Counted from 0, as the rows were sent. */
  readonly index: number;
  readonly reason: ServerReason;
  /** As the server has it, in the order of the columns. */
  readonly texts: readonly (string | null)[];
}

/**
 * Loads rows some of which have a key that is taken, or break a CHECK: through a temporary table, where the
 * server itself says which rows these could be. The others are moved by one statement and these one by one, in
 * their order. Cutting a bad row out of COPY and sending the rest again took ten times as long as clean rows.
 */
export class ConflictLoad {
  readonly #target: ConflictTarget;
  readonly #suspects: string;
  readonly #insert: string;

  private constructor(target: ConflictTarget, suspects: string) {
    this.#target = target;
    this.#suspects = suspects;
    this.#insert = `INSERT INTO ${target.quotedTable} (${target.columnList})
      SELECT ${target.columnList} FROM ${ROWS}`;
  }

  /** Asks which rules the table has. The transaction is open. */
  static async of(target: ConflictTarget): Promise<ConflictLoad> {
    const { client, quotedTable, columns } = target;
    const conditions = await suspicions(client, quotedTable, columns);
    const suspects = conditions.map((c) => `SELECT ${NUMBER} FROM ${ROWS} AS s WHERE ${c}`);
    const keys = (await uniqueKeys(client, quotedTable)).filter((key) =>
      key.every((name) => columns.includes(name)),
    );
    for (const key of keys) {
      const names = key.map(quoteName);
      const isSame = names.map((n) => `t.${n} = s.${n}`).join(' AND ');
      suspects.push(
        `SELECT ${NUMBER} FROM (SELECT ${NUMBER}, count(*) OVER (PARTITION BY ${names.join(', ')}) AS n FROM ${ROWS}) AS d WHERE n > 1`,
        // One look into the index a row: a join could read the whole table for a few thousand rows.
        `SELECT ${NUMBER} FROM ${ROWS} AS s WHERE (SELECT true FROM ${quotedTable} AS t WHERE ${isSame} LIMIT 1)`,
      );
    }
    const [loop] = await query(
      client,
      `SELECT EXISTS (SELECT FROM pg_language WHERE lanname = 'plpgsql' AND has_language_privilege(oid, 'USAGE'))`,
    );
    return new ConflictLoad(target, loop?.[0] === 't' ? suspects.join(' UNION ') : '');
  }

  /**
   * How many rows were taken; the others are handed to `refuse`. `undefined`, and nothing has happened, when
   * this is no way for them.
   */
  async load(
    rows: CopyRows,
    refuse: (row: ConflictRow) => Promise<void>,
  ): Promise<number | undefined> {
    const { client, columnList, quotedTable } = this.#target;
    if (this.#suspects === '') return undefined;
    await query(
      client,
      `CREATE TEMPORARY TABLE IF NOT EXISTS ${quoteName('millrace_rows')} ON COMMIT DROP AS
         SELECT ${columnList} FROM ${quotedTable} WHERE false;
       ALTER TABLE ${ROWS} ADD COLUMN IF NOT EXISTS ${NUMBER} bigint GENERATED ALWAYS AS IDENTITY;
       TRUNCATE ${ROWS} RESTART IDENTITY`,
    );
    const copied = await sendCopy(client, `${ROWS} (${columnList})`, rows).taken;
    if (typeof copied !== 'number') return undefined;
    const suspects = (await query(client, `${this.#suspects} ORDER BY 1`)).map((r) => r[0] ?? '0');
    let taken = 0;
    const refused = await underSavepoint(client, async () => {
      const sql = `${this.#insert} WHERE ${NUMBER} <> ALL ('{${suspects.join(',')}}'::bigint[]) ORDER BY ${NUMBER}`;
      taken = (await execute(client, sql)).rowCount;
    });
    if (refused !== undefined) return undefined;
    return taken + (await this.#oneByOne(suspects, refuse));
  }

  /**
   * The suspects one by one, by the server itself: five statements for each of a thousand took four times as long
   * as a hundred thousand good rows.
   */
  async #oneByOne(
    suspects: readonly string[],
    refuse: (row: ConflictRow) => Promise<void>,
  ): Promise<number> {
    if (suspects.length === 0) return 0;
    const { client, columns, columnList, quotedTable } = this.#target;
    const values = columns.map((name) => `suspect.${quoteName(name)}`).join(', ');
    const loop = `
       DECLARE
         suspect record;
         refused ${REASONS};
       BEGIN
         FOR suspect IN
           SELECT * FROM ${ROWS} WHERE ${NUMBER} = ANY ('{${suspects.join(',')}}'::bigint[]) ORDER BY ${NUMBER}
         LOOP
           BEGIN
             INSERT INTO ${quotedTable} (${columnList}) VALUES (${values});
             IF NOT FOUND THEN
               INSERT INTO ${REASONS} VALUES (suspect.${NUMBER}, NULL);
             END IF;
           EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
             GET STACKED DIAGNOSTICS refused.state = RETURNED_SQLSTATE, refused.words = MESSAGE_TEXT,
               refused.named = COLUMN_NAME;
             INSERT INTO ${REASONS} VALUES (suspect.${NUMBER}, refused.state, refused.words, refused.named);
           END;
         END LOOP;
       END`;
    await query(
      client,
      `CREATE TEMPORARY TABLE IF NOT EXISTS ${quoteName('millrace_reasons')}
         (no bigint, state text, words text, named text) ON COMMIT DROP;
       TRUNCATE ${REASONS};
       -- As a literal: a name of the table's may hold any dollar quote.
       DO ${quoteLiteral(loop)}`,
    );
    const left = await query(
      client,
      `SELECT r.no, r.state, r.words, r.named, ${columns.map((name) => `s.${quoteName(name)}`).join(', ')}
         FROM ${REASONS} AS r JOIN ${ROWS} AS s ON s.${NUMBER} = r.no ORDER BY r.no`,
    );
    for (const [no, code, words, column, ...texts] of left) {
      // Not stored and not refused: a trigger has dropped it.
      if (code === null || code === undefined) continue;
      const named = column === null || column === undefined || column === '' ? {} : { column };
      await refuse({
        index: Number(no) - 1,
        reason: { code, reason: words ?? '', ...named },
        texts,
      });
    }
    return suspects.length - left.length;
  }
}

/** Conditions of rows `s` that NOT NULL or a CHECK refuses; of a CHECK only when all its columns are there. */
async function suspicions(
  client: Client,
  quotedTable: string,
  columns: readonly string[],
): Promise<readonly string[]> {
  const rows = await query(
    client,
    `SELECT quote_ident(a.attname) || ' IS NULL' FROM pg_attribute a
      WHERE a.attrelid = $1::regclass AND a.attnotnull AND a.attname = ANY ($2::text[])
     UNION ALL
     SELECT '(' || pg_get_expr(c.conbin, c.conrelid) || ') IS FALSE' FROM pg_constraint c
      WHERE c.conrelid = $1::regclass AND c.contype = 'c' AND NOT EXISTS (
        SELECT FROM unnest(c.conkey) AS k(attnum)
          JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
         WHERE a.attname <> ALL ($2::text[]))`,
    [quotedTable, arrayLiteral(columns)],
  );
  return rows.map(([condition]) => condition ?? 'false');
}

/** The cells of a refused row that never was text. */
export function cellsOfTexts(kinds: readonly string[], texts: readonly (string | null)[]): Row {
  return texts.map((text, i): Cell => {
    if (text === null) return null;
    if (kinds[i] === 'bytes') return Buffer.from(text.slice(2), 'hex');
    return kinds[i] === 'boolean' ? (text === 't' ? 'true' : 'false') : text;
  });
}

function arrayLiteral(names: readonly string[]): string {
  return `{${names.map((name) => `"${name.replaceAll(/["\\\\]/g, String.raw`\\$&`)}"`).join(',')}}`;
}
