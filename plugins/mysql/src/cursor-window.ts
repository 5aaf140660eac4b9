import type { Column } from '@millrace/sdk';
import { PluginError } from '@millrace/sdk';
import { quoteName, textLiteral } from './literal.js';

/** Numbers stand as digits: as text they would be compared as doubles. */
function literalOf(key: Column, text: string): string {
  const { kind } = key.type;
  if (kind === 'timestamp') return `CAST(${textLiteral(text)} AS DATETIME(6))`;
  if (kind === 'date') return `CAST(${textLiteral(text)} AS DATE)`;
  if (/^-?\d+(\.\d+)?$/.test(text)) return text;
  throw new PluginError('MR-D219', `"${text}" is not a number as the cursor ${key.name} is`);
}

/**
 * The lower condition of a window and the SQL of its upper end, which never lies before `after`: rows may
 * have been deleted. Throws MR-D219 for a column that cannot be a cursor.
 */
export function windowOf(
  key: Column,
  after: string | undefined,
  overlap: number,
): {
  readonly from: readonly string[];
  readonly upTo: string;
  readonly literal: (text: string) => string;
} {
  const name = quoteName(key.name);
  const { kind } = key.type;
  const isTime = kind === 'timestamp' || kind === 'date';
  if (!isTime && kind !== 'integer' && kind !== 'decimal') {
    throw new PluginError(
      'MR-D219',
      `${key.name} is ${key.nativeType}: a cursor is a number or a time`,
    );
  }
  const literal = (text: string): string => literalOf(key, text.replace(/\+00$/, ''));
  if (after === undefined) return { from: [], upTo: `MAX(${name})`, literal };
  const low = literal(after);
  const back = isTime ? `INTERVAL ${overlap} SECOND` : String(overlap);
  return {
    from: [`${name} > ${overlap === 0 ? low : `(${low} - ${back})`}`],
    upTo: `COALESCE(GREATEST(MAX(${name}), ${low}), ${low})`,
    literal,
  };
}
