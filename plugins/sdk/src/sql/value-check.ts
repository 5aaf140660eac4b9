import type { Cell } from '../chunk.js';
import type { Column, LogicalType } from '../table.js';
import { floatRoundTrip, parseDecimal } from './decimal-text.js';
import { jsonRuleOf } from './json-rule.js';
import { lastDay } from './last-day.js';
import type { SqlDialect } from './statements.js';
import { TEXT_BYTES } from './text-bytes.js';

/**
 * Why the target cannot hold this cell unchanged, in words; `undefined` when it can, or when the server
 * itself refuses it aloud. The reason never quotes the value: it reaches logs.
 */
export type CellCheck = (cell: Cell) => string | undefined;

type TextCheck = (text: string) => string | undefined;

/**
 * Finds what a server changes in silence: rounded digits and seconds, cut blanks, padded bytes, float
 * precision, a time part dropped from a date. Cells are as `Cell` describes them, after
 * `compileConversion`. `source` matters for padded text and for
 * floats alone.
 */
export function compileCheck(target: Column, dialect: SqlDialect, source?: Column): CellCheck {
  const nullReason = target.nullable ? undefined : 'NULL in a NOT NULL column';
  if (target.type.kind === 'bytes') {
    const check = bytesCheck(target, target.type, dialect);
    return (cell) => {
      if (cell === null) return nullReason;
      return typeof cell === 'string' ? 'text where bytes are expected' : check(cell);
    };
  }
  const check = textCheckOf(target, dialect, source);
  return (cell) => {
    if (cell === null) return nullReason;
    return typeof cell === 'string' ? check(cell) : 'bytes where text is expected';
  };
}

function textCheckOf(target: Column, dialect: SqlDialect, source: Column | undefined): TextCheck {
  const type = target.type;
  switch (type.kind) {
    case 'integer':
      return integerCheck(type);
    case 'decimal':
      return decimalCheck(type, dialect);
    case 'float':
      return floatCheck(type.bits, dialect, isFloatWithin(source, type.bits));
    case 'boolean':
      return patternCheck(/^(?:true|false|t|f|1|0)$/, 'not true or false');
    case 'text':
      return characterCheck(target, type, dialect, source);
    case 'bits':
      return bitsCheck(type.length, dialect);
    case 'date':
      return dateCheck(dialect);
    case 'time':
      return timeCheck(type, dialect);
    case 'timestamp':
      return timestampCheck(type, dialect);
    case 'json':
      return jsonCheck(target, dialect);
    case 'interval':
      return intervalCheck(target.nativeType);
    case 'bytes':
    case 'uuid':
    case 'other':
      return generalText(dialect);
  }
}

function patternCheck(pattern: RegExp, reason: string): TextCheck {
  return (text) => (pattern.test(text) ? undefined : reason);
}

function integerCheck(type: Extract<LogicalType, { kind: 'integer' }>): TextCheck {
  const bits = BigInt(type.bits);
  const min = type.unsigned ? 0n : -(1n << (bits - 1n));
  const max = type.unsigned ? (1n << bits) - 1n : (1n << (bits - 1n)) - 1n;
  const [lowest, highest] = [Number(min), Number(max)];
  const reason = `outside ${min} to ${max}`;
  return (text) => {
    if (!/^[+-]?\d+$/.test(text)) return 'not an integer';
    if (text.length <= 15) {
      const value = Number(text);
      return value >= lowest && value <= highest ? undefined : reason;
    }
    const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
    return value >= min && value <= max ? undefined : reason;
  };
}

function decimalCheck(
  type: Extract<LogicalType, { kind: 'decimal' }>,
  dialect: SqlDialect,
): TextCheck {
  const { precision } = type;
  const scale = type.scale ?? 0;
  return (text) => {
    const value = parseDecimal(text);
    if (value === undefined) return notFinite(text, precision !== undefined, dialect);
    if (precision === undefined) return undefined;
    if (value.digits.length - value.point > scale) {
      return `more than ${scale} digits after the point: the server would round`;
    }
    return value.digits !== '' && value.point > precision - scale
      ? `more than ${precision - scale} digits before the point`
      : undefined;
  };
}

function notFinite(text: string, bounded: boolean, dialect: SqlDialect): string | undefined {
  if (dialect === 'postgres' && text === 'NaN') return undefined;
  if (!/^[+-]?(?:nan|inf|infinity)$/i.test(text)) return 'not a number';
  if (dialect === 'postgres' && !bounded) return undefined;
  return 'NaN and Infinity have no place in this column';
}

function isFloatWithin(source: Column | undefined, bits: 32 | 64): boolean {
  return source?.type.kind === 'float' && source.type.bits <= bits && source.unchecked !== true;
}

/**
 * `isWithin`: the text is that of such a float. Systems differ in which shortest text they print, so
 * comparing it with ours would refuse floats that are exact.
 */
function floatCheck(bits: 32 | 64, dialect: SqlDialect, isWithin: boolean): TextCheck {
  return (text) => {
    if (/^[+-]?(?:nan|inf|infinity)$/i.test(text)) return notFinite(text, false, dialect);
    if (parseDecimal(text) === undefined) return 'not a number';
    if (isWithin) return undefined;
    const back = floatRoundTrip(text, bits);
    return back === 'exact' ? undefined : `not exact as a ${bits} bit floating point number`;
  };
}

function generalText(dialect: SqlDialect): TextCheck {
  return (text) => {
    if (dialect === 'postgres' && text.includes('\0')) return 'PostgreSQL text cannot hold NUL';
    return /\p{Cs}/u.test(text) ? 'half of a surrogate pair is no character' : undefined;
  };
}

