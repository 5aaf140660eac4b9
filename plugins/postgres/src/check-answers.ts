import type { ChunkRows } from './chunk-rows.js';

/** Of a rule whose values differ from row to row nothing is remembered: it would be asked all the same. */
const MOST_VALUES = 1000;
/** Never the hash of a value. */
const NULL = 0;

/**
 * What the server has said of the values that a CHECK looks at. It depends on nothing else, and columns of states,
 * kinds and rates have few values. Values are told apart by their hashes: an answer may be wrong.
 */
export class CheckAnswers {
  readonly #places: readonly number[];
  /** Hash of the values: do they break the rule? */
  #answers = new Map<number, boolean>();
  #isOff = false;

  constructor(places: readonly number[]) {
    this.#places = places;
  }

  /** The rows that break it, ascending; `undefined` where the server has to be asked of one. */
  broken(rows: ChunkRows): readonly number[] | undefined {
    if (this.#isOff || this.#answers.size === 0) return undefined;
    const broken: number[] = [];
    for (let no = 0; no < rows.count; no++) {
      const isBroken = this.#answers.get(this.#hashOf(rows, no));
      if (isBroken === undefined) return undefined;
      if (isBroken) broken.push(no);
    }
    return broken;
  }

  /** `isBroken`: `undefined` where the server has said nothing of a row. */
  learn(rows: ChunkRows, isBroken: (no: number) => boolean | undefined): void {
    for (let no = 0; no < rows.count && !this.#isOff; no++) {
      const answer = isBroken(no);
      if (answer !== undefined) this.#answers.set(this.#hashOf(rows, no), answer);
      this.#isOff = this.#answers.size > MOST_VALUES;
    }
    if (this.#isOff) this.#answers.clear();
  }

  #hashOf(rows: ChunkRows, no: number): number {
    return rows.hashOf(no, this.#places) ?? NULL;
  }
}
