import { isDeepStrictEqual } from 'node:util';
import type { Column, Lane } from '@millrace/sdk';

/**
 * Types whose binary form means the same on every server. Enums, domains, composites and arrays of them
 * carry numbers that each database gives out for itself.
 */
const BINARY_TYPE =
  /^(?:boolean|smallint|integer|bigint|oid|numeric(?:\(\d+,-?\d+\))?|real|double precision|text|character(?: varying)?(?:\(\d+\))?|bytea|date|time(?:stamp)?(?:\(\d\))? with(?:out)? time zone|interval(?:\(\d\))?|uuid|json|jsonb|bit(?: varying)?(?:\(\d+\))?)$/;

type Pair = { readonly source: Column; readonly target: Column };

/**
 * The lanes in which rows of these columns arrive as they would on the row lane. Best first. `mayCheck`:
 * lines can be looked at where the server does not refuse aloud.
 */
export function writerLanes(
  pairs: readonly Pair[],
  mayConvert: boolean,
  mayCheck: boolean,
): readonly Lane[] {
  const isBinary = ({ source, target }: Pair): boolean =>
    source.nativeType === target.nativeType && BINARY_TYPE.test(target.nativeType);
  return [
    // Refused binary rows are turned into text by the server, in a temporary table.
    ...(mayConvert && pairs.every(isBinary) ? (['pg-copy-binary'] as const) : []),
    ...(mayCheck ? (['pg-copy-text'] as const) : []),
    'rows',
  ];
}

/**
 * Does the server itself refuse every text of this source column that the target column cannot hold
 * unchanged? It rounds decimals and seconds, cuts blanks and pads without a word: such pairs need the
 * checks of the row lane.
 */
export function refusesAloud(source: Column, target: Column): boolean {
  const [from, to] = [source.type, target.type];
  if (source.unchecked === true) return false;
  // The text of its own type is what a type is restored from; domains may be of one name and differ.
  if (source.nativeType === target.nativeType && isDeepStrictEqual(from, to)) return true;
  switch (to.kind) {
    case 'integer':
      return from.kind === 'integer';
    case 'decimal':
      if (to.precision !== undefined && (to.scale ?? 0) < 0) return false;
      if (from.kind === 'integer') return true;
      return (
        from.kind === 'decimal' &&
        (to.precision === undefined ||
          (from.precision !== undefined && (from.scale ?? 0) <= (to.scale ?? 0)))
      );
    case 'float':
      return from.kind === 'float' && from.bits === to.bits;
    case 'text':
      if (from.kind !== 'text' || (to.padded === true && from.padded !== true)) return false;
      if (target.nativeType === 'name') return false;
      return to.length === undefined || (from.length !== undefined && from.length <= to.length);
    case 'timestamp':
      return from.kind === 'timestamp' && from.zoned === to.zoned && from.fraction <= to.fraction;
    case 'bits':
      return from.kind === 'bits' && from.length === to.length;
    case 'json':
      if (to.normalized !== true) return from.kind === 'json' || from.kind === 'text';
      // Of repeated keys `jsonb` keeps the last.
      return from.kind === 'json' && from.normalized === true && source.dialect === 'postgres';
    case 'uuid':
      return from.kind === to.kind || from.kind === 'text';
    case 'boolean':
    case 'bytes':
    case 'date':
      return from.kind === to.kind;
    case 'time':
    case 'interval':
    case 'other':
      return false;
  }
}
