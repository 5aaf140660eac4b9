import type { MergeMode, MergeTables, RefusedRows } from '@millrace/sdk';

import { notAside } from './superseded-rows.js';

/**
 * How staged rows are brought into the target by comparing them with those it has. Never by INSERT … ON
 * DUPLICATE KEY UPDATE, which also changes the row that another unique key finds.
 */
export interface Merge {
  readonly mode: MergeMode;
  /** Quoted; two rows with the same values in all columns of one of them are the same row. */
  readonly keys: readonly (readonly string[])[];
  /** Two runs take turns, because no key of the target tells one of them of the other's rows. */
  readonly takesTurns: boolean;
  readonly refused?: RefusedRows;
  /** How many rows the statements of the same `range` publish, asked before they run. */
  count(range: string): string;
  /** For the rows whose numbers, taken as positive, are of `range`, on the staged row `s`. */
  statements(range: string): readonly string[];
  /** Once all rows are in the target; `isWhole`: no row of the run was dirty. */
  ending?(isWhole: boolean): readonly string[];
}

/** In the order of the key, so that two merges into a table wait for each other and do not deadlock. */
export function insertOf(
  { target, staging, columns, keys: [key = []] }: MergeTables,
  range: string,
): string {
  const chosen = columns.map((c) => `s.${c}`).join(', ');
  return `INSERT INTO ${target} (${columns.join(', ')}) SELECT ${chosen} FROM ${staging} AS s
    WHERE ${notAside(range)} ORDER BY ${key.map((k) => `s.${k}`).join(', ')}`;
}

export function countOf(staging: string, condition: string): string {
  return `SELECT COUNT(*) FROM ${staging} AS s WHERE ${condition}`;
}
