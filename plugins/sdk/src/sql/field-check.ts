import type { Column, LogicalType } from '../table.js';
import { compileConversion } from './cell-conversion.js';
import { isPlainJsonb, isPlainMysqlJson } from './json-field.js';
import { lastDay } from './last-day.js';
import type { SqlDialect } from './statements.js';
import { TEXT_BYTES } from './text-bytes.js';

/**
 * Looks at the bytes of a field of a COPY line, from `from` to before `to`, escapes and all; the field is
 * not NULL. `true`: the row rules would let the cell pass as it is. `false`: they have to be asked.
 */
export type FieldCheck = (bytes: Uint8Array, from: number, to: number) => boolean;

type Kind<K extends LogicalType['kind']> = Extract<LogicalType, { kind: K }>;

const BACKSLASH = 0x5c;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const BLANK = 0x20;

/**
 * The check of a column on the text lane. `undefined`: only rows can tell whether the target holds a cell
 * unchanged, or most cells would have to be written differently.
 */
export function compileFieldCheck(
  source: Column,
  target: Column,
  dialect: SqlDialect,
): FieldCheck | undefined {
  const [from, to] = [source.type, target.type];
  // Their fields are not the cells' canonical text.
  if (from.kind === 'bytes' || (from.kind === 'boolean' && source.unchecked !== true)) {
    return undefined;
  }
  // `12.0` or `true` for an integer may go by the row rules; other conversions change every cell.
  const isNumber = to.kind === 'integer' || from.kind === 'boolean';
  if (!isNumber && compileConversion(source, target, dialect) !== undefined) return undefined;
  if (dialect === 'mysql' && /^(?:enum|set|year)\b/i.test(target.nativeType)) return undefined;
  return checkOf(source, target, dialect);
}

function checkOf(source: Column, target: Column, dialect: SqlDialect): FieldCheck | undefined {
  const { type } = target;
  switch (type.kind) {
    case 'integer':
      return integerCheck(type);
    case 'decimal':
      return decimalCheck(type);
    case 'float':
      return floatCheck(target, type, dialect);
    case 'text':
      return textCheck(source, target, type, dialect);
    case 'date':
      return (bytes, from, to) => to - from === 10 && isDate(bytes, from);
    case 'timestamp':
      return timestampCheck(type, dialect);
    case 'time':
      return type.zoned === true ? undefined : timeCheck(type);
    case 'boolean':
      return dialect === 'postgres' ? isBoolean : undefined;
    case 'json':
      if (type.normalized !== true) return always;
      return dialect === 'mysql' ? isPlainMysqlJson : isPlainJsonb;
    case 'uuid':
      return isUuid;
    case 'other':
      // The server reads the same text on either lane.
      return dialect === 'postgres' ? always : undefined;
    case 'bytes':
    case 'bits':
    case 'interval':
      return undefined;
  }
}

const always: FieldCheck = () => true;

function digitAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) - ZERO;
}

function isDigit(bytes: Uint8Array, at: number): boolean {
  const digit = digitAt(bytes, at);
  return digit >= 0 && digit <= 9;
}

function afterSign(bytes: Uint8Array, from: number): number {
  return bytes[from] === MINUS || bytes[from] === PLUS ? from + 1 : from;
}

function integerCheck(type: Kind<'integer'>): FieldCheck {
  const highest = type.unsigned ? 2 ** type.bits - 1 : 2 ** (type.bits - 1) - 1;
  const lowest = type.unsigned ? 0 : -highest - 1;
  return (bytes, from, to) => {
    const start = afterSign(bytes, from);
    // Up to 15 digits a double counts exactly.
    if (start === to || to - start > 15) return false;
    let value = 0;
    for (let at = start; at < to; at++) {
      const digit = digitAt(bytes, at);
      if (digit < 0 || digit > 9) return false;
      value = value * 10 + digit;
    }
    return bytes[from] === MINUS ? -value >= lowest : value <= highest;
  };
}

function decimalCheck(type: Kind<'decimal'>): FieldCheck | undefined {
  const scale = type.scale ?? 0;
  if (scale < 0) return undefined;
  const [mostWhole, mostFraction] =
    type.precision === undefined ? [Infinity, Infinity] : [type.precision - scale, scale];
  return (bytes, from, to) => {
    const start = afterSign(bytes, from);
    let point = to;
    for (let at = start; at < to; at++) {
      if (isDigit(bytes, at)) continue;
      if (bytes[at] !== POINT || point !== to) return false;
      point = at;
    }
    const fraction = point === to ? 0 : to - point - 1;
    const whole = point - start;
    return whole + fraction > 0 && whole <= mostWhole && fraction <= mostFraction;
  };
}

