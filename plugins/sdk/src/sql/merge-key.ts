import { PluginError } from '../error.js';
import type { Finding } from '../reader.js';
import type { TableSchema } from '../table.js';
import type { WriteMode } from '../writer.js';

/** The modes that compare each row with those of the target by a key. */
export const MERGE_MODES = [
  'upsert',
  'ignore',
  'update',
  'delete-insert',
  'scd2',
  'insert-replace-row',
] as const;
export type MergeMode = (typeof MERGE_MODES)[number];

/** Of the others, one compares by all unique keys and the rest by none. */
export function takesKey(mode: WriteMode): boolean {
  return isMergeMode(mode) && mode !== 'insert-replace-row';
}

/** Names are the server's. */
export interface MergeKeys {
  /** Two rows with the same values in all columns of one of them are the same row. */
  readonly keys: readonly (readonly string[])[];
  /** Without a value there, no row can be found. */
  readonly required: readonly string[];
}

export function isMergeMode(mode: WriteMode): mode is MergeMode {
  return (MERGE_MODES as readonly WriteMode[]).includes(mode);
}

/**
 * The keys by which rows are compared in that mode. `keys`: the unique keys by which a row can be found,
 * `written`: the columns that the run writes. Throws MR-D190 when the table has no key as the mode needs one.
 */
export function chooseMergeKeys(
  mode: MergeMode,
  schema: TableSchema,
  keys: readonly (readonly string[])[],
  {
    wanted,
    written,
  }: { readonly wanted: readonly string[] | undefined; readonly written: readonly string[] },
): MergeKeys {
  if (mode === 'insert-replace-row') {
    const known = keys.filter((key) => key.every((name) => written.includes(name)));
    if (known.length > 0) return { keys: known, required: [] };
    throw new PluginError(
      'MR-D190',
      `"${schema.table}" has no unique key whose columns are all mapped; its unique keys: ${listOf(keys)}`,
    );
  }
  // Of a key that a history is kept by, the table has several versions.
  const key =
    mode === 'scd2' && wanted !== undefined ? wanted : chooseMergeKey(schema, keys, wanted);
  return { keys: [key], required: key };
}

/**
 * The columns by which rows are compared; all names in the server's spelling. `keys`: the unique keys by
 * which a row can be found, `wanted`: `undefined` for the primary key, or the only one there is. Throws
 * MR-D190 when the table has no such key.
 */
function chooseMergeKey(
  schema: TableSchema,
  keys: readonly (readonly string[])[],
  wanted: readonly string[] | undefined,
): readonly string[] {
  const names = wanted ?? schema.primaryKey;
  if (names.length > 0 && keys.some((key) => isSameSet(key, names))) return names;
  const [only, ...others] = keys;
  if (wanted === undefined && only !== undefined && others.length === 0) return only;
  const text =
    wanted === undefined ? 'has no primary key' : `has no unique key (${names.join(', ')})`;
  throw new PluginError('MR-D190', `"${schema.table}" ${text}; its unique keys: ${listOf(keys)}`);
}

function listOf(keys: readonly (readonly string[])[]): string {
  return keys.length === 0 ? 'none' : keys.map((key) => `(${key.join(', ')})`).join(' and ');
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

/** What stands in the way of comparing by the keys that `choose` gives, of the columns `mapped`. */
export async function mergeKeyFindings(
  choose: () => Promise<MergeKeys>,
  mapped: readonly string[],
): Promise<readonly Finding[]> {
  try {
    const { keys } = await choose();
    // Every row would be compared with the column's default.
    const missing = keys.flat().filter((name) => !mapped.includes(name));
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
