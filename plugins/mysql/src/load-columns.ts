import { compileFieldCheck } from '@millrace/sdk';
import type { Column, LogicalType } from '@millrace/sdk';

import { quoteName } from './literal.js';
import type { ColumnPair } from './writer-target.js';

type Kind<K extends LogicalType['kind']> = Extract<LogicalType, { kind: K }>;

/** What LOAD DATA does with the field of a column; `@f` stands for the field. */
type Field = 'as it is' | { readonly set: string };

/**
 * The column list of LOAD DATA, and its SET where the field of a line is written differently here.
 * `undefined`: some column could be given a value that is changed in silence, and its fields cannot be
 * looked at as bytes; such rows go by the row lane, which looks at each of them.
 */
export function loadColumns(
  pairs: readonly ColumnPair[],
): { readonly list: readonly string[]; readonly set: readonly string[] } | undefined {
  const list: string[] = [];
  const set: string[] = [];
  for (const [i, pair] of pairs.entries()) {
    const field = fieldOf(pair);
    const name = quoteName(pair.target.name);
    if (field === undefined) return undefined;
    if (field === 'as it is') {
      list.push(name);
    } else {
      list.push(`@f${i}`);
      set.push(`${name} = ${field.set.replaceAll('@f', `@f${i}`)}`);
    }
  }
  return { list, set };
}

function fieldOf(pair: ColumnPair): Field | undefined {
  return trustedField(pair) ?? checkedField(pair);
}

/** LOAD DATA may be given the fields of this pair. */
export function isLoadable(pair: ColumnPair): boolean {
  return fieldOf(pair) !== undefined;
}

/** Fields that were looked at are the text the column takes. */
function checkedField({ source, target }: ColumnPair): Field | undefined {
  return compileFieldCheck(source, target, 'mysql') === undefined ? undefined : 'as it is';
}

/**
 * LOAD DATA LOCAL stores another value and counts a warning where INSERT would fail: that is loud enough,
 * because warnings are read. What is left out here changes values without even that, so each of its fields
 * has to be looked at.
 */
export function trustedField({ source, target }: ColumnPair): Field | undefined {
  if (source.unchecked === true) return undefined;
  const [from, to] = [source.type, target.type];
  const isSame = source.nativeType === target.nativeType;
  // Members are found by number and in any letter case too.
  if (/^(enum|set)\(/i.test(target.nativeType)) return isSame ? 'as it is' : undefined;
  // 0 as text would be 2000.
  if (/^year\b/i.test(target.nativeType)) return isSame ? { set: "LPAD(@f, 4, '0')" } : undefined;
  switch (to.kind) {
    case 'integer':
      if (from.kind === 'boolean') return { set: "(@f = 't')" };
      return from.kind === 'integer' ? 'as it is' : undefined;
    case 'decimal':
      return fitsDecimal(from, to) ? 'as it is' : undefined;
    case 'float':
      // A text of a float goes through a double, and may then be rounded twice.
      return from.kind === 'float' && from.bits === 64 && to.bits === 64 ? 'as it is' : undefined;
    case 'text':
      return takesText(from, to, target) ? 'as it is' : undefined;
    case 'bytes':
      return takesBytes(from, to, target, isSame) ? { set: 'UNHEX(SUBSTR(@f, 3))' } : undefined;
    case 'bits':
      return from.kind === 'bits' && from.length === to.length
        ? { set: 'CAST(CONV(@f, 2, 10) AS UNSIGNED)' }
        : undefined;
    case 'timestamp':
      if (from.kind !== 'timestamp' || from.fraction > to.fraction) return undefined;
      if (from.zoned) return { set: WITHOUT_OFFSET };
      return source.dialect === 'mysql' ? 'as it is' : undefined;
    // Elsewhere a year of five digits, an era or `infinity`: a SET that finds them takes a third of the server's time.
    case 'date':
      return from.kind === 'date' && source.dialect === 'mysql' ? 'as it is' : undefined;
    case 'time':
      return from.kind === 'time' && from.zoned !== true && from.fraction <= to.fraction
        ? 'as it is'
        : undefined;
    case 'uuid':
      return from.kind === 'uuid' ? 'as it is' : undefined;
    case 'boolean':
    case 'interval':
    case 'json':
    case 'other':
      return undefined;
  }
}

function fitsDecimal(from: LogicalType, to: Kind<'decimal'>): boolean {
  if (from.kind === 'integer') return true;
  return (
    from.kind === 'decimal' &&
    from.precision !== undefined &&
    (from.scale ?? 0) >= 0 &&
    (from.scale ?? 0) <= (to.scale ?? 0)
  );
}

function takesText(from: LogicalType, to: Kind<'text'>, target: Column): boolean {
  if (target.charset !== undefined && !/^utf8mb4$/i.test(target.charset)) return false;
  if (from.kind !== 'text' || (to.padded === true && from.padded !== true)) return false;
  return to.length === undefined || (from.length !== undefined && from.length <= to.length);
}

function takesBytes(
  from: LogicalType,
  to: Kind<'bytes'>,
  target: Column,
  isSame: boolean,
): boolean {
  if (from.kind !== 'bytes') return false;
  // A shorter value would be padded.
  if (/^binary\b/i.test(target.nativeType)) return isSame;
  return to.length === undefined || (from.length !== undefined && from.length <= to.length);
}

/** `LIKE` finds a year of five digits, an era and `infinity`: they become a text that no date is, and a warning. */
const WITHOUT_OFFSET =
  "IF(@f IS NULL OR @f LIKE '____-__-__ __:__:__+00' OR @f LIKE '____-__-__ __:__:__.%+00', " +
  "LEFT(@f, CHAR_LENGTH(@f) - 3), 'x')";
