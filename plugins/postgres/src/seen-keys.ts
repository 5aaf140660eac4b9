import type { ChunkRows } from './chunk-rows.js';

/** Places of the columns of a unique key in a row, ascending. */
export type KeyPlaces = readonly number[];

/**
 * The rows whose key a row before them has, as far as their bytes tell, ascending: the server alone knows which
 * values are equal, and which keys the table has. Hashes are compared: a row may be among them for nothing.
 */
export function seenKeys(rows: ChunkRows, keys: readonly KeyPlaces[]): readonly number[] {
  const found = new Set<number>();
  for (const places of keys) {
    const seen = new HashSet(rows.count);
    for (let i = 0; i < rows.count; i++) {
      const hash = rows.hashOf(i, places);
      if (hash !== undefined && !seen.add(hash)) found.add(i);
    }
  }
  return [...found].toSorted((a, b) => a - b);
}

/** Of 32-bit numbers that are not 0: by open addressing, as a `Set` of texts took three times as long. */
class HashSet {
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** For so many at most. */
  constructor(size: number) {
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * size + 1)));
    this.#mask = this.#slots.length - 1;
  }

  /** `false`: it was there. */
  add(hash: number): boolean {
    const slots = this.#slots;
    let at = (hash ^ (hash >>> 16)) & this.#mask;
    while (slots[at] !== 0) {
      if (slots[at] === hash) return false;
      at = (at + 1) & this.#mask;
    }
    slots[at] = hash;
    return true;
  }
}
