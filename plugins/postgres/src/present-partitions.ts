import type { InteractiveContext, PartitionGroup, PartitionText, TableSchema } from '@millrace/sdk';
import { errorCodeOf, partitionGroups } from '@millrace/sdk';
import type { Client } from 'pg';
import type { PostgresSource } from './config.js';
import { partitionKey } from './partition-check.js';
import { qualifiedName, quoteName } from './quoting.js';
import { inSession, query } from './session.js';
import { describeTable, resolveColumn, resolveSchema } from './table-catalog.js';

/**
 * A table that is cut into lists by just the column of the partitions has those its catalogue knows, also
 * empty ones; else a partition is there while it has a row.
 */
export async function presentPartitions(
  source: PostgresSource,
  table: string,
  partitions: readonly string[],
  ctx: InteractiveContext,
): Promise<readonly string[]> {
  const groups = partitionGroups(partitions);
  return await inSession(source, 'millrace check at the source', ctx.signal, async ({ client }) => {
    const schema = await tableNamed(client, source.schema, table);
    if (schema === undefined) return [];
    const present: string[] = [];
    for (const group of groups) present.push(...(await presentIn(client, schema, group)));
    return present;
  });
}

/** `table`, or `schema.table`; `undefined`: there is none. */
async function tableNamed(
  client: Client,
  schema: string,
  table: string,
): Promise<TableSchema | undefined> {
  // Of a data source whose own schema is not there nobody knows what has gone.
  await resolveSchema(client, schema);
  const dot = table.indexOf('.');
  const places = [
    { schema, table },
    ...(dot > 0 ? [{ schema: table.slice(0, dot), table: table.slice(dot + 1) }] : []),
  ];
  for (const place of places) {
    try {
      return await describeTable(client, place.schema, place.table);
    } catch (error) {
      if (errorCodeOf(error) !== 'MR-D107') throw error;
    }
  }
  return undefined;
}

async function presentIn(
  client: Client,
  schema: TableSchema,
  { columns: wanted, partitions }: PartitionGroup,
): Promise<readonly string[]> {
  const table = qualifiedName(schema.schema ?? '', schema.table);
  if (wanted.length === 0) {
    const rows = await query(client, `SELECT 1 FROM ${table} LIMIT 1`);
    return rows.length === 0 ? [] : partitions.map(({ text }) => text);
  }
  const columns = wanted.map((name) => resolveColumn(name, schema).name);
  const asked = await valuesOf(client, table, columns);
  const bounds = await listBounds(client, table, columns);
  const inCatalogue =
    bounds.lists.length === 0
      ? []
      : await found(client, asked, partitions, `a.c0 IN (${bounds.lists.join(', ')})`);
  const left = partitions.filter((partition) => !inCatalogue.includes(partition));
  const inRows =
    left.length === 0 || (bounds.isList && !bounds.hasDefault)
      ? []
      : await found(
          client,
          asked,
          left,
          `EXISTS (SELECT FROM ${table} AS t WHERE ${same(columns)})`,
        );
  return [...inCatalogue, ...inRows].map(({ text }) => text);
}

function same(columns: readonly string[]): string {
  return columns.map((name, at) => `t.${quoteName(name)} = a.c${at}`).join(' AND ');
}

/** The values of all partitions as rows of the columns' own types; $1 is a list of lists of texts. */
async function valuesOf(
  client: Client,
  table: string,
  columns: readonly string[],
): Promise<string> {
  // Without a length: a cast to one would cut a longer text down to a value that is there.
  const rows = await query(
    client,
    `SELECT attname, format_type(atttypid, -1) FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
    [table],
  );
  const types = new Map(rows.map(([name, type]) => [name, type ?? 'text']));
  const cells = columns.map(
    (name, at) => `(j.r ->> ${at})::${types.get(name) ?? 'text'} AS c${at}`,
  );
  return `SELECT j.n, ${cells.join(', ')} FROM json_array_elements($1::json) WITH ORDINALITY AS j(r, n)`;
}

/** Those for which the condition holds; all in one statement. */
async function found(
  client: Client,
  asked: string,
  partitions: readonly PartitionText[],
  condition: string,
): Promise<readonly PartitionText[]> {
  const rows = await query(client, `SELECT a.n::text FROM (${asked}) AS a WHERE ${condition}`, [
    JSON.stringify(partitions.map(({ values }) => values)),
  ]);
  return rows.flatMap(([n]) => partitions[Number(n) - 1] ?? []);
}

interface ListBounds {
  /** The table is cut into lists by just these columns. */
  readonly isList: boolean;
  readonly hasDefault: boolean;
  /** Values as the server writes them. */
  readonly lists: readonly string[];
}

async function listBounds(
  client: Client,
  table: string,
  columns: readonly string[],
): Promise<ListBounds> {
  const key = await partitionKey(client, table);
  // What says that there are partitions has a key of one column: a server knows no list of several.
  const isList = !key.isRange && key.columns.length === 1 && columns.join() === key.columns[0];
  if (!isList) return { isList, hasDefault: false, lists: [] };
  const rows = await query(
    client,
    `SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = $1::regclass`,
    [table],
  );
  const bounds = rows.map(([bound]) => bound ?? '');
  return {
    isList,
    hasDefault: bounds.includes('DEFAULT'),
    lists: bounds.flatMap((bound) => /^FOR VALUES IN \((.*)\)$/s.exec(bound)?.[1] ?? []),
  };
}
