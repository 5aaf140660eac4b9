import { columnName } from './job-columns.js';
import type { SyncNodeConfig } from './import-job.js';

type Json = Readonly<Record<string, unknown>>;

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function quoted(name: string, type: string): string {
  if (columnName(name) === name) return name;
  if (type === 'mysql') return `\`${name.replaceAll('`', '``')}\``;
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function tableOf(end: Json, type: string): string {
  const [schema, table] = [end['schema'], end['table']];
  const name = quoted(textOf(table), type);
  return schema === undefined ? name : `${quoted(textOf(schema), type)}.${name}`;
}

/** A range means the same within quotes, but not to every tool. */
function patternOf(pattern: string, type: string): string {
  if (pattern.includes('[')) return pattern;
  const [, schema, table] = /^(?:([^.]+)\.)?(.+)$/s.exec(pattern) ?? [];
  return tableOf({ schema, table: table ?? pattern }, type);
}

function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}

interface Expression {
  readonly name: string;
  readonly sql: string;
}

/** The reader's columns in the order of the writer's, expressions in their places. */
function columnsOf({ source, mapping }: SyncNodeConfig, type: string): readonly string[] {
  const expressions = (source['expressions'] ?? []) as readonly Expression[];
  const entry = (name: string): string =>
    expressions.find((each) => each.name === name)?.sql ?? quoted(name, type);
  const columns = (mapping?.['columns'] ?? []) as readonly Json[];
  // A position has no name to write: then the table's own order is meant.
  if (columns.some((column) => typeof column['position'] === 'number')) return ['*'];
  const mapped = columns.map(({ constant, from }) =>
    typeof constant === 'string' ? literal(constant) : entry(String(from)),
  );
  if (mapped.length > 0) return mapped;
  const from = texts(mapping?.['from']) ?? texts(source['columns']);
  return from === undefined ? ['*'] : from.map(entry);
}

/** `parameter` of a reader of a database. */
export function databaseParameter(config: SyncNodeConfig, type: string): Json {
  const { source } = config;
  const { query, tables, where, sliceKey } = source;
  const what =
    query === undefined
      ? { table: texts(tables)?.map((name) => patternOf(name, type)) ?? [tableOf(source, type)] }
      : { querySql: [textOf(query)] };
  return {
    datasource: source.dataSource,
    column: query === undefined ? columnsOf(config, type) : ['*'],
    connection: [{ datasource: source.dataSource, ...what }],
    ...(where === undefined || query !== undefined ? {} : { where }),
    ...(sliceKey === undefined ? {} : { splitPk: quoted(textOf(sliceKey), type) }),
    encoding: 'UTF-8',
  };
}

const WRITE_MODES: Readonly<Record<string, string>> = {
  upsert: 'update',
  'insert-replace-row': 'replace',
  ignore: 'insert ignore',
};

function writeModeOf({ mode, key }: Json, type: string): string {
  const word = WRITE_MODES[String(mode)] ?? 'insert';
  const names = texts(key)?.map((name) => quoted(name, type));
  return names === undefined ? word : `${word} (${names.join(', ')})`;
}

function statementBefore(target: Json, table: string, type: string): readonly string[] {
  const { mode } = target;
  if (mode === 'truncate' || mode === 'replace-swap') return [`truncate table ${table}`];
  if (mode !== 'partition-overwrite') return [];
  const replace = (target['replace'] ?? { kind: 'table' }) as Json;
  if (replace['kind'] === 'predicate')
    return [`delete from ${table} where ${String(replace['sql'])}`];
  if (replace['kind'] !== 'partition') return [`delete from ${table}`];
  const values = Object.entries(replace['values'] as Readonly<Record<string, string>>);
  const pairs = values.map(([name, value]) => `${quoted(name, type)} = ${literal(value)}`);
  return [`delete from ${table} where ${pairs.join(' and ')}`];
}

/** `parameter` of a writer of a database. */
export function databaseTarget({ target, source, mapping }: SyncNodeConfig, type: string): Json {
  const table = tableOf(target, type);
  const columns = (mapping?.['columns'] ?? []) as readonly Json[];
  const names = columns.map((column) => String(column['to']));
  const to = names.length > 0 ? names : texts(mapping?.['to']);
  // By name the two lists are the same one.
  const byName = mapping === undefined ? texts(source['columns']) : undefined;
  const preSql = target['preSql'] === undefined ? [] : [textOf(target['preSql'])];
  const postSql = target['postSql'] === undefined ? [] : [textOf(target['postSql'])];
  return {
    datasource: target.dataSource,
    column: (to ?? byName)?.map((name) => quoted(name, type)) ?? ['*'],
    connection: [{ datasource: target.dataSource, table: [table] }],
    writeMode: writeModeOf(target, type),
    preSql: [...statementBefore(target, table, type), ...preSql],
    postSql,
  };
}
