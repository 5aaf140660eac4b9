import { databasePlace } from './database-place.js';
import { columnName, databaseColumns, targetColumns } from './job-columns.js';
import type { JobValue } from './job-json.js';
import type { JobEnd } from './job-shape.js';
import type { ImportedReader, ImportedWriter, ProposedDataSource } from './imported-end.js';
import { replacedBy } from './replaced-rows.js';
import { noteSession } from './session-setting.js';
import { isPattern, type TableName, tablePattern } from './table-name.js';

/** What tunes another tool's client or says what is so anyway. */
const WITHOUT_EFFECT = [
  'envType',
  'fetchSize',
  'batchSize',
  'batchByteSize',
  'splitFactor',
  'splitMode',
  'hint',
  'guid',
  'tableComment',
  'useSpecialSecret',
  'pgType',
];

function passOver(parameter: JobValue): void {
  parameter.passOver(WITHOUT_EFFECT);
  const encoding = parameter.filled('encoding');
  if (encoding !== undefined && !/^utf-?8(mb4)?$/i.test(encoding)) {
    parameter.child('encoding')?.note('unused', 'the columns say what their texts are in');
  }
}

export function readDatabase(end: JobEnd): ImportedReader {
  const { parameter } = end;
  const { dataSource, tables, queries } = databasePlace(end, 'source');
  passOver(parameter);
  noteSession(parameter, undefined);
  const columns = databaseColumns(parameter);
  const where = parameter.filled('where');
  const sliceKey = parameter.filled('splitPk');
  if (queries.length > 0) {
    return readQueries(end, dataSource, queries, { columns, where, sliceKey });
  }
  const [table, ...more] = tables;
  if (table === undefined) throw parameter.refuse('neither `table` nor `querySql` is there');
  const isOne = more.length === 0 && isOneTable(table.name, dataSource.type);
  return {
    dataSource,
    config: {
      ...(isOne ? table.name : { tables: tables.map(({ name }) => tablePattern(name)) }),
      ...(where === undefined ? {} : { where }),
      ...(sliceKey === undefined ? {} : { sliceKey: columnName(sliceKey) ?? sliceKey }),
    },
    columns,
  };
}

/** A data source of MySQL is one database, and a table of another one is named among `tables`. */
function isOneTable(name: TableName, type: string): boolean {
  return !isPattern(name) && (type !== 'mysql' || name.schema === undefined);
}

/** A query stands for table, columns, filter and split key, as in the tools the file is from. */
function readQueries(
  { parameter }: JobEnd,
  dataSource: ProposedDataSource,
  queries: readonly string[],
  unused: Readonly<Record<string, unknown>>,
): ImportedReader {
  for (const [key, value] of Object.entries(unused)) {
    const name = { columns: 'column', sliceKey: 'splitPk' }[key] ?? key;
    if (value === undefined || value === 'all') continue;
    parameter.child(name)?.note('unused', '`querySql` stands for it');
  }
  const texts = queries.map((query) => query.trim().replace(/;\s*$/, ''));
  const query =
    texts.length === 1 ? (texts[0] ?? '') : texts.map((text) => `(${text}\n)`).join(' UNION ALL ');
  if (texts.length > 1) parameter.note('changed', `${texts.length} queries are read as one`);
  return { dataSource, config: { query }, columns: 'all' };
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
  const { dataSource, tables } = databasePlace(end, 'target');
  passOver(parameter);
  const [first, ...more] = tables;
  if (first === undefined) throw parameter.refuse('`table` is missing');
  if (more.length > 0) {
    const list = more.map(({ written }) => written).join(', ');
    parameter.note('lost', `a sync writes one table: not carried over: ${list}`);
  }
  const { written: table, name } = first;
  const isElsewhere = dataSource.type === 'mysql' && name.schema !== undefined;
  if (isElsewhere) {
    parameter.note('changed', `${table} is in another database: name it in the data source`);
  }
  const mode = modeOf(parameter);
  const before = statementsOf(parameter, 'preSql', table);
  const after = statementsOf(parameter, 'postSql', table);
  noteSession(parameter, [...before, ...after]);
  const [statement, second] = before;
  const replaced =
    mode.mode === 'append' && second === undefined ? replacedBy(statement ?? '', table) : undefined;
  return {
    dataSource,
    columns: targetColumns(parameter),
    config: {
      ...(isElsewhere ? { table: tablePattern(name) } : name),
      ...(replaced ?? mode),
      ...(replaced !== undefined || before.length === 0 ? {} : { preSql: script(before) }),
      ...(after.length === 0 ? {} : { postSql: script(after) }),
    },
  };
}

/** `update (id)` is one by a unique key of the user's choice; in the other modes the target's keys decide. */
function modeOf(parameter: JobValue): { readonly mode: string; readonly key?: readonly string[] } {
  const written = parameter.filled('writeMode');
  if (written === undefined) return { mode: 'append' };
  const [, word = '', list] = /^([a-z ]+?)\s*(\(.*\))?$/i.exec(written.trim()) ?? [];
  const mode = MODES[word.toLowerCase()];
  const value = parameter.child('writeMode');
  if (mode === undefined)
    throw value?.refuse(`the write mode ${written} is not known`) ?? new Error(written);
  if (list === undefined) return { mode };
  const names = list
    .slice(1, -1)
    .split(',')
    .map((each) => columnName(each));
  const key = names.filter((name) => name !== undefined);
  if ((mode === 'upsert' || mode === 'ignore') && key.length === names.length) return { mode, key };
  value?.note('changed', `the keys of the target decide, not ${list}`);
  return { mode };
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
