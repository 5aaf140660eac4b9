import type { Column } from '@millrace/sdk';
import { PluginError } from '@millrace/sdk';
import { quoteName } from './quoting.js';

/** Conforming strings: a backslash is a character as any other. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * The lower condition of a window and the SQL of its upper end, which never lies before `after`: rows may
 * have been deleted. Throws MR-D219 for a column that cannot be a cursor.
 */
export function windowOf(
  key: Column,
  after: string | undefined,
  overlap: number,
): { readonly from: readonly string[]; readonly upTo: string } {
  const name = quoteName(key.name);
  const { kind } = key.type;
  const isTime = kind === 'timestamp' || kind === 'date';
  if (!isTime && kind !== 'integer' && kind !== 'decimal') {
    throw new PluginError(
      'MR-D219',
      `${key.name} is ${key.nativeType}: a cursor is a number or a time`,
    );
  }
  if (after === undefined) return { from: [], upTo: `max(${name})::text` };
  const low = `${literal(after)}::${key.nativeType}`;
  const back = isTime ? `interval '${overlap} seconds'` : String(overlap);
  return {
    from: [`${name} > ${overlap === 0 ? low : `(${low} - ${back})`}`],
    upTo: `greatest(max(${name}), ${low})::text`,
  };
}