function floatCheck(
  target: Column,
  type: Kind<'float'>,
  dialect: SqlDialect,
): FieldCheck | undefined {
  // MySQL reads a FLOAT's text through a double, and `double(10,2)` rounds.
  if (dialect === 'mysql' && (type.bits === 32 || target.nativeType.includes('(')))
    return undefined;
  const mostCharacters = type.bits === 32 ? 6 : 15;
  const number = decimalCheck({ kind: 'decimal' });
  return (bytes, from, to) => to - from <= mostCharacters && number?.(bytes, from, to) === true;
}

function textCheck(
  source: Column,
  target: Column,
  type: Kind<'text'>,
  dialect: SqlDialect,
): FieldCheck | undefined {
  const isMysql = dialect === 'mysql';
  if (isMysql && target.charset !== undefined && !/^utf8mb4$/i.test(target.charset))
    return undefined;
  if (target.nativeType === 'name') return undefined;
  const fromPadded = source.type.kind === 'text' && source.type.padded === true;
  const losesBlanks = type.padded === true;
  // Padding of a padded source does not count, which only the row rules know.
  if (losesBlanks && fromPadded) return undefined;
  const bytesLimit = isMysql ? TEXT_BYTES[target.nativeType.toLowerCase()] : undefined;
  const limit = Math.min(type.length ?? Infinity, bytesLimit ?? Infinity);
  return (bytes, from, to) => {
    if (losesBlanks && bytes[to - 1] === BLANK) return false;
    // With no more bytes than characters are allowed nothing has to be counted.
    if (to - from <= limit) return true;
    return bytesLimit === undefined && charactersOf(bytes, from, to) <= limit;
  };
}

function charactersOf(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === BACKSLASH) at += 1;
    if ((byte & 0xc0) !== 0x80) count += 1;
  }
  return count;
}

function isDate(bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < 10; i++) {
    if (i === 4 || i === 7) {
      if (bytes[from + i] !== MINUS) return false;
    } else if (!isDigit(bytes, from + i)) {
      return false;
    }
  }
  const month = numberAt(bytes, from + 5, 2);
  const day = numberAt(bytes, from + 8, 2);
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= 28 || day <= lastDay(numberAt(bytes, from, 4), month);
}

function numberAt(bytes: Uint8Array, at: number, digits: number): number {
  let number = 0;
  for (let i = at; i < at + digits; i++) number = number * 10 + digitAt(bytes, i);
  return number;
}

function isClock(bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < 8; i++) {
    if (i === 2 || i === 5) {
      if (bytes[from + i] !== COLON) return false;
    } else if (!isDigit(bytes, from + i)) {
      return false;
    }
  }
  return numberAt(bytes, from + 3, 2) <= 59 && numberAt(bytes, from + 6, 2) <= 59;
}

/** Where the digits of a second end, when there are no more than `most`; else -1. */
function fractionEnd(bytes: Uint8Array, at: number, to: number, most: number): number {
  if (at >= to || bytes[at] !== POINT) return at;
  let end = at + 1;
  while (end < to && isDigit(bytes, end)) end += 1;
  return end === at + 1 || end - at - 1 > most ? -1 : end;
}

function timestampCheck(type: Kind<'timestamp'>, dialect: SqlDialect): FieldCheck {
  const hasZone = type.zoned && dialect === 'postgres';
  return (bytes, from, to) => {
    if (to - from < 19 || !isDate(bytes, from) || bytes[from + 10] !== BLANK) return false;
    if (!isClock(bytes, from + 11) || numberAt(bytes, from + 11, 2) > 23) return false;
    const end = fractionEnd(bytes, from + 19, to, type.fraction);
    if (!hasZone) return end === to;
    const isSigned = bytes[end] === PLUS || bytes[end] === MINUS;
    return (
      end !== -1 && end + 3 === to && isSigned && isDigit(bytes, end + 1) && isDigit(bytes, end + 2)
    );
  };
}

function timeCheck(type: Kind<'time'>): FieldCheck {
  return (bytes, from, to) =>
    to - from >= 8 &&
    isClock(bytes, from) &&
    fractionEnd(bytes, from + 8, to, type.fraction) === to;
}

/** As servers print it. */
function isUuid(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== 36) return false;
  for (let i = 0; i < 36; i++) {
    const byte = bytes[from + i] ?? 0;
    const isHyphen = i === 8 || i === 13 || i === 18 || i === 23;
    if (isHyphen ? byte !== MINUS : !isDigit(bytes, from + i) && !isHexLetter(byte)) return false;
  }
  return true;
}

function isHexLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66;
}

const BOOLEANS = new Set(['true', 'false', 't', 'f', '1', '0']);

function isBoolean(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from <= 5 && BOOLEANS.has(String.fromCharCode(...bytes.subarray(from, to)));
}
