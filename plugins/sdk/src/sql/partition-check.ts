import type { Column } from '../table.js';
import { encodeCopyCell } from './copy-text.js';
import { parseDecimal } from './decimal-text.js';
import type { FieldCheck } from './field-check.js';
import type { CellCheck } from './value-check.js';

const OUTSIDE = 'outside the partition that this run replaces';

/**
 * The row rules of a column of the partition that a run replaces: `check`, and only cells that equal `value`
 * as the type compares them. A row of another partition would not be deleted by the next run, and so be there
 * twice. Where a server is more lenient (letter case, blanks at the end) its rows are refused all the same.
 */
export function withinPartition(check: CellCheck, target: Column, value: string): CellCheck {
  const wanted = comparableText(value, target);
  return (cell) => {
    const reason = check(cell);
    if (reason !== undefined) return reason;
    return typeof cell === 'string' && comparableText(cell, target) === wanted
      ? undefined
      : OUTSIDE;
  };
}

/** The field is plainly the partition's value, which `check`, the rules with the partition, let pass. */
export function partitionField(check: CellCheck, target: Column, value: string): FieldCheck {
  const text = comparableText(value, target);
  const wanted = Buffer.from(encodeCopyCell(text));
  const isGood = check(text) === undefined;
  return (bytes, from, to) =>
    isGood && to - from === wanted.length && wanted.equals(bytes.subarray(from, to));
}

/** One text for all texts of a value that the server takes for equal; text of no such value stays as it is. */
export function comparableText(text: string, { type }: Pick<Column, 'type'>): string {
  switch (type.kind) {
    case 'integer':
      return /^[+-]?\d+$/.test(text) ? String(BigInt(text.replace(/^\+/, ''))) : text;
    case 'decimal':
    case 'float':
      return decimalText(text);
    case 'boolean':
      return /^(?:true|t|1)$/.test(text) ? 'true' : /^(?:false|f|0)$/.test(text) ? 'false' : text;
    case 'text':
      return type.padded === true ? text.replace(/ +$/, '') : text;
    case 'date':
      return dashed(text);
    case 'timestamp':
      return timestampText(dashed(text));
    case 'uuid':
      return text.toLowerCase();
    case 'bits':
    case 'bytes':
    case 'interval':
    case 'json':
    case 'other':
    case 'time':
      return text;
  }
}

function decimalText(text: string): string {
  const value = parseDecimal(text);
  if (value === undefined) return text;
  if (value.digits === '') return '0';
  return `${value.negative ? '-' : ''}0.${value.digits}e${value.point}`;
}

/** `20261120`, as `${bizdate}` is, means the same to both systems. */
function dashed(text: string): string {
  return text.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
}

function timestampText(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${text} 00:00:00`;
  return text
    .replace(/\+00$/, '')
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}
