import {
  type ColumnList,
  columnName,
  databaseColumns,
  type SourceColumn,
  targetColumns,
} from './job-columns.js';
import { isSecretKey, type JobValue } from './job-json.js';
import type { JobEnd } from './job-shape.js';
import type { ImportedReader, ImportedWriter, ProposedDataSource } from './imported-end.js';

/** Systems by the names that job files call them, and the plugin that reads and writes them. */
const TYPES: Readonly<Record<string, string>> = {
  mysql: 'mysql',
  mariadb: 'mysql',
  drds: 'mysql',
  polardb: 'mysql',
  tidb: 'mysql',
  postgresql: 'postgres',
  postgres: 'postgres',
  oracle: 'oracle',
  sqlserver: 'sqlserver',
  db2: 'db2',
  dm: 'dm',
  rdbms: 'rdbms',
  clickhouse: 'clickhouse',
  hologres: 'hologres',
  oceanbasev10: 'oceanbase',
};

/** The type of data source of a database; `undefined` for what is none. */
export function databaseTypeOf(kind: string): string | undefined {
  return TYPES[kind];
}

/** What tunes another tool's client or says what is so anyway. */
const WITHOUT_EFFECT = [
  'envType',
  'fetchSize',
  'batchSize',
  'batchByteSize',
  'splitFactor',
  'guid',
];

function passOver(parameter: JobValue): void {
  for (const key of WITHOUT_EFFECT) parameter.child(key)?.take();
  const encoding = parameter.child('encoding');
  if (encoding === undefined || !/^utf-?8(mb4)?$/i.test(encoding.scalar())) {
    if (encoding !== undefined) encoding.note('lost', 'the connection is UTF-8 always');
  }
}

interface Connection {
  readonly dataSource: ProposedDataSource;
  readonly tables: readonly string[];
  readonly queries: readonly string[];
}

function connectionOf(end: JobEnd, side: 'source' | 'target'): Connection {
  const { parameter } = end;
  const type = databaseTypeOf(end.kind) ?? end.kind;
  const [first, ...others] = parameter.items('connection');
  const holders = first === undefined ? [parameter] : [first, parameter];
  for (const other of others) {
    other.note('lost', 'a sync reads one database: this connection is not carried over');
    other.take();
  }
  const text = (key: string): string | undefined =>
    holders.map((holder) => holder.filled(key)).find((each) => each !== undefined);
  const list = (key: string): readonly string[] =>
    holders
      .flatMap((holder) => holder.items(key))
      .map((item) => item.scalar().trim())
      .filter((item) => item !== '');
  const [url, ...urls] = list('jdbcUrl');
  if (urls.length > 0) {
    first
      ?.child('jdbcUrl')
      ?.note('lost', `only the first address is taken, not ${urls.join(', ')}`);
  }
  const user = text('username');
  takeSecrets(parameter);
  const name = text('datasource') ?? nameOfUrl(url) ?? side;
  return {
    dataSource: {
      name,
      type,
      ...(url === undefined ? {} : { url }),
      ...(user === undefined ? {} : { user }),
    },
    tables: list('table').flatMap(expandRange),
    queries: list('querySql'),
  };
}

/** Passwords are never copied into a node. */
function takeSecrets(holder: JobValue): void {
  for (const key of holder.keys()) {
    const value = isSecretKey(key) ? holder.child(key) : undefined;
    if (value === undefined) continue;
    if (value.words() !== '""') value.note('changed', 'give it to the data source');
    value.take();
  }
}

/** `jdbc:mysql://db:3306/shop?x=y` is `shop`. */
function nameOfUrl(url: string | undefined): string | undefined {
  return /\/([^/?;]+)(?:[?;]|$)/.exec(url ?? '')?.[1]?.replaceAll(/[^\w-]/g, '_');
}

/** `t_[0-31]` is 32 tables; `t_[00-31]` keeps its zeros. */
export function expandRange(table: string): readonly string[] {
  const range = /^(.*)\[(\d+)-(\d+)\](.*)$/.exec(table);
  if (range === null) return [table];
  const [, before = '', from = '', to = '', after = ''] = range;
  const width = from.startsWith('0') && from.length > 1 ? from.length : 0;
  const count = Number(to) - Number(from) + 1;
  if (count < 1 || count > 5000) return [table];
  return Array.from(
    { length: count },
    (_, i) => `${before}${String(Number(from) + i).padStart(width, '0')}${after}`,
  ).flatMap(expandRange);
}

