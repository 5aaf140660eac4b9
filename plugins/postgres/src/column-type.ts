import type { LogicalType } from '@millrace/sdk';

const FIXED: Readonly<Record<string, LogicalType>> = {
  boolean: { kind: 'boolean' },
  smallint: { kind: 'integer', bits: 16, unsigned: false },
  integer: { kind: 'integer', bits: 32, unsigned: false },
  bigint: { kind: 'integer', bits: 64, unsigned: false },
  oid: { kind: 'integer', bits: 32, unsigned: true },
  money: { kind: 'decimal', precision: 19, scale: 2 },
  real: { kind: 'float', bits: 32 },
  'double precision': { kind: 'float', bits: 64 },
  text: { kind: 'text' },
  'character varying': { kind: 'text' },
  citext: { kind: 'text' },
  name: { kind: 'text', length: 63 },
  bytea: { kind: 'bytes' },
  date: { kind: 'date' },
  json: { kind: 'json' },
  jsonb: { kind: 'json', normalized: true },
  uuid: { kind: 'uuid' },
};

/** The meaning of a type as `format_type` spells it, e.g. `timestamp(3) without time zone`. */
export function logicalTypeOf(native: string): LogicalType {
  const fixed = FIXED[native];
  if (fixed !== undefined) return fixed;
  if (native.endsWith('[]')) return { kind: 'other' };
  const m = /^([a-z ]+?)(?:\((\d+)(?:,(-?\d+))?\))?( with(?:out)? time zone)?$/.exec(native);
  const size = m?.[2] === undefined ? undefined : Number(m[2]);
  const zoned = m?.[4] === ' with time zone';
  switch (m?.[1]) {
    case 'numeric':
      return size === undefined
        ? { kind: 'decimal' }
        : { kind: 'decimal', precision: size, scale: Number(m[3] ?? 0) };
    case 'character varying':
      return size === undefined ? { kind: 'text' } : { kind: 'text', length: size };
    case 'character':
      return { kind: 'text', length: size ?? 1, padded: true };
    case 'bit':
      return { kind: 'bits', length: size ?? 1 };
    case 'timestamp':
      return { kind: 'timestamp', fraction: size ?? 6, zoned };
    case 'time':
      return { kind: 'time', fraction: size ?? 6, zoned };
    case undefined:
    default:
      return native.startsWith('interval') ? { kind: 'interval' } : { kind: 'other' };
  }
}
