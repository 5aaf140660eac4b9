import type { Column } from '@millrace/sdk';
import type { Client } from 'pg';
import { CheckAnswers } from './check-answers.js';
import { quoteName } from './quoting.js';
import type { KeyPlaces } from './seen-keys.js';
import { query } from './session.js';

/** Of a row among them, from 1. */
export const NUMBER = quoteName('millrace_no');

/** A table, and the columns of it that rows have. */
export interface SuspectTarget {
  readonly client: Client;
  readonly quotedTable: string;
  readonly columns: readonly Column[];
}

/** A rule of a table, and how the server is asked which rows `s` it speaks against. */
export interface SuspectRule {
  /** Of the columns it looks at. */
  readonly places: readonly number[];
  readonly condition: string;
  /** What the condition needs beside the columns. */
  readonly column?: string;
  /** Of a rule that looks at nothing but the row. */
  readonly answers?: CheckAnswers;
  /** Of a key that is one whole number; cleared where the table has rows between those that come. */
  ordered?: OrderedKey | undefined;
  /** Chunks since it has found one. */
  quietChunks: number;
}

/** How a key is asked about whose rows come in its order: only those that do not can be taken. */
interface OrderedKey {
  readonly quotedTable: string;
  readonly isTaken: string;
}

/** A column that can be sent as an array. */
export interface AskedColumn {
  readonly name: string;
  /** As a statement names it. */
  readonly arrayType: string;
  readonly oid: number;
}

/** What the server refuses rows of the table by, as far as it can be asked before; `keys`: the unique ones. */
export async function suspectRules(
  target: SuspectTarget,
  keys: readonly KeyPlaces[],
): Promise<readonly SuspectRule[]> {
  // An account that only writes may not look for a key.
  const [[mayLook] = []] = await query(
    target.client,
    `SELECT has_table_privilege($1, 'SELECT')::text`,
    [target.quotedTable],
  );
  const rules = [
    ...(await checksOf(target)),
    ...(mayLook === 'true' ? keys : []).map((places, no) => ({
      places,
      ...takenKey(target, places, no),
    })),
  ];
  return rules.map((rule) => ({ ...rule, quietChunks: Infinity }));
}

function takenKey(
  { quotedTable, columns }: SuspectTarget,
  key: KeyPlaces,
  no: number,
): Pick<SuspectRule, 'condition' | 'column' | 'ordered'> {
  const parts = key.flatMap((place) => columns[place] ?? []);
  const names = parts.map(({ name }) => quoteName(name));
  const isSame = names.map((n) => `t.${n} = s.${n}`).join(' AND ');
  // One look into the index a row: a join could read the whole table for a few thousand rows.
  const isTaken = `(SELECT true FROM ${quotedTable} AS t WHERE ${isSame} LIMIT 1)`;
  const isNumber = parts.length === 1 && parts[0]?.type.kind === 'integer';
  const ordered = isNumber ? { quotedTable, isTaken } : undefined;
  if (parts.every(({ type }) => isWrittenAlike(type.kind))) return { condition: isTaken, ordered };
  const count = quoteName(`millrace_times${no}`);
  // One that comes first is no suspect.
  return {
    column: `row_number() OVER (PARTITION BY ${names.join(', ')} ORDER BY ${NUMBER}) AS ${count}`,
    condition: `${isTaken} OR (${count} > 1 AND (${names.join(', ')}) IS NOT NULL)`,
  };
}

/** Equal values are of equal bytes, as servers write them: rows with the same key are found without asking. */
function isWrittenAlike(kind: Column['type']['kind']): boolean {
  return kind === 'integer' || kind === 'uuid' || kind === 'date' || kind === 'bytes';
}

/** By place; `undefined`: an array itself, of which the server makes no arrays. */
export async function askedColumns({
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
}: SuspectTarget): Promise<readonly Omit<SuspectRule, 'quietChunks'>[]> {
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
    const answers = new CheckAnswers(places.toSorted((a, b) => a - b));
    return [{ places, answers, condition: `(${condition ?? 'true'}) IS FALSE` }];
  });
}
