import { quoteName } from './quoting.js';

/** Numbers the staged rows in their order, from 1. Of a row that another one of the run supersedes it is negative. */
export const ROW_NUMBER = quoteName('millrace_no');

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
    this.#isLater = `abs(o.${ROW_NUMBER}) ${firstCounts ? '<' : '>'} abs(s.${ROW_NUMBER})`;
  }

  /** One for each key: an OR of them would compare every two rows. */
  setAside(): readonly string[] {
    return this.#keys.map(
      (key) => `UPDATE ${this.#staging} AS s SET ${ROW_NUMBER} = -s.${ROW_NUMBER}
        WHERE s.${ROW_NUMBER} > 0 AND ${this.#isSuperseded(key)}`,
    );
  }

  /** The numbers of those that no row supersedes any more, in the order in which they are to be tried. */
  released(): string {
    const isFree = this.#keys.map((key) => `NOT ${this.#isSuperseded(key)}`).join(' AND ');
    return `SELECT abs(s.${ROW_NUMBER})::text FROM ${this.#staging} AS s
      WHERE s.${ROW_NUMBER} < 0 AND ${isFree} ORDER BY abs(s.${ROW_NUMBER})`;
  }

  #isSuperseded(key: readonly string[]): string {
    const isSame = key.map((k) => `o.${k} = s.${k}`).join(' AND ');
    return `EXISTS (SELECT 1 FROM ${this.#staging} AS o WHERE ${isSame} AND ${this.#isLater})`;
  }
}
