import type { Column, TableSchema } from '@millrace/sdk';
import type { Client } from 'pg';
import { PluginError, qualifiedParts, shardNames, splitStatements } from '@millrace/sdk';
import { toPluginError } from './pg-error.js';
import { qualifiedName, quoteName } from './quoting.js';
import type { PostgresReaderConfig } from './reader-config.js';
import { query } from './session.js';
import { describeQuery, describeTable, resolveColumn } from './table-catalog.js';

type Expressions = NonNullable<PostgresReaderConfig['expressions']>;

/** A table or the query of a reader, resolved against the server. */
export interface ReaderSource {
  /** Every column it has. */
  readonly full: TableSchema;
  /** The columns that are read. */
  readonly schema: TableSchema;
  /** As it stands after FROM. */
  readonly from: string;
  /** Its quoted name; absent for a query. */
  readonly table?: string;
  /** The filter of the user, or one that is true. */
  readonly filter: string;
  /** Columns that the server computes. */
  readonly expressions: Expressions;
}

/** What a reader reads, in the order of its tables. Throws MR-D261 where their columns differ. */
export async function resolveSources(
  client: Client,
  config: PostgresReaderConfig,
  defaultSchema: string,
): Promise<readonly [ReaderSource, ...ReaderSource[]]> {
  const where = config.where?.trim() ?? '';
  // A filter may end in a comment: the line break keeps our parenthesis out of it.
  const filter = where === '' ? '1 = 1' : `(${where}\n)`;
  const { expressions = [] } = config;
  const sourceOf = async (full: TableSchema, from: string): Promise<ReaderSource> => {
    const chosen = config.columns?.map((name) => resolveColumn(name, full)) ?? full.columns;
    const columns = [...chosen, ...(await computedOf(client, full, from, expressions))];
    return { full, schema: { ...full, columns }, from, filter, expressions };
  };
  if (config.query !== undefined) {
    const sql = oneStatement(config.query);
    const columns = await describeQuery(client, sql).catch((error: unknown) => {
      throw toPluginError(error);
    });
    return [await sourceOf({ table: 'query', columns, primaryKey: [] }, `(${sql}\n) AS q`)];
  }
  const sources: ReaderSource[] = [];
  for (const { schema, table } of namesOf(config)) {
    const full = await describeTable(client, schema ?? config.schema ?? defaultSchema, table);
    const quoted = qualifiedName(full.schema ?? '', full.table);
    sources.push({ ...(await sourceOf(full, quoted)), table: quoted });
  }
  const [first, ...others] = sources;
  if (first === undefined) throw new PluginError('MR-D261', 'the patterns name no table');
  for (const other of others) checkSameColumns(first, other);
  return [first, ...others];
}

/** The SELECT of some columns and rows of a source. */
export function selectOf(
  source: ReaderSource,
  columns: readonly Column[],
  condition: string,
): string {
  const list = columns.map((c) => {
    const name = quoteName(c.name);
    const own = source.expressions.find((each) => each.name === c.name);
    if (own !== undefined) {
      return `(${own.sql}\n)${c.nativeType === 'money' ? '::numeric' : ''} AS ${name}`;
    }
    // The text of money follows the server's locale.
    return c.nativeType === 'money' ? `${name}::numeric AS ${name}` : name;
  });
  return `SELECT ${list.join(', ')} FROM ${source.from} WHERE ${condition} AND ${source.filter}`;
}

/**
 * The statement that keeps the tables as they are until the transaction ends, to be the first of it: a
 * table that is rewritten after the snapshot looks empty in it. Absent where nothing can be locked.
 */
export async function lockStatementOf(
  client: Client,
  sources: readonly ReaderSource[],
): Promise<string | undefined> {
  const names = sources.flatMap(({ table }) => (table === undefined ? [] : [table]));
  const rows = await query(
    client,
    `SELECT n FROM unnest($1::text[]) AS n JOIN pg_class c ON c.oid = n::regclass WHERE c.relkind IN ('r', 'p')`,
    [`{${names.map((name) => JSON.stringify(name)).join(',')}}`],
  );
  const lockable = rows.map(([name]) => name ?? '');
  return lockable.length === 0
    ? undefined
    : `LOCK TABLE ${lockable.join(', ')} IN ACCESS SHARE MODE`;
}

/** What the server makes of the expressions: their types are its own. */
async function computedOf(
  client: Client,
  full: TableSchema,
  from: string,
  expressions: Expressions,
): Promise<readonly Column[]> {
  if (expressions.length === 0) return [];
  const taken = expressions.find(({ name }) => full.columns.some((column) => column.name === name));
  if (taken !== undefined) {
    throw new PluginError('MR-D208', `the expression ${taken.name} is called like a column`);
  }
  const list = expressions.map(({ name, sql }) => `(${sql}\n) AS ${quoteName(name)}`);
  return await describeQuery(client, `SELECT ${list.join(', ')} FROM ${from}`).catch(
    (error: unknown) => {
      throw toPluginError(error);
    },
  );
}

function namesOf(config: PostgresReaderConfig): readonly { schema?: string; table: string }[] {
  return config.table === undefined
    ? shardNames(config.tables ?? []).map(qualifiedParts)
    : [{ table: config.table }];
}

function checkSameColumns(first: ReaderSource, other: ReaderSource): void {
  const differences = first.schema.columns.flatMap((column, i) => {
    const found = other.schema.columns[i];
    if (found?.name === column.name && found.nativeType === column.nativeType) return [];
    const there = found === undefined ? 'missing' : `"${found.name}" ${found.nativeType}`;
    return [`"${column.name}" ${column.nativeType} is ${there}`];
  });
  const more = other.schema.columns.slice(first.schema.columns.length);
  differences.push(...more.map((column) => `"${column.name}" is not in the first`));
  if (differences.length === 0) return;
  throw new PluginError(
    'MR-D261',
    `${other.table ?? ''} is not as ${first.table ?? ''}: ${differences.slice(0, 5).join('; ')}`,
  );
}

/** Without its semicolon: the query becomes part of others. */
function oneStatement(script: string): string {
  const [statement, second] = splitStatements(script, 'postgres');
  if (statement === undefined || second !== undefined) {
    throw new PluginError('MR-D204', 'the query of a reader must be one statement');
  }
  return statement.text;
}
