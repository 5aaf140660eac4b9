import type {
  Column,
  InteractiveContext,
  PartitionGroup,
  PartitionText,
  TableSchema,
} from '@millrace/sdk';
import { comparableText, errorCodeOf, partitionGroups } from '@millrace/sdk';

import { cancelOnAbort } from './cancel-on-abort.js';
import type { MysqlConfig } from './config.js';
import { quoteName, quoteTable, textLiteral } from './literal.js';
import { columnNamed } from './reader-source.js';
import { conditionOf } from './replace-scope.js';
import { Session } from './session.js';
import { readTable, resolveTable } from './table-catalog.js';

/** Each is compared with each row that is found. */
const MOST_AT_ONCE = 500;

/**
 * A table that is cut into lists by just the columns of the partitions has those its catalogue knows, also
 * empty ones; else a partition is there while it has a row.
 */
export async function presentPartitions(
  config: MysqlConfig,
  table: string,
  partitions: readonly string[],
  ctx: InteractiveContext,
): Promise<readonly string[]> {
  const groups = partitionGroups(partitions);
  await using session = await Session.open(config, { signal: ctx.signal });
  await using _cancel = cancelOnAbort(session, config, ctx.signal);
  const schema = await tableNamed(session, config.database, table);
  if (schema === undefined) return [];
  const present: string[] = [];
  for (const group of groups) present.push(...(await presentIn(session, schema, group)));
  return present;
}

/** `table`, or `database.table`; `undefined`: there is none. */
async function tableNamed(
  session: Session,
  database: string,
  table: string,
): Promise<TableSchema | undefined> {
  const dot = table.indexOf('.');
  const places = [
    { database, table },
    ...(dot > 0 ? [{ database: table.slice(0, dot), table: table.slice(dot + 1) }] : []),
  ];
  for (const place of places) {
    try {
      const name = await resolveTable(session, place.database, place.table, () => undefined);
      return (await readTable(session, name)).schema;
    } catch (error) {
      if (errorCodeOf(error) !== 'MR-D107' || (await isThere(session, place))) throw error;
    }
  }
  return undefined;
}

/** Also under several spellings, of which none can be chosen. */
async function isThere(
  session: Session,
  place: { readonly database: string; readonly table: string },
): Promise<boolean> {
  const rows = await session.rows(
    `SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${textLiteral(place.database)}
        AND LOWER(TABLE_NAME) = LOWER(${textLiteral(place.table)}) LIMIT 1`,
  );
  return rows.length > 0;
}

async function presentIn(
  session: Session,
  schema: TableSchema,
  { columns: wanted, partitions }: PartitionGroup,
): Promise<readonly string[]> {
  const table = quoteTable(schema.schema ?? '', schema.table);
  if (wanted.length === 0) {
    const rows = await session.rows(`SELECT 1 FROM ${table} LIMIT 1`);
    return rows.length === 0 ? [] : partitions.map(({ text }) => text);
  }
  const columns = wanted.map((name) => columnNamed(schema, name));
  const lists = await listsOf(session, schema, columns);
  const isListed = ({ values }: PartitionText): boolean => lists.has(keyOf(values, columns));
  const present = partitions.filter(isListed);
  const left = partitions.filter((partition) => !isListed(partition));
  for (let at = 0; at < left.length; at += MOST_AT_ONCE) {
    const some = left.slice(at, at + MOST_AT_ONCE);
    present.push(...(await withRows(session, table, columns, some)));
  }
  return present.map(({ text }) => text);
}

/**
 * Those with a row. Every value stands as a literal beside its column, whose type and collation decide; a list
 * of values to join with would have a collation of its own, which the server refuses to compare.
 */
async function withRows(
  session: Session,
  table: string,
  columns: readonly Column[],
  partitions: readonly PartitionText[],
): Promise<PartitionText[]> {
  const conditions = partitions.map(({ values }) =>
    conditionOf(columns.map(({ name }, at) => [name, values[at] ?? ''] as const)),
  );
  const [only, ...others] = columns.map(({ name }) => quoteName(name));
  const isWanted =
    others.length === 0
      ? `${only} IN (${partitions.map(({ values }) => textLiteral(values[0] ?? '')).join(', ')})`
      : conditions.map((condition) => `(${condition})`).join(' OR ');
  const names = [only, ...others].join(', ');
  const matches = conditions.map((condition, no) => `IF(${condition}, ${no}, NULL)`);
  const rows = await session.rows(
    `SELECT CONCAT_WS(',', ${matches.join(', ')})
       FROM (SELECT DISTINCT ${names} FROM ${table} WHERE ${isWanted}) AS found`,
  );
  const found = new Set(rows.flatMap(([numbers]) => (numbers ?? '').split(',')));
  return partitions.filter((_, no) => found.has(String(no)));
}

/** The values of the table's partitions, if it is cut into lists by just these columns. */
async function listsOf(
  session: Session,
  { schema: database = '', table }: TableSchema,
  columns: readonly Column[],
): Promise<ReadonlySet<string>> {
  const rows = await session.rows(
    `SELECT PARTITION_EXPRESSION, PARTITION_DESCRIPTION FROM information_schema.PARTITIONS
      WHERE TABLE_SCHEMA = ${textLiteral(database)} AND TABLE_NAME = ${textLiteral(table)}
        AND PARTITION_METHOD IN ('LIST', 'LIST COLUMNS')`,
  );
  const key = (rows[0]?.[0] ?? '').replaceAll('`', '').split(',');
  const places = key.map((name) => columns.findIndex((column) => column.name === name.trim()));
  if (places.includes(-1) || places.length !== columns.length) return new Set();
  return new Set(
    rows.flatMap(([, description]) => {
      const values = literalsIn(description ?? '');
      const lists: string[] = [];
      for (let at = 0; at < values.length; at += places.length) {
        const inOrder = columns.map((_, no) => values[at + places.indexOf(no)] ?? '');
        lists.push(keyOf(inOrder, columns));
      }
      return lists;
    }),
  );
}

/** Of `'a','b'`, `('a',1),('b',2)` or `1,2`. */
function literalsIn(description: string): string[] {
  return [...description.matchAll(/'((?:[^']|'')*)'|[^\s,()']+/g)].map(
    ([word, text]) => text?.replaceAll("''", "'") ?? word,
  );
}

function keyOf(values: readonly string[], columns: readonly Column[]): string {
  return JSON.stringify(columns.map((column, at) => comparableText(values[at] ?? '', column)));
}
