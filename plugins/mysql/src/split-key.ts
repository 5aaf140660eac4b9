import type { Column, KeyDialect, KeyValue, TableSchema } from '@millrace/sdk';

import { quoteName, textLiteral } from './literal.js';
import { columnNamed } from './reader-source.js';
import type { ReaderSource } from './reader-source.js';
import type { Session } from './session.js';

interface KeyPart {
  /** What is compared and put in order. */
  readonly sql: string;
  /** What gives its text. */
  readonly text: string;
  literal(text: string): string;
  readonly isInteger: boolean;
}

export interface SplitKey extends KeyDialect {
  readonly parts: readonly KeyPart[];
  /** Quoted; the index in whose order the key stands. Absent: every slice would read all rows. */
  readonly index: string | undefined;
  after(value: KeyValue): string;
}

interface KeyChoice {
  readonly key?: SplitKey;
  /** Why the key of the user cannot be. */
  readonly refusal?: string;
  readonly remark?: string;
}

const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;
const HEX = /^[\dA-F]*$/i;

/** The key a source is cut by: the columns the user names, else the primary key, else a unique one. */
export async function splitKeyOf(
  session: Session,
  source: ReaderSource,
  wanted: readonly string[],
): Promise<KeyChoice> {
  const indexes = await indexesOf(session, source);
  const names = wanted.length > 0 ? wanted : defaultKey(source, indexes);
  const { table } = source.schema;
  if (names.length === 0) {
    return { remark: `${table} has no unique key: it is read in one piece over one channel.` };
  }
  const all: TableSchema = { ...source.schema, columns: source.allColumns };
  const columns = names.map((name) => columnNamed(all, name));
  const parts = columns.map(partOf);
  const bad = columns.find((_, i) => parts[i] === undefined);
  if (bad !== undefined) {
    const text = `${bad.name} is ${bad.nativeType}, which has no order to cut by`;
    return wanted.length > 0
      ? { refusal: text }
      : { remark: `${text}: ${table} is read in one piece.` };
  }
  const index = indexes.find((each) => columns.every((c, i) => each.columns[i] === c.name));
  const key = keyOf(
    columns,
    parts.filter((part) => part !== undefined),
    index?.name,
  );
  if (index !== undefined) return { key };
  const by = columns.map((c) => c.name).join(', ');
  return {
    key,
    remark: `No index of ${table} begins with ${by}: each slice reads the whole table.`,
  };
}

interface Index {
  readonly name: string;
  readonly isUnique: boolean;
  readonly columns: readonly string[];
}

async function indexesOf(session: Session, { schema, table }: ReaderSource): Promise<Index[]> {
  if (table === undefined) return [];
  const rows = await session.rows(
    `SELECT INDEX_NAME, MIN(NON_UNIQUE), GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX SEPARATOR '\\n')
       FROM information_schema.STATISTICS
      WHERE TABLE_SCHEMA = ${textLiteral(schema.schema ?? '')} AND TABLE_NAME = ${textLiteral(schema.table)}
        AND INDEX_TYPE = 'BTREE'
      GROUP BY INDEX_NAME HAVING COUNT(SUB_PART) = 0 AND COUNT(COLUMN_NAME) = COUNT(*)
      ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME`,
  );
  return rows.map(([name, nonUnique, columns]) => ({
    name: name ?? '',
    isUnique: nonUnique === '0',
    columns: (columns ?? '').split('\n'),
  }));
}

function defaultKey(source: ReaderSource, indexes: readonly Index[]): readonly string[] {
  if (source.schema.primaryKey.length > 0) return source.schema.primaryKey;
  return indexes.find((index) => index.isUnique)?.columns ?? [];
}

/** Undefined for a type whose order and comparison are not the same thing. */
function partOf(column: Column): KeyPart | undefined {
  const name = quoteName(column.name);
  const number = (sql: string, text: string, isInteger: boolean): KeyPart => ({
    sql,
    text,
    isInteger,
    literal: (value) => checked(value, NUMBER),
  });
  const { kind } = column.type;
  switch (kind) {
    case 'boolean':
    case 'integer':
      return number(name, name, true);
    case 'decimal':
      return number(name, name, false);
    case 'float':
      // Its text has six digits of a float.
      return number(name, `(${name} * 1E0)`, false);
    case 'bits':
      return number(`(${name} + 0)`, `(${name} + 0)`, false);
    case 'bytes':
      return {
        sql: name,
        text: `HEX(${name})`,
        isInteger: false,
        literal: (value) => `x'${checked(value, HEX)}'`,
      };
    case 'text':
      // Ordered by their numbers, compared with a text by their texts.
      if (/^(enum|set)\(/i.test(column.nativeType)) {
        return number(`(${name} + 0)`, `(${name} + 0)`, false);
      }
      return { sql: name, text: name, isInteger: false, literal: textLiteral };
    case 'date':
    case 'time':
    case 'timestamp':
    case 'uuid':
      return { sql: name, text: name, isInteger: false, literal: textLiteral };
    case 'interval':
    case 'json':
    case 'other':
      return undefined;
  }
}

function keyOf(columns: readonly Column[], parts: readonly KeyPart[], index?: string): SplitKey {
  const compare = (operator: '>' | '>=' | '<', value: KeyValue): string =>
    comparison(parts, operator, value, 0);
  return {
    names: columns.map((c) => c.name),
    parts,
    index: index === undefined ? undefined : quoteName(index),
    isNullable: columns.some((c) => c.nullable),
    isNull: columns.map((c) => `${quoteName(c.name)} IS NULL`).join(' OR '),
    compare,
    after: (value) => compare('>', value),
  };
}

/** Column by column: of a comparison of rows these servers make no range of an index. */
function comparison(
  parts: readonly KeyPart[],
  operator: '>' | '>=' | '<',
  value: KeyValue,
  at: number,
): string {
  const part = parts[at];
  if (part === undefined) return '1 = 1';
  const literal = part.literal(value[at] ?? '');
  if (at === parts.length - 1) return `${part.sql} ${operator} ${literal}`;
  const strict = operator === '<' ? '<' : '>';
  const rest = comparison(parts, operator, value, at + 1);
  return `(${part.sql} ${strict} ${literal} OR (${part.sql} = ${literal} AND ${rest}))`;
}

function checked(value: string, pattern: RegExp): string {
  if (pattern.test(value)) return value;
  throw new Error('the stored bounds of a slice are not valid');
}
