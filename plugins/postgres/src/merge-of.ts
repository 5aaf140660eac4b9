import type { MergeMode, MergeTables, Versions } from '@millrace/sdk';
import { KeyMerge } from './key-merge.js';
import type { Merge } from './merge.js';
import { quoteName } from './quoting.js';
import { RowReplacement } from './row-replacement.js';
import { VersionMerge } from './version-merge.js';

/** `tables` are quoted, its columns and keys are not. */
export function mergeOf(
  mode: MergeMode,
  { columns, keys, ...tables }: MergeTables,
  versions: Versions | undefined,
): Merge {
  const quoted: MergeTables = {
    ...tables,
    columns: columns.map(quoteName),
    keys: keys.map((key) => key.map(quoteName)),
  };
  if (mode === 'insert-replace-row') return new RowReplacement(quoted);
  if (mode !== 'scd2') return new KeyMerge(mode, quoted);
  if (versions === undefined) throw new Error('scd2 without the columns of its versions');
  return new VersionMerge(quoted, versions);
}
