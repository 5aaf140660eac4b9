import type { Cell } from '../chunk.js';
import type { Column } from '../table.js';
import type { SqlDialect } from './statements.js';

/**
 * Turns the canonical text of the source's type into the form the target's type takes, where the two are
 * written differently and mean the same: `true` for a number, a zoned instant for a column without a zone
 * (its UTC digits), an interval of hours for a time. Values that do not fit come back unchanged, for the check to refuse. `undefined`: the
 * cells go as they are.
 */
export function compileConversion(
  source: Column,
  target: Column,
  dialect: SqlDialect,
): ((cell: Cell) => Cell) | undefined {
  const change = textChange(source, target, dialect);
  if (change !== undefined) return (cell) => (typeof cell === 'string' ? change(cell) : cell);
  if (target.type.kind === 'bytes' && source.type.kind !== 'bytes') {
    return (cell) => (typeof cell === 'string' ? Buffer.from(cell, 'utf8') : cell);
  }
  return undefined;
}

function textChange(
  source: Column,
  target: Column,
  dialect: SqlDialect,
): ((text: string) => string) | undefined {
  const [from, to] = [source.type, target.type];
  const numeric = to.kind === 'integer' || to.kind === 'decimal' || to.kind === 'float';
  if (from.kind === 'boolean' && (numeric || to.kind === 'bits')) {
    return (t) => (t === 'true' ? '1' : t === 'false' ? '0' : t);
  }
  if (to.kind === 'integer' && (from.kind === 'decimal' || from.kind === 'float')) {
    return (t) => t.replace(/\.0*$/, '');
  }
  if (to.kind === 'date' && from.kind === 'timestamp') {
    return (t) => t.replace(/ 00:00:00(?:\.0+)?(?:\+00)?(?= BC$|$)/, '');
  }
  if (from.kind === 'interval' && to.kind === 'time') return timeOfInterval;
  if (to.kind !== 'timestamp') return undefined;
  const keepsZone = to.zoned && dialect === 'postgres';
  if (from.kind === 'date') {
    return (t) =>
      t.replace(/^(\d{4,7}-\d\d-\d\d)( BC)?$/, `$1 00:00:00${keepsZone ? '+00' : ''}$2`);
  }
  if (from.kind !== 'timestamp') return undefined;
  if (from.zoned && !keepsZone) return (t) => t.replace(/\+00(?= BC$|$)/, '');
  if (!from.zoned && keepsZone) return (t) => t.replace(/(\d)(?= BC$|$)/, '$1+00');
  return undefined;
}

const TIME_PARTS = /^PT(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(\.\d+)?S)?$/;

/** `PT-838H-59M-59.5S` as `-838:59:59.5`. An interval with days or months in it has no such form. */
function timeOfInterval(text: string): string {
  const m = TIME_PARTS.exec(text);
  if (m === null || text === 'PT') return text;
  const [, hours = '0', minutes = '0', sign = '', seconds = '0', fraction = ''] = m;
  const parts = [hours, minutes, `${sign}${seconds}`].filter((part) => !/^0+$/.test(part));
  const negative = parts.filter((part) => part.startsWith('-')).length;
  if (negative > 0 && negative < parts.length) return text;
  const digits = (part: string): string => part.replace('-', '').padStart(2, '0');
  const time = `${digits(hours)}:${digits(minutes)}:${digits(seconds)}${fraction}`;
  return negative > 0 ? `-${time}` : time;
}
