/** Staged rows are called `s`, those of the target `t`. Names are quoted. */
export interface MergeTables {
  readonly target: string;
  readonly staging: string;
  readonly columns: readonly string[];
  /** Two rows with the same values in all columns of one of them are the same row. */
  readonly keys: readonly (readonly string[])[];
}

/** Staged rows that the target must not take, and why. */
export interface RefusedRows {
  /** Gives their numbers. */
  readonly sql: string;
  readonly code: string;
  readonly reason: string;
}

export function sameKey(key: readonly string[]): string {
  return key.map((k) => `t.${k} = s.${k}`).join(' AND ');
}
