import { PluginError } from '../error.js';
import type { Finding } from '../reader.js';
import type { TableSchema } from '../table.js';
import type { WriteMode } from '../writer.js';

/** The modes that compare each row with those of the target by a unique key. */
export const MERGE_MODES = ['upsert', 'ignore', 'update', 'delete-insert'] as const;
export type MergeMode = (typeof MERGE_MODES)[number];

export function isMergeMode(mode: WriteMode): mode is MergeMode {
  return (MERGE_MODES as readonly WriteMode[]).includes(mode);
}

/**
 * The columns by which rows are compared; all names in the server's spelling. `keys`: the unique keys by
 * which a row can be found, `wanted`: `undefined` for the primary key, or the only one there is. Throws
 * MR-D190 when the table has no such key.
 */
export function chooseMergeKey(
  schema: TableSchema,
  keys: readonly (readonly string[])[],
  wanted: readonly string[] | undefined,
): readonly string[] {
  const names = wanted ?? schema.primaryKey;
  if (names.length > 0 && keys.some((key) => isSameSet(key, names))) return names;
  const [only, ...others] = keys;
  if (wanted === undefined && only !== undefined && others.length === 0) return only;
  const has = keys.map((key) => `(${key.join(', ')})`).join(' and ');
  const text =
    wanted === undefined ? 'has no primary key' : `has no unique key (${names.join(', ')})`;
  throw new PluginError(
    'MR-D190',
    `"${schema.table}" ${text}; its unique keys: ${has === '' ? 'none' : has}`,
  );
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

/** What stands in the way of comparing by the key that `choose` gives, of the columns `mapped`. */
export async function mergeKeyFindings(
  choose: () => Promise<readonly string[]>,
  mapped: readonly string[],
): Promise<readonly Finding[]> {
  try {
    const key = await choose();
    // Every row would be compared with the column's default.
    const missing = key.filter((name) => !mapped.includes(name));
    return missing.map((column) => ({
      level: 'error',
      code: 'MR-D190',
      message: `nothing is mapped to "${column}", a column of the key`,
      column,
    }));
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    return [{ level: 'error', code: error.code, message: error.detail }];
  }
}
