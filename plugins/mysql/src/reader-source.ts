import {
  missingNameText,
  PluginError,
  qualifiedParts,
  resolveName,
  shardNames,
} from '@millrace/sdk';
import type { Column, TableSchema } from '@millrace/sdk';

import { columnOfField } from './column-type.js';
import { quoteName, quoteTable } from './literal.js';
import type { Session } from './session.js';
import { readTable, resolveTable } from './table-catalog.js';

export interface ReaderSourceConfig {
  readonly table?: string | undefined;
  readonly tables?: readonly string[] | undefined;
  readonly query?: string | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly expressions?: readonly Expression[] | undefined;
  readonly where?: string | undefined;
}

interface Expression {
  readonly name: string;
  readonly sql: string;
}

/** What a reader reads, resolved against the server once. */
export interface ReaderSource {
  readonly schema: TableSchema;
  /** Every column of the source, of which `schema.columns` are the chosen ones. */
  readonly allColumns: readonly Column[];
  /** Its quoted name; absent for a query. */
  readonly table?: string;
  /** `InnoDB`, `MyISAM`, …; absent for a view or a query. */
  readonly engine?: string;
  /** The filter of the user, or one that is true. */
  readonly filter: string;
  /** `FROM … WHERE (…)`, without a slice's own condition. */
  readonly from: string;
  /** `SELECT … FROM … WHERE (…)` of the chosen columns. */
  readonly select: string;
  /** The same of columns in an order of their own. */
  readonly selectOf: (columns: readonly Column[]) => string;
}

/** What a reader reads, in the order of its tables. Throws MR-D261 where their columns differ. */
export async function resolveSources(
  session: Session,
  database: string,
  config: ReaderSourceConfig,
  note: (text: string) => void,
): Promise<readonly [ReaderSource, ...ReaderSource[]]> {
  if (config.tables === undefined) return [await resolveSource(session, database, config, note)];
  const sources: ReaderSource[] = [];
  for (const name of shardNames(config.tables)) {
    const { schema = database, table } = qualifiedParts(name);
    sources.push(await resolveSource(session, schema, { ...config, table }, note));
  }
  const [first, ...others] = sources;
  if (first === undefined) throw new PluginError('MR-D261', 'the patterns name no table');
  for (const other of others) checkSameColumns(first, other);
  return [first, ...others];
}

function checkSameColumns(first: ReaderSource, other: ReaderSource): void {
  const differences = first.schema.columns.flatMap((column, i) => {
    const found = other.schema.columns[i];
    if (found?.name === column.name && found.nativeType === column.nativeType) return [];
    const there = found === undefined ? 'missing' : `${found.name} ${found.nativeType}`;
    return [`${column.name} ${column.nativeType} is ${there}`];
  });
  const more = other.schema.columns.slice(first.schema.columns.length);
  differences.push(...more.map((column) => `${column.name} is not in the first`));
  if (differences.length === 0) return;
  throw new PluginError(
    'MR-D261',
    `${other.table ?? ''} is not as ${first.table ?? ''}: ${differences.slice(0, 5).join('; ')}`,
  );
}

export async function resolveSource(
  session: Session,
  database: string,
  config: ReaderSourceConfig,
  note: (text: string) => void,
): Promise<ReaderSource> {
  const { schema, from, ...table } =
    config.table === undefined
      ? await describeQuery(session, config.query ?? '')
      : await describeTable(session, database, config.table, note);
  const chosen =
    config.columns === undefined || config.columns.length === 0
      ? schema.columns
      : config.columns.map((name) => columnNamed(schema, name));
  const { expressions = [] } = config;
  const taken = expressions.find(({ name }) =>
    schema.columns.some((column) => column.name.toLowerCase() === name.toLowerCase()),
  );
  if (taken !== undefined) {
    throw new PluginError('MR-D208', `the expression ${taken.name} is called like a column`);
  }
  const computed = await describeExpressions(session, expressions, from);
  const where = config.where?.trim() ?? '';
  const filter = where === '' ? '1 = 1' : `(${where}\n)`;
  const fromWhere = `${from} WHERE ${filter}`;
  const selectOf = (columns: readonly Column[]): string =>
    `SELECT ${columns.map((column) => expressionOf(column, expressions)).join(', ')} ${fromWhere}`;
  const all = [...chosen, ...computed];
  return {
    ...table,
    filter,
    schema: { ...schema, columns: all },
    allColumns: schema.columns,
    from: fromWhere,
    select: selectOf(all),
    selectOf,
  };
}

/** Column names are compared without regard to case by the server itself. Throws MR-D108. */
export function columnNamed(schema: TableSchema, wanted: string): Column {
  const names = schema.columns.map((c) => c.name);
  const match = resolveName(wanted, names, 'insensitive');
  const column = schema.columns.find((c) => c.name === match.name);
  if (column !== undefined) return column;
  const near = match.name === undefined ? match.near : undefined;
  throw new PluginError('MR-D108', missingNameText('column', wanted, schema.table, near));
}

/** How a column is asked for so that its text is exact. */
export function expressionOf(column: Column, expressions: readonly Expression[] = []): string {
  const name = quoteName(column.name);
  const own = expressions.find((each) => each.name === column.name);
  // The line break ends a comment at the end of the expression.
  const value = own === undefined ? name : `(${own.sql}\n)`;
  // Times one, not plus zero: that would make 0 of -0.
  const isFloat = column.type.kind === 'float' && column.type.bits === 32;
  if (isFloat) return `(${value} * 1E0) AS ${name}`;
  return own === undefined ? name : `${value} AS ${name}`;
}

/** What the server makes of the expressions: their types are its own. */
async function describeExpressions(
  session: Session,
  expressions: readonly Expression[],
  from: string,
): Promise<readonly Column[]> {
  if (expressions.length === 0) return [];
  const list = expressions.map(({ name, sql }) => `(${sql}\n) AS ${quoteName(name)}`).join(', ');
  const columns: Column[] = [];
  await session.stream(
    `SELECT ${list} ${from} LIMIT 0`,
    (fields) => columns.push(...fields.map(columnOfField)),
    () => undefined,
    () => undefined,
  );
  return columns;
}

async function describeTable(
  session: Session,
  database: string,
  wanted: string,
  note: (text: string) => void,
): Promise<{ schema: TableSchema; from: string; table: string; engine?: string }> {
  const name = await resolveTable(session, database, wanted, note);
  const { schema, engine } = await readTable(session, name);
  const table = quoteTable(name.database, name.table);
  return { schema, from: `FROM ${table}`, table, ...(engine === undefined ? {} : { engine }) };
}

async function describeQuery(
  session: Session,
  query: string,
): Promise<{ schema: TableSchema; from: string }> {
  // The line break ends a comment at the end of the query.
  const from = `FROM (${query.trim().replace(/;+\s*$/, '')}\n) AS millrace_query`;
  const columns: Column[] = [];
  await session.stream(
    `SELECT * ${from} LIMIT 0`,
    (fields) => columns.push(...fields.map(columnOfField)),
    () => undefined,
    () => undefined,
  );
  return { schema: { table: 'query', columns, primaryKey: [] }, from };
}
