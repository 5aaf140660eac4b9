import type { Column, LogicalType, TableSchema, TableShape } from '@millrace/sdk';
import { createTableSql } from '@millrace/sdk';
import { logicalTypeOf } from './column-type.js';
import { qualifiedName, quoteName } from './quoting.js';

interface ProposedType {
  readonly nativeType: string;
  readonly type: LogicalType;
  readonly note?: string;
}

export interface ProposedTable {
  readonly sql: string;
  readonly schema: TableSchema;
  readonly notes: readonly string[];
}

/** The table of that shape. `hasType`: this server has a type that is spelled so. */
export function proposedTable(
  { schema, table }: { readonly schema: string; readonly table: string },
  shape: TableShape,
  hasType: (nativeType: string) => boolean,
): ProposedTable {
  const notes = [...shape.notes];
  const columns = shape.columns.map(({ name, source, nullable }): Column => {
    const { note, ...type } = typeFor(source, hasType);
    if (note !== undefined) notes.push(`"${name}": ${note}`);
    return { name, ...type, system: 'postgres', nullable };
  });
  const key = shape.key.map(quoteName).join(', ');
  const definitions = columns.map(
    (c) => `${quoteName(c.name)} ${c.nativeType}${c.nullable ? '' : ' NOT NULL'}`,
  );
  return {
    sql: createTableSql(qualifiedName(schema, table), [
      ...definitions,
      ...(key === '' ? [] : [`PRIMARY KEY (${key})`]),
    ]),
    schema: { schema, table, columns, primaryKey: shape.key },
    notes,
  };
}

function typeFor(source: Column, hasType: (nativeType: string) => boolean): ProposedType {
  const { nativeType, type, system } = source;
  if (system === 'postgres') {
    // The type below a domain is known to the source alone.
    return hasType(nativeType)
      ? { nativeType, type }
      : { ...spelled('text'), note: `there is no type ${nativeType} here: text` };
  }
  // It holds the years to 2155 and needs no more than this.
  if (/^year\b/i.test(nativeType)) return spelled('smallint');
  if (/^inet[46]$/i.test(nativeType)) return spelled('inet');
  return typeOf(type, nativeType);
}

function spelled(nativeType: string, note?: string): ProposedType {
  const type = logicalTypeOf(nativeType);
  return { nativeType, type, ...(note === undefined ? {} : { note }) };
}

const MOST_FRACTION = 6;

function typeOf(type: LogicalType, nativeType: string): ProposedType {
  switch (type.kind) {
    case 'boolean':
    case 'date':
    case 'interval':
    case 'uuid':
      return spelled(type.kind);
    case 'integer':
      return spelled(integerFor(type.bits + (type.unsigned ? 1 : 0)));
    case 'decimal':
      return spelled(
        type.precision === undefined ? 'numeric' : `numeric(${type.precision},${type.scale ?? 0})`,
      );
    case 'float':
      return spelled(type.bits === 32 ? 'real' : 'double precision');
    case 'text':
      return spelled(
        // Only where the source has limited it in characters itself.
        type.length !== undefined && /char|string/i.test(nativeType)
          ? `character varying(${type.length})`
          : 'text',
      );
    case 'bytes':
      return spelled('bytea');
    case 'bits':
      return spelled(`bit(${type.length})`);
    case 'time':
      return spelled(
        `time(${Math.min(type.fraction, MOST_FRACTION)}) with${type.zoned === true ? '' : 'out'} time zone`,
        type.zoned === true
          ? undefined
          : 'times that are not of a day are refused; interval holds them',
      );
    case 'timestamp':
      return spelled(
        `timestamp(${Math.min(type.fraction, MOST_FRACTION)}) with${type.zoned ? '' : 'out'} time zone`,
      );
    case 'json':
      return spelled('jsonb');
    case 'other':
      return spelled('text');
  }
}

/** The smallest that has so many bits, with one for the sign of what has none. */
function integerFor(bits: number): string {
  if (bits <= 16) return 'smallint';
  if (bits <= 32) return 'integer';
  return bits <= 64 ? 'bigint' : 'numeric(20,0)';
}