export function readDatabase(end: JobEnd): ImportedReader {
  const { parameter } = end;
  const { dataSource, tables, queries } = connectionOf(end, 'source');
  passOver(parameter);
  const columns = databaseColumns(parameter);
  const where = parameter.filled('where');
  const sliceKey = parameter.filled('splitPk');
  const key = sliceKey === undefined ? {} : { sliceKey: columnName(sliceKey) ?? sliceKey };
  const [query, ...moreQueries] = queries;
  if (query !== undefined) {
    return readQueries(end, dataSource, [query, ...moreQueries], { columns, where, sliceKey });
  }
  const [table, ...more] = tables;
  if (table === undefined) throw parameter.refuse('neither `table` nor `querySql` is there');
  if (more.length > 0) {
    const union = unionOf(tables, columns, where);
    parameter.note('changed', `${tables.length} tables are read as one query`);
    // Expressions are computed within: outside they are columns with names of their own.
    const list = columns === 'all' ? columns : union.names;
    return { dataSource, config: { query: union.query, ...key }, columns: list };
  }
  const name = tableName(table, dataSource.type);
  if (name === undefined) {
    const query = unionOf([table], 'all', where).query;
    parameter.note('changed', `${table} is in another database: it is read by a query`);
    return { dataSource, config: { query, ...key }, columns };
  }
  const filter = where === undefined ? {} : { where };
  return { dataSource, config: { ...name, ...filter, ...key }, columns };
}

/** A query stands for table, columns, filter and split key, as in the tools the file is from. */
function readQueries(
  { parameter }: JobEnd,
  dataSource: ProposedDataSource,
  queries: readonly string[],
  ignored: Readonly<Record<string, unknown>>,
): ImportedReader {
  for (const [key, value] of Object.entries(ignored)) {
    const name = { columns: 'column', sliceKey: 'splitPk' }[key] ?? key;
    if (value === undefined || value === 'all') continue;
    parameter.child(name)?.note('lost', '`querySql` stands for it');
  }
  const texts = queries.map((query) => query.trim().replace(/;\s*$/, ''));
  const query =
    texts.length === 1 ? (texts[0] ?? '') : texts.map((text) => `(${text}\n)`).join(' UNION ALL ');
  if (texts.length > 1) parameter.note('changed', `${texts.length} queries are read as one`);
  return { dataSource, config: { query }, columns: 'all' };
}

/** The tables one after the other, as they are written: nothing is quoted that was not. */
function unionOf(
  tables: readonly string[],
  columns: ColumnList<SourceColumn>,
  where: string | undefined,
): { readonly query: string; readonly names: readonly SourceColumn[] } {
  const entries = columns === 'all' ? [] : columns;
  const names = entries.map((column, i): SourceColumn =>
    column.kind === 'sql' ? { kind: 'name', name: `expr_${i + 1}` } : column,
  );
  const selected = entries.flatMap((column, i) => {
    if (column.kind === 'sql') return [`(${column.sql}\n) AS expr_${i + 1}`];
    return column.kind === 'name' ? [column.name] : [];
  });
  const list = columns === 'all' || selected.length === 0 ? '*' : [...new Set(selected)].join(', ');
  const filter = where === undefined ? '' : ` WHERE (${where}\n)`;
  return {
    query: tables.map((table) => `SELECT ${list} FROM ${table}${filter}`).join('\nUNION ALL\n'),
    names,
  };
}

