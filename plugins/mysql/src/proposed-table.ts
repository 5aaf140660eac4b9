import { createTableSql } from '@millrace/sdk';
import type { Column, DatabaseSystem, LogicalType, TableSchema, TableShape } from '@millrace/sdk';

import { fittedKey, fittedRow } from './column-fit.js';
import { quoteName, quoteTable } from './literal.js';
import type { TableName } from './table-catalog.js';

/** What the server has of what a proposal needs. */
export interface TableServer {
  readonly system: Extract<DatabaseSystem, 'mysql' | 'mariadb'>;
  /** Compares texts byte by byte, as other systems do. */
  readonly keyCollation: string;
  hasCollation(name: string): boolean;
}

/** A column of the statement. */
export interface ProposedColumn {
  readonly name: string;
  readonly nativeType: string;
  readonly type: LogicalType;
  readonly nullable: boolean;
  readonly charset?: string | undefined;
  readonly collation?: string | undefined;
}

export interface ProposedTable {
  readonly sql: string;
  readonly schema: TableSchema;
  readonly notes: readonly string[];
}

/** The table of that shape. */
export function proposedTable(
  { database, table }: TableName,
  shape: TableShape,
  server: TableServer,
): ProposedTable {
  const notes = [...shape.notes];
  const proposed = shape.columns.map(({ name, source, nullable }): ProposedColumn => {
    const { note, ...type } = typeFor(source, server);
    if (note !== undefined) notes.push(`${name}: ${note}`);
    return { name, nullable, ...type };
  });
  const { columns: keyed, key } = fittedKey(proposed, shape.key, server, notes);
  const columns = fittedRow(keyed, key, notes);
  const primaryKey = key.length === 0 ? [] : [`PRIMARY KEY (${key.map(quoteName).join(', ')})`];
  return {
    sql: createTableSql(
      quoteTable(database, table),
      [...columns.map(definitionOf), ...primaryKey],
      ' ENGINE=InnoDB DEFAULT CHARSET=utf8mb4',
    ),
    schema: {
      schema: database,
      table,
      columns: columns.map((column) => describedAs(column, server)),
      primaryKey: key,
    },
    notes,
  };
}

/** NULL is said too: without it an old server gives a TIMESTAMP a default of its own. */
function definitionOf({ name, nativeType, charset, collation, nullable }: ProposedColumn): string {
  const words = [
    quoteName(name),
    nativeType,
    ...(charset === undefined ? [] : [`CHARACTER SET ${charset}`]),
    ...(collation === undefined ? [] : [`COLLATE ${collation}`]),
    nullable ? 'NULL' : 'NOT NULL',
  ];
  return words.join(' ');
}

/** As the catalogue of the server will tell of it. */
function describedAs(column: ProposedColumn, { system }: TableServer): Column {
  const { name, type, nullable, charset, collation } = column;
  // It has no type for JSON but a rule that the text is one.
  const isText = column.nativeType === 'json' && system === 'mariadb';
  return {
    name,
    nativeType: isText ? 'longtext' : column.nativeType,
    system,
    type: isText ? { kind: 'text' } : type,
    nullable,
    ...(system === 'mariadb' && type.kind === 'float' ? { signlessZero: true } : {}),
    ...(charset === undefined ? {} : { charset }),
    ...(collation === undefined ? {} : { collation }),
  };
}

interface ProposedType extends Pick<
  ProposedColumn,
  'nativeType' | 'type' | 'charset' | 'collation'
> {
  readonly note?: string;
}

/** Types that MySQL and MariaDB do not have alike. */
const UNALIKE = /^(uuid|inet[46]|json|vector)\b/i;

function typeFor(source: Column, server: TableServer): ProposedType {
  const { type, system, charset, collation } = source;
  // Only MySQL knows its own short name.
  const nativeType = source.nativeType.replace(/^geomcollection\b/i, 'geometrycollection');
  const isOwn = system === server.system;
  const isAlike = system === 'mysql' || system === 'mariadb';
  if (!isOwn && !(isAlike && !UNALIKE.test(nativeType))) return typeOf(type, nativeType);
  const isKnown = collation !== undefined && server.hasCollation(collation);
  const note = `${charset} ${collation} is not known here: utf8mb4`;
  if (collation !== undefined && !isKnown) return { nativeType, type, note };
  return { nativeType, type, ...(isKnown ? { charset, collation } : {}) };
}

