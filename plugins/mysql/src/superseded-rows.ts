import { quoteName } from './literal.js';

/** Numbers the staged rows in their order, from 1. Of a row that another one of the run supersedes it is negative. */
export const ROW_NUMBER_COLUMN = 'millrace_row_no';

const NUMBER = quoteName(ROW_NUMBER_COLUMN);

/**
 * The staged rows whose key a later row has, or an earlier one where the first is to stay: a statement may not
 * change a row of the target twice. They are only set aside, because the row that supersedes them may be refused.
 */
export class SupersededRows {
  readonly #staging: string;
  readonly #keys: readonly (readonly string[])[];
  readonly #isLater: string;

  /** Names are quoted. */
  constructor(
    staging: string,
    keys: readonly (readonly string[])[],
    { firstCounts }: { readonly firstCounts: boolean },
  ) {
    this.#staging = staging;
    this.#keys = keys;
    this.#isLater = `ABS(o.${NUMBER}) ${firstCounts ? '<' : '>'} ABS(s.${NUMBER})`;
  }

  /** One for each key: an OR of them would compare every two rows. */
  setAside(): readonly string[] {
    return this.#keys.map(
      (
        key,
      ) => `UPDATE ${this.#staging} AS s JOIN ${this.#staging} AS o ON ${sameKey(key)} AND ${this.#isLater}
        SET s.${NUMBER} = -s.${NUMBER} WHERE s.${NUMBER} > 0`,
    );
  }

  /** The numbers of those that no row supersedes any more, in the order in which they are to be tried. */
  released(): string {
    const isFree = this.#keys.map(
      (key) =>
        `NOT EXISTS (SELECT 1 FROM ${this.#staging} AS o WHERE ${sameKey(key)} AND ${this.#isLater})`,
    );
    return `SELECT -s.${NUMBER} FROM ${this.#staging} AS s
      WHERE s.${NUMBER} < 0 AND ${isFree.join(' AND ')} ORDER BY 1`;
  }
}

/** The staged rows `s` whose numbers, taken as positive, are of the range. */
export function inRange(low: number, high: number): string {
  return `(s.${NUMBER} BETWEEN ${low} AND ${high} OR s.${NUMBER} BETWEEN ${-high} AND ${-low})`;
}

export function notAside(range: string): string {
  return `${range} AND s.${NUMBER} > 0`;
}

function sameKey(key: readonly string[]): string {
  return key.map((k) => `o.${k} = s.${k}`).join(' AND ');
}
