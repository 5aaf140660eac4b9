import type { MergeMode, Versions } from '@millrace/sdk';

import { KeyMerge } from './key-merge.js';
import { quoteName, quoteTable } from './literal.js';
import type { Merge } from './merge.js';
import { columnNamed } from './reader-source.js';
import { RowReplacement } from './row-replacement.js';
import { VersionMerge } from './version-merge.js';
import type { WriterTarget } from './writer-target.js';

export interface MergedRows {
  /** Quoted. */
  readonly staging: string;
  /** Names of the target. */
  readonly columns: readonly string[];
  readonly keys: readonly (readonly string[])[];
  readonly versions: Versions | undefined;
}

export function mergeOf(
  mode: MergeMode,
  { name, schema }: WriterTarget,
  { staging, columns, keys, versions }: MergedRows,
): Merge {
  const tables = {
    target: quoteTable(name.database, name.table),
    staging,
    columns: columns.map(quoteName),
    keys: keys.map((key) => key.map(quoteName)),
  };
  if (mode === 'insert-replace-row') return new RowReplacement(tables);
  if (mode !== 'scd2') return new KeyMerge(mode, tables);
  if (versions === undefined) throw new Error('scd2 without the columns of its versions');
  const told = columns.filter((column) => keys[0]?.includes(column) !== true);
  return new VersionMerge(
    tables,
    versions,
    told.map((column) => ({ name: quoteName(column), column: columnNamed(schema, column) })),
  );
}
