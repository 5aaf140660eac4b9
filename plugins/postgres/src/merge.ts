import type { MergeMode, MergeTables, RefusedRows } from '@millrace/sdk';
import { ROW_NUMBER } from './superseded-rows.js';

export interface MergeStatement {
  readonly sql: string;
  /** What it changes are the rows that are published. */
  readonly publishes: boolean;
}

/** How staged rows are brought into the target by comparing them with those it has. */
export interface Merge {
  readonly mode: MergeMode;
  /** Quoted; two rows with the same values in all columns of one of them are the same row. */
  readonly keys: readonly (readonly string[])[];
  /** Two runs take turns, because no key of the target tells one of them of the other's rows. */
  readonly takesTurns: boolean;
  readonly refused?: RefusedRows;
  /** For the rows whose numbers, taken as positive, meet `range`, on the staged row `s`. */
  statements(range: string): readonly MergeStatement[];
  /** Once all rows are in the target; `isWhole`: no row of the run was dirty. */
  ending?(isWhole: boolean): readonly MergeStatement[];
}

export function notAside(range: string): string {
  return `${range} AND s.${ROW_NUMBER} > 0`;
}

/** In the order of the key, so that two merges into a table wait for each other and do not deadlock. */
export function insertOf(
  { target, staging, columns, keys: [key = []] }: MergeTables,
  range: string,
): string {
  const list = columns.join(', ');
  return `INSERT INTO ${target} (${list})
    SELECT ${list} FROM ${staging} AS s WHERE ${notAside(range)} ORDER BY ${key.join(', ')}`;
}
