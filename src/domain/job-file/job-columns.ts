import type { JobValue } from './job-json.js';

/** One entry of a reader's column list. */
export type SourceColumn =
  | { readonly kind: 'name'; readonly name: string; readonly cast?: ColumnCast | 'unknown' }
  | { readonly kind: 'position'; readonly position: number; readonly cast?: ColumnCast | 'unknown' }
  | { readonly kind: 'sql'; readonly sql: string }
  | { readonly kind: 'constant'; readonly text: string };

/** How a text of a file becomes what the target wants; `unknown` for a date in a form that nobody says. */
export interface ColumnCast {
  readonly type: 'date' | 'timestamp';
  readonly format: string;
}

/** `all`: every column there is, in the order of the table. */
export type ColumnList<C> = 'all' | readonly C[];

const NAME = /^[\p{L}_][\p{L}\p{N}_$#]*$/u;
const QUOTED = /^(?:`((?:[^`]|``)+)`|"((?:[^"]|"")+)"|\[([^\]]+)\])$/;
/** Words that look like a name and are values: a column of that name is written in quotes. */
const VALUES =
  /^(null|true|false|current_date|current_time|current_timestamp|localtime|localtimestamp|current_user|session_user|sysdate|user)$/i;

/** The name without its quotes; `undefined` for an expression. */
export function columnName(entry: string): string | undefined {
  const text = entry.trim();
  const quoted = QUOTED.exec(text);
  if (quoted !== null) {
    const [, backtick, double, bracket] = quoted;
    return backtick?.replaceAll('``', '`') ?? double?.replaceAll('""', '"') ?? bracket;
  }
  return NAME.test(text) && !VALUES.test(text) ? text : undefined;
}

function isAll(items: readonly JobValue[]): boolean {
  const [only, second] = items;
  if (second !== undefined || only === undefined) return items.length === 0;
  return only.type === 'string' && only.scalar().trim() === '*';
}

/** A text with commas is several, as the first versions wrote it; an expression may hold commas of its own. */
function entriesOf(parameter: JobValue): readonly JobValue[] {
  return parameter.items('column').filter((item) => {
    if (item.type !== 'string' || item.scalar().trim() !== '') return true;
    item.note('lost', 'a column without a name is left out');
    return false;
  });
}

/** Columns of a database: names and SQL expressions, also numbers and null. */
export function databaseColumns(parameter: JobValue): ColumnList<SourceColumn> {
  const items = entriesOf(parameter);
  if (isAll(items)) return 'all';
  return items.map((item): SourceColumn => {
    if (item.type === 'object') return describedColumn(item);
    const text = item.scalar();
    const name = item.type === 'string' ? columnName(text) : undefined;
    return name === undefined ? { kind: 'sql', sql: text } : { kind: 'name', name };
  });
}

function describedColumn(item: JobValue): SourceColumn {
  const constant = item.text('value');
  item.text('type');
  if (constant !== undefined) return { kind: 'constant', text: constant };
  const name = item.filled('name') ?? item.filled('column');
  if (name === undefined) throw item.refuse('a column needs a `name` or a `value`');
  return { kind: 'name', name: columnName(name) ?? name };
}

const DATE_TYPES = /^(date|datetime|time|timestamp)$/i;

/** Columns of a file: `{index, type, value, format}`; positions count from 1, an `index` from 0. */
export function fileColumns(parameter: JobValue): ColumnList<SourceColumn> {
  const items = entriesOf(parameter);
  if (isAll(items)) return 'all';
  return items.map((item): SourceColumn => {
    if (item.type !== 'object') {
      const name = item.scalar();
      if (/^\d+$/.test(name)) return { kind: 'position', position: Number(name) + 1 };
      return { kind: 'name', name };
    }
    const type = item.filled('type');
    if (type !== undefined && !DATE_TYPES.test(type) && !/^string$/i.test(type)) {
      item.note('changed', `read as text, not as ${type}: the column of the target decides`);
    }
    const format = item.filled('format');
    const constant = item.text('value');
    if (constant !== undefined) return { kind: 'constant', text: constant };
    const isDate = type !== undefined && DATE_TYPES.test(type);
    const known = format === undefined ? ('unknown' as const) : castOf(format);
    const cast = isDate ? { cast: known } : {};
    const index = item.integer('index');
    if (index !== undefined) return { kind: 'position', position: index + 1, ...cast };
    const name = item.filled('name');
    if (name === undefined) throw item.refuse('a column needs an `index`, a `name` or a `value`');
    return { kind: 'name', name, ...cast };
  });
}

function castOf(format: string): ColumnCast {
  return { type: /[HhmsS]/.test(format) ? 'timestamp' : 'date', format };
}

/** Names of a writer's columns, written as texts or as `{name, type}`. */
export function targetColumns(parameter: JobValue): ColumnList<string> {
  const items = entriesOf(parameter);
  if (isAll(items)) return 'all';
  return items.map((item) => {
    if (item.type !== 'object') {
      const text = item.scalar();
      return columnName(text) ?? text;
    }
    const name = item.filled('name') ?? item.filled('column');
    item.text('type');
    if (name === undefined) throw item.refuse('a column of the target needs a `name`');
    return columnName(name) ?? name;
  });
}