function jsonCheck(target: Column, dialect: SqlDialect): TextCheck {
  const general = generalText(dialect);
  const rule = jsonRuleOf(target, dialect);
  return rule === undefined ? general : (text) => rule(text) ?? general(text);
}

function characterCheck(
  target: Column,
  type: Extract<LogicalType, { kind: 'text' }>,
  dialect: SqlDialect,
  source: Column | undefined,
): TextCheck {
  const general = generalText(dialect);
  const { length } = type;
  // MySQL's TEXT types are limited in bytes and lose trailing blanks beyond that with a warning only.
  const bytes = dialect === 'mysql' ? TEXT_BYTES[target.nativeType.toLowerCase()] : undefined;
  const fromPadded = source?.type.kind === 'text' && source.type.padded === true;
  return (text) => {
    const body = type.padded && fromPadded ? text.replace(/ +$/, '') : text;
    if (type.padded && !fromPadded && text.endsWith(' ')) {
      return 'trailing blanks are lost in a padded column';
    }
    if (length !== undefined && isLonger(body, length)) return `longer than ${length} characters`;
    if (bytes !== undefined && body.length * 4 > bytes && Buffer.byteLength(body) > bytes) {
      return `longer than ${bytes} bytes`;
    }
    return general(text);
  };
}

function isLonger(text: string, characters: number): boolean {
  if (text.length <= characters) return false;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) i++;
    if (++count > characters) return true;
  }
  return false;
}

function bytesCheck(
  target: Column,
  type: Extract<LogicalType, { kind: 'bytes' }>,
  dialect: SqlDialect,
): (bytes: Uint8Array) => string | undefined {
  const { length } = type;
  const fixed = dialect === 'mysql' && /^binary\b/i.test(target.nativeType);
  return (bytes) => {
    if (length !== undefined && bytes.length > length) return `longer than ${length} bytes`;
    return fixed && length !== undefined && bytes.length < length
      ? `shorter than ${length} bytes: the server would pad it`
      : undefined;
  };
}

function bitsCheck(length: number, dialect: SqlDialect): TextCheck {
  return (text) => {
    if (!/^[01]*$/.test(text)) return 'not a bit string';
    if (text.length > length) return `longer than ${length} bits`;
    return dialect === 'mysql' && text.length < length
      ? `shorter than ${length} bits: the server would pad it`
      : undefined;
  };
}

function dateCheck(dialect: SqlDialect): TextCheck {
  const check =
    dialect === 'postgres'
      ? patternCheck(/^(?:\d{4,7}-\d\d-\d\d(?: BC)?|-?infinity)$/, 'not a date alone')
      : patternCheck(/^\d{4}-\d\d-\d\d$/, 'not a date of the years 0000 to 9999');
  return (text) => check(text) ?? (text.endsWith(' BC') ? undefined : dayReason(text));
}

/** Of dates of our era: no server has the 30th of February, and MySQL's LOAD DATA stores 0000-00-00 for it. */
function dayReason(text: string): string | undefined {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(text) ?? [];
  if (Number(day ?? 0) <= 28 || Number(month) < 1 || Number(month) > 12) return undefined;
  return Number(day) > lastDay(Number(year), Number(month))
    ? 'a day that its month does not have'
    : undefined;
}

function timeCheck(type: Extract<LogicalType, { kind: 'time' }>, dialect: SqlDialect): TextCheck {
  const sign = dialect === 'mysql' ? '-?' : '';
  const hours = dialect === 'mysql' ? '\\d{2,3}' : '\\d\\d';
  const zone = type.zoned ? '[+-]\\d\\d(?::\\d\\d){0,2}' : '';
  const pattern = new RegExp(`^${sign}${hours}:\\d\\d:\\d\\d(?:\\.(\\d+))?${zone}$`);
  return (text) => fractionReason(pattern.exec(text), type.fraction, 'not a time of day');
}

function timestampCheck(
  type: Extract<LogicalType, { kind: 'timestamp' }>,
  dialect: SqlDialect,
): TextCheck {
  const postgres = dialect === 'postgres';
  const zone = type.zoned && postgres ? '(?:[+-]\\d\\d(?::\\d\\d){0,2})' : '';
  const year = postgres ? '\\d{4,6}' : '\\d{4}';
  const era = postgres ? '(?: BC)?' : '';
  const pattern = new RegExp(
    `^${year}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d(?:\\.(\\d+))?${zone}${era}$`,
  );
  return (text) => {
    if (postgres && /^-?infinity$/.test(text)) return undefined;
    return (
      fractionReason(pattern.exec(text), type.fraction, 'not a timestamp of this column') ??
      (text.endsWith(' BC') ? undefined : dayReason(text))
    );
  };
}

function fractionReason(
  match: RegExpExecArray | null,
  fraction: number,
  otherwise: string,
): string | undefined {
  if (match === null) return otherwise;
  const digits = (match[1] ?? '').replace(/0+$/, '').length;
  return digits > fraction
    ? `${digits} digits of a second, the column keeps ${fraction}`
    : undefined;
}

function intervalCheck(nativeType: string): TextCheck {
  const keeps = /\((\d)\)/.exec(nativeType)?.[1];
  return (text) => {
    const digits = (/\.(\d+)/.exec(text)?.[1] ?? '').replace(/0+$/, '').length;
    return digits > Number(keeps ?? 6)
      ? `${digits} digits of a second, the column keeps ${keeps ?? 6}`
      : undefined;
  };
}