const MOST_FRACTION = 6;
const MOST_BITS = 64;
const MOST_CHAR = 255;
/** Of utf8mb4, in a row of 65,535 bytes. */
const MOST_VARCHAR = 16_383;
const DECIMAL = { precision: 65, scale: 30 } as const;
const INTEGERS = {
  8: 'tinyint',
  16: 'smallint',
  24: 'mediumint',
  32: 'int',
  64: 'bigint',
} as const;
const LONGTEXT: ProposedType = { nativeType: 'longtext', type: { kind: 'text' } };

function typeOf(type: LogicalType, nativeType: string): ProposedType {
  switch (type.kind) {
    case 'boolean':
      return {
        nativeType: 'tinyint(1)',
        type: { kind: 'integer', bits: 8, unsigned: false },
      };
    case 'integer':
      if (/^year\b/i.test(nativeType)) return { nativeType: 'year', type };
      return { nativeType: `${INTEGERS[type.bits]}${type.unsigned ? ' unsigned' : ''}`, type };
    case 'decimal':
      return decimalFor(type.precision, type.scale ?? 0);
    case 'float':
      return { nativeType: type.bits === 32 ? 'float' : 'double', type };
    case 'text':
      return textFor(type.length, type.padded === true);
    case 'bytes':
      return bytesFor(type.length, nativeType);
    case 'bits':
      return type.length <= MOST_BITS
        ? { nativeType: `bit(${type.length})`, type }
        : textFor(type.length, false);
    case 'date':
      return { nativeType: 'date', type };
    case 'time': {
      if (type.zoned === true) return textFor(ZONED_TIME, false);
      const fraction = Math.min(type.fraction, MOST_FRACTION);
      return { nativeType: `time(${fraction})`, type: { kind: 'time', fraction } };
    }
    case 'timestamp': {
      const fraction = Math.min(type.fraction, MOST_FRACTION);
      const proposed: ProposedType = {
        nativeType: `datetime(${fraction})`,
        type: { kind: 'timestamp', fraction, zoned: false },
      };
      return type.zoned
        ? { ...proposed, note: 'DATETIME has no zone: times are in UTC' }
        : proposed;
    }
    case 'uuid':
      return { ...textFor(UUID, true), charset: 'ascii' };
    case 'json':
      return { nativeType: 'json', type };
    case 'interval':
    case 'other':
      return LONGTEXT;
  }
}

const ZONED_TIME = 21;
const UUID = 36;

function textFor(length: number | undefined, padded: boolean): ProposedType {
  if (length === undefined || length > MOST_VARCHAR) return LONGTEXT;
  return padded && length <= MOST_CHAR
    ? { nativeType: `char(${length})`, type: { kind: 'text', length, padded: true } }
    : { nativeType: `varchar(${length})`, type: { kind: 'text', length } };
}

function bytesFor(length: number | undefined, nativeType: string): ProposedType {
  return length === undefined || length > MOST_CHAR || /blob|geom/i.test(nativeType)
    ? { nativeType: 'longblob', type: { kind: 'bytes' } }
    : { nativeType: `varbinary(${length})`, type: { kind: 'bytes', length } };
}

/** A scale may be negative, or larger than the precision: digits before or behind the point that are always 0. */
function decimalFor(given: number | undefined, wanted: number): ProposedType {
  if (given === undefined) {
    const note =
      'numeric has no limit: numbers of more than 35 digits before the point or 30 behind it are refused';
    return { nativeType: 'decimal(65,30)', type: { kind: 'decimal', ...DECIMAL }, note };
  }
  const scale = Math.max(0, wanted);
  const precision = Math.max(given - Math.min(0, wanted), scale, 1);
  if (precision > DECIMAL.precision || scale > DECIMAL.scale) {
    return { ...LONGTEXT, note: `numeric(${given},${wanted}) has more digits than DECIMAL: text` };
  }
  return {
    nativeType: `decimal(${precision},${scale})`,
    type: { kind: 'decimal', precision, scale },
  };
}
