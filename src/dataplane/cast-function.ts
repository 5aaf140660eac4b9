import type { Cell, LogicalType } from '@millrace/sdk';
import { conversionError } from './conversion-error.js';
import { compileDateFormat, type DateParts } from './date-format.js';

export const CAST_TYPES = [
  'text',
  'integer',
  'decimal',
  'boolean',
  'date',
  'time',
  'timestamp',
] as const;

/**
 * Makes another type of a cell. `format` says how a text is read as a date, or how a date is written as
 * text: `yyyy-MM-dd HH:mm:ss.SSS`. Nothing is rounded or cut: what does not fit is refused.
 */
export interface CastFunction {
  readonly function: 'cast';
  readonly type: (typeof CAST_TYPES)[number];
  readonly format?: string | undefined;
}

interface Cast {
  readonly apply: (cell: string | Uint8Array) => Cell;
  readonly type: LogicalType;
}

function cast(type: LogicalType, change: (text: string) => string): Cast {
  return { type, apply: (cell) => (typeof cell === 'string' ? change(cell) : cell) };
}

function isTemporal({ kind }: LogicalType): boolean {
  return kind === 'date' || kind === 'time' || kind === 'timestamp';
}

/** A text says why this cannot be. */
export function castOf({ type, format }: CastFunction, from: LogicalType): Cast | string {
  switch (type) {
    case 'text':
      if (format === undefined) return cast({ kind: 'text' }, (text) => text);
      if (!isTemporal(from)) return `a format writes dates and times, and this is ${from.kind}`;
      return written(format);
    case 'integer':
      return cast({ kind: 'integer', bits: 64, unsigned: false }, integerOf);
    case 'decimal':
      return cast({ kind: 'decimal' }, decimalOf);
    case 'boolean':
      return cast({ kind: 'boolean' }, booleanOf);
    case 'date':
      return read({ kind: 'date' }, format ?? 'yyyy-MM-dd', datePart);
    case 'time':
      return read({ kind: 'time', fraction: 6 }, format ?? 'HH:mm:ss', timePart);
    case 'timestamp':
      return read(
        { kind: 'timestamp', fraction: 6, zoned: false },
        format ?? 'yyyy-MM-dd HH:mm:ss',
        (parts) => {
          return `${datePart(parts)} ${timePart(parts)}`;
        },
      );
  }
}

function integerOf(text: string): string {
  const match = /^\s*([+-]?)0*(\d+)(?:\.0*)?\s*$/.exec(text);
  if (match === null) throw conversionError('it is not a whole number');
  const [, sign, digits = ''] = match;
  return sign === '-' && digits !== '0' ? `-${digits}` : digits;
}

function decimalOf(text: string): string {
  const match = /^\s*([+-]?)(\d+(?:\.\d+)?|\.\d+)\s*$/.exec(text);
  if (match === null) throw conversionError('it is not a decimal number');
  const [, sign, digits = ''] = match;
  return `${sign === '-' ? '-' : ''}${digits.startsWith('.') ? '0' : ''}${digits}`;
}

function booleanOf(text: string): string {
  const word = text.trim().toLowerCase();
  if (['true', 't', 'yes', 'y', '1'].includes(word)) return 'true';
  if (['false', 'f', 'no', 'n', '0'].includes(word)) return 'false';
  throw conversionError('it is neither true nor false');
}

function datePart({ year, month, day }: DateParts): string {
  return `${year}-${month}-${day}`;
}

function timePart({ hour, minute, second, fraction }: DateParts): string {
  return `${hour}:${minute}:${second}${fraction === '' ? '' : `.${fraction}`}`;
}

function read(
  type: LogicalType,
  format: string,
  canonical: (parts: DateParts) => string,
): Cast | string {
  const compiled = compileDateFormat(format);
  if (typeof compiled === 'string') return compiled;
  return cast(type, (text) => {
    const parts = compiled.read(text.trim());
    if (parts === undefined) throw conversionError(`it is no ${type.kind} like ${format}`);
    return canonical(parts);
  });
}

const CANONICAL =
  /^(?:(\d{4})-(\d\d)-(\d\d))?(?:(?:^|[ T])(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?)?(?:\+00)?$/;

function written(format: string): Cast | string {
  const compiled = compileDateFormat(format);
  if (typeof compiled === 'string') return compiled;
  return cast({ kind: 'text' }, (text) => {
    const match = CANONICAL.exec(text);
    if (match === null || text === '') throw conversionError(`it cannot be written as ${format}`);
    const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = ''] = match;
    const parts = { year, month, day, hour, minute, second, fraction };
    const result = compiled.write(parts);
    if (result === undefined) throw conversionError(`it has no part that ${format} asks for`);
    return result;
  });
}
