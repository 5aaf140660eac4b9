import type { ColumnCast, ColumnList, SourceColumn } from './job-columns.js';
import type { ImportedReader, ImportedWriter } from './imported-end.js';
import type { JobValue } from './job-json.js';

type Json = Readonly<Record<string, unknown>>;

export interface MappedJob {
  /** `columns` and `expressions` of the reader. */
  readonly source: Json;
  readonly mapping: Json;
}

interface MappedColumn {
  readonly from?: string;
  readonly position?: number;
  readonly constant?: string;
  readonly to: string;
  readonly functions: Json[];
}

/**
 * Job files map by position: the first column of the reader goes into the first of the writer. `at` is
 * where the lists stand. Throws MR-D216 when they differ in length.
 */
export function mapColumns(
  reader: ImportedReader,
  writer: ImportedWriter,
  transformers: readonly JobValue[],
  at: JobValue,
): MappedJob {
  const names = namesOf(reader.columns);
  const source = sourceColumns(reader, names);
  const isFileTarget = writer.dataSource.type === 'file';
  const to = writer.columns === 'all' && isFileTarget ? names : writer.columns;
  if (reader.columns === 'all' && transformers.length === 0) {
    writeDates(reader, [], writer.dateFormat);
    return { source, mapping: { by: 'row', ...(to === 'all' ? {} : { to }) } };
  }
  if (to === 'all') {
    for (const each of transformers) lose(each, 'name the columns of the target for it');
    const from = names === 'all' ? {} : { from: names };
    return { source, mapping: constantsLost(reader.columns, at) ?? { by: 'row', ...from } };
  }
  if (names !== 'all' && names.length !== to.length) {
    throw at.refuse(`the reader has ${names.length} columns and the writer ${to.length}`);
  }
  const columns = to.map((target, i) => mappedColumn(reader.columns, names, target, i));
  writeDates(reader, columns, writer.dateFormat);
  const drop = transformers.flatMap((each) => transform(each, columns));
  return {
    source,
    mapping: {
      columns: columns.map(({ functions, ...column }) =>
        functions.length === 0 ? column : { ...column, functions },
      ),
      ...(drop.length === 0 ? {} : { drop }),
    },
  };
}

function castsOf(column: SourceColumn): readonly ColumnCast[] {
  if (!('cast' in column) || column.cast === undefined || column.cast === 'unknown') return [];
  return [column.cast];
}

/** Dates are written as the file's writer says it, where the job says which columns are dates. */
function writeDates(
  { columns, dataSource }: ImportedReader,
  mapped: readonly MappedColumn[],
  dateFormat: JobValue | undefined,
): void {
  if (dateFormat === undefined) return;
  const format = dateFormat.scalar();
  const entries = columns === 'all' ? [] : columns;
  const isKnown = (each: SourceColumn): boolean => !('cast' in each) || each.cast !== 'unknown';
  if (dataSource.type !== 'file' || !entries.every(isKnown)) {
    dateFormat.note(
      'lost',
      `give the columns that are dates a cast to text, in the form ${format}`,
    );
    return;
  }
  const dates = mapped.filter((_, i) => entries[i] !== undefined && castsOf(entries[i]).length > 0);
  for (const { functions } of dates) functions.push({ function: 'cast', type: 'text', format });
  if (dates.length === 0) dateFormat.note('unused', 'no column is a date');
}

/** By row there is no place for a value that is no column. */
function constantsLost(columns: ColumnList<SourceColumn>, at: JobValue): undefined {
  const constants = columns === 'all' ? [] : columns.filter((each) => each.kind === 'constant');
  if (constants.length === 0) return undefined;
  throw at.refuse('constants need the columns of the target by their names');
}

/** What each entry is called in the source: expressions get a name that none of the columns has. */
function namesOf(columns: ColumnList<SourceColumn>): ColumnList<string> {
  if (columns === 'all') return 'all';
  const taken = new Set(columns.flatMap((each) => (each.kind === 'name' ? [each.name] : [])));
  let no = 0;
  return columns.map((column) => {
    if (column.kind === 'name') return column.name;
    if (column.kind === 'position') return `column_${column.position}`;
    do no += 1;
    while (taken.has(`expr_${no}`));
    return `expr_${no}`;
  });
}

