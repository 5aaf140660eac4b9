import type { Column, LogicalType } from '@millrace/sdk';
import type { FieldPacket } from 'mysql2';

/** What information_schema says about a column's type; numbers as the server prints them. */
export interface NativeType {
  /** `bigint` */
  readonly dataType: string;
  /** `bigint(20) unsigned` */
  readonly columnType: string;
  readonly length: string | null;
  readonly precision: string | null;
  readonly scale: string | null;
  readonly fraction: string | null;
}

const INTEGER_BITS: Readonly<Record<string, 8 | 16 | 24 | 32 | 64>> = {
  tinyint: 8,
  smallint: 16,
  mediumint: 24,
  int: 32,
  bigint: 64,
};
const TEXT_TYPES = new Set([
  'varchar',
  'tinytext',
  'text',
  'mediumtext',
  'longtext',
  'enum',
  'set',
]);
/** Geometries and vectors travel as the bytes the server keeps: their text forms lose SRID or digits. */
const BYTES_TYPES = new Set([
  'binary',
  'varbinary',
  'tinyblob',
  'blob',
  'mediumblob',
  'longblob',
  'vector',
  'geometry',
  'point',
  'linestring',
  'polygon',
  'multipoint',
  'multilinestring',
  'multipolygon',
  'geometrycollection',
  'geomcollection',
]);

export function logicalTypeOf(native: NativeType): LogicalType {
  const { dataType } = native;
  const bits = INTEGER_BITS[dataType];
  // ZEROFILL is only a way to display; it implies unsigned.
  if (bits !== undefined) {
    return { kind: 'integer', bits, unsigned: /unsigned|zerofill/.test(native.columnType) };
  }
  if (TEXT_TYPES.has(dataType)) return { kind: 'text', ...lengthOf(native) };
  if (BYTES_TYPES.has(dataType)) return { kind: 'bytes', ...lengthOf(native) };
  const fraction = Number(native.fraction ?? 0);
  switch (dataType) {
    case 'year':
      return { kind: 'integer', bits: 16, unsigned: true };
    case 'decimal':
      return { kind: 'decimal', precision: Number(native.precision), scale: Number(native.scale) };
    case 'float':
      return { kind: 'float', bits: 32 };
    case 'double':
      return { kind: 'float', bits: 64 };
    case 'bit':
      return { kind: 'bits', length: Number(native.precision) };
    case 'char':
      // The server takes blanks at the end of a CHAR for padding and never gives them back.
      return { kind: 'text', padded: true, ...lengthOf(native) };
    case 'date':
      return { kind: 'date' };
    case 'time':
      return { kind: 'time', fraction };
    case 'datetime':
      return { kind: 'timestamp', fraction, zoned: false };
    case 'timestamp':
      return { kind: 'timestamp', fraction, zoned: true };
    case 'json':
      return { kind: 'json', normalized: true };
    case 'uuid':
      return { kind: 'uuid' };
    default:
      return { kind: 'other' };
  }
}

function lengthOf(native: NativeType): { length?: number } {
  const length = Number(native.length ?? 0);
  return length > 0 && length < 4_294_967_295 ? { length } : {};
}

const BINARY_CHARSET = 63;
const FLAG = { notNull: 1, unsigned: 32, enum: 256, set: 2048 };
const BITS_OF_CODE: Readonly<Record<number, 8 | 16 | 24 | 32 | 64>> = {
  1: 8,
  2: 16,
  3: 32,
  8: 64,
  9: 24,
};

/** A column of a query's result, from its wire definition. */
export function columnOfField(field: FieldPacket): Column {
  const flags = typeof field.flags === 'number' ? field.flags : 0;
  const type = typeOfField(field, flags);
  return {
    name: field.name,
    nativeType: field.typeName?.toLowerCase() ?? type.kind,
    type,
    nullable: (flags & FLAG.notNull) === 0,
    dialect: 'mysql',
  };
}

function typeOfField(field: FieldPacket, flags: number): LogicalType {
  const code = field.columnType ?? field.type ?? 253;
  const unsigned = (flags & FLAG.unsigned) !== 0;
  const bits = BITS_OF_CODE[code];
  if (bits !== undefined) return { kind: 'integer', bits, unsigned };
  const length = field.columnLength ?? 0;
  const scale = field.decimals ?? 0;
  const fraction = scale > 6 ? 6 : scale;
  switch (code) {
    case 0:
    case 246:
      return {
        kind: 'decimal',
        precision: length - (scale > 0 ? 1 : 0) - (unsigned ? 0 : 1),
        scale,
      };
    case 4:
      return { kind: 'float', bits: 32 };
    case 5:
      return { kind: 'float', bits: 64 };
    case 7:
      return { kind: 'timestamp', fraction, zoned: true };
    case 10:
    case 14:
      return { kind: 'date' };
    case 11:
      return { kind: 'time', fraction };
    case 12:
      return { kind: 'timestamp', fraction, zoned: false };
    case 13:
      return { kind: 'integer', bits: 16, unsigned: true };
    case 16:
      return { kind: 'bits', length };
    case 245:
      return { kind: 'json', normalized: true };
    default:
      return textOrBytesOf(field, flags, code, length);
  }
}

function textOrBytesOf(
  field: FieldPacket,
  flags: number,
  code: number,
  length: number,
): LogicalType {
  const named = (flags & (FLAG.enum | FLAG.set)) !== 0;
  const binary = field.characterSet === BINARY_CHARSET && !named && code !== 6;
  if (code === 255 || code === 242 || binary) return { kind: 'bytes' };
  // The wire gives bytes of utf8mb4: four for each character.
  return length > 0 && length < 4_294_967_295
    ? { kind: 'text', length: Math.floor(length / 4) }
    : { kind: 'text' };
}