/** Table and schema without quotes; `undefined` where the plugin cannot name another database. */
function tableName(
  table: string,
  type: string,
): { readonly table: string; readonly schema?: string } | undefined {
  const parts = table.match(/`[^`]+`|"[^"]+"|\[[^\]]+\]|[^.]+/g) ?? [table];
  const [first, second, third] = parts.map((part) => columnName(part) ?? part);
  if (first === undefined || third !== undefined) return undefined;
  if (second === undefined) return { table: first };
  return type === 'mysql' ? undefined : { schema: first, table: second };
}

const MODES: Readonly<Record<string, string>> = {
  insert: 'append',
  copy: 'append',
  replace: 'insert-replace-row',
  update: 'upsert',
  upsert: 'upsert',
  'insert ignore': 'ignore',
  ignore: 'ignore',
};

export function writeDatabase(end: JobEnd): ImportedWriter {
  const { parameter } = end;
  const { dataSource, tables } = connectionOf(end, 'target');
  passOver(parameter);
  const [table, ...more] = tables;
  if (table === undefined) throw parameter.refuse('`table` is missing');
  if (more.length > 0) {
    parameter.note('lost', `a sync writes one table: not carried over: ${more.join(', ')}`);
  }
  const name = tableName(table, dataSource.type) ?? { table };
  if (name.table === table && table.includes('.')) {
    parameter.note('changed', `${table} is in another database: name it in the data source`);
  }
  const mode = modeOf(parameter);
  const before = statementsOf(parameter, 'preSql', table);
  const after = statementsOf(parameter, 'postSql', table);
  const [first, second] = before;
  const replaced =
    mode === 'append' && second === undefined ? replacedBy(first ?? '', table) : undefined;
  return {
    dataSource,
    columns: targetColumns(parameter),
    config: {
      ...name,
      ...(replaced ?? (mode === undefined ? {} : { mode })),
      ...(replaced !== undefined || before.length === 0 ? {} : { preSql: script(before) }),
      ...(after.length === 0 ? {} : { postSql: script(after) }),
    },
  };
}

function modeOf(parameter: JobValue): string | undefined {
  // `update (id)` names the key; the target's own key decides.
  const written = parameter.filled('writeMode');
  if (written === undefined) return 'append';
  const [, word = '', key] = /^([a-z ]+?)\s*(\(.*\))?$/i.exec(written.trim()) ?? [];
  const mode = MODES[word.toLowerCase()];
  const value = parameter.child('writeMode');
  if (mode === undefined)
    throw value?.refuse(`the write mode ${written} is not known`) ?? new Error(written);
  if (key !== undefined) value?.note('changed', `the keys of the target decide, not ${key}`);
  return mode;
}

/** `@table` is the table, as DataX has it. */
function statementsOf(parameter: JobValue, key: string, table: string): readonly string[] {
  return parameter
    .items(key)
    .map((item) => item.scalar().replaceAll('@table', table).trim().replace(/;\s*$/, ''))
    .filter((statement) => statement !== '');
}

function script(statements: readonly string[]): string {
  return statements.join(';\n');
}

const PAIR = /^\s*([`"]?[\p{L}_][\w$]*[`"]?)\s*=\s*'((?:[^'\\]|'')*)'\s*$/u;

/** What a single `DELETE` or `TRUNCATE` before the rows says about what a run replaces. */
function replacedBy(
  statement: string,
  table: string,
): Readonly<Record<string, unknown>> | undefined {
  const plain = (name: string): string => name.replaceAll(/[`"]/g, '').toLowerCase();
  const all =
    /^truncate\s+(?:table\s+)?(\S+)$/i.exec(statement) ??
    /^delete\s+from\s+(\S+)$/i.exec(statement);
  if (all !== null) return plain(all[1] ?? '') === plain(table) ? { mode: 'truncate' } : undefined;
  const some = /^delete\s+from\s+(\S+)\s+where\s+([\s\S]+)$/i.exec(statement);
  if (some === null || plain(some[1] ?? '') !== plain(table)) return undefined;
  const sql = some[2] ?? '';
  const pairs = sql.split(/\s+and\s+/i).map((part) => PAIR.exec(part));
  const values = pairs.flatMap((pair) =>
    pair === null ? [] : [[columnName(pair[1] ?? '') ?? '', (pair[2] ?? '').replaceAll("''", "'")]],
  );
  const replace =
    values.length === pairs.length
      ? { kind: 'partition', values: Object.fromEntries(values) as Record<string, string> }
      : { kind: 'predicate', sql };
  return { mode: 'partition-overwrite', replace };
}