function sourceColumns({ columns, config }: ImportedReader, names: ColumnList<string>): Json {
  if (columns === 'all' || names === 'all' || 'path' in config) return {};
  const plain = columns.flatMap((each) => (each.kind === 'name' ? [each.name] : []));
  const expressions = columns.flatMap((each, i) =>
    each.kind === 'sql' ? [{ name: names[i] ?? '', sql: each.sql }] : [],
  );
  return {
    ...(plain.length === 0 ? {} : { columns: [...new Set(plain)] }),
    ...(expressions.length === 0 ? {} : { expressions }),
  };
}

function mappedColumn(
  columns: ColumnList<SourceColumn>,
  names: ColumnList<string>,
  to: string,
  i: number,
): MappedColumn {
  const column = columns === 'all' ? undefined : columns[i];
  if (column === undefined) return { position: i + 1, to, functions: [] };
  if (column.kind === 'constant') return { constant: column.text, to, functions: [] };
  const functions = castsOf(column).map(({ type, format }) => ({ function: 'cast', type, format }));
  if (column.kind === 'position') return { position: column.position, to, functions };
  const name = names === 'all' ? undefined : names[i];
  return { from: name ?? '', to, functions };
}

function lose(transformer: JobValue, why: string): void {
  transformer.note('lost', `this transformer is not carried over: ${why}`);
  transformer.take();
}

/** Puts one transformer to its column; a filter becomes a condition of the row. */
function transform(transformer: JobValue, columns: readonly MappedColumn[]): readonly Json[] {
  const name = transformer.filled('name') ?? '';
  const parameter = transformer.object('parameter');
  const index = parameter?.integer('columnIndex');
  const column = index === undefined ? undefined : columns[index];
  const paras = (parameter?.items('paras') ?? []).map((each) => each.scalar());
  if (name === 'dx_groovy') {
    lose(transformer, 'write it as a transform in TypeScript');
    return [];
  }
  if (column === undefined) {
    lose(transformer, `${name} has no column ${index ?? ''}`.trim());
    return [];
  }
  if (name === 'dx_filter') {
    const [operator = '', value = ''] = paras;
    const known = OPERATORS[operator.trim().toLowerCase()];
    if (known === undefined) lose(transformer, `the operator ${operator} is not known`);
    return known === undefined ? [] : [{ column: column.to, operator: known, value }];
  }
  const functions = functionsOf(name, paras);
  if (functions === undefined) {
    lose(transformer, `${name} is not known, or its arguments are not`);
    return [];
  }
  column.functions.push(...functions);
  return [];
}

const OPERATORS: Readonly<Record<string, string>> = {
  like: 'matches',
  'not like': 'not matches',
  '=': '=',
  '!=': '!=',
  '>': '>',
  '>=': '>=',
  '<': '<',
  '<=': '<=',
};

/** `undefined` for a transformer that is not known or has other arguments. */
function functionsOf(name: string, paras: readonly string[]): readonly Json[] | undefined {
  const [first = '', second = '', third] = paras;
  const [a, b] = [Number(first), Number(second)];
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  switch (name) {
    case 'dx_substr':
      return isCount(a) && isCount(b) ? [{ function: 'substr', start: a, length: b }] : undefined;
    case 'dx_pad': {
      const side = { l: 'left', r: 'right' }[first.toLowerCase()];
      if (side === undefined || !isCount(b) || !third) return undefined;
      // What is longer is cut, by the tool it comes from.
      const pad = { function: 'pad', side, length: b, fill: third };
      return [pad, { function: 'substr', start: 0, length: b }];
    }
    case 'dx_replace':
      return isCount(a) && isCount(b)
        ? [{ function: 'replace', start: a, length: b, with: third ?? '' }]
        : undefined;
    case 'dx_digest': {
      const algorithm = first.toLowerCase();
      if (!['md5', 'sha1'].includes(algorithm)) return undefined;
      const upper = /^toUpperCase$/i.test(second);
      return [{ function: 'digest', algorithm, case: upper ? 'upper' : 'lower' }];
    }
    default:
      return undefined;
  }
}
