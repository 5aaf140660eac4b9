import type { ChunkRows } from './chunk-rows.js';

/** Places of the columns of a unique key in a row, ascending. */
export type KeyPlaces = readonly number[];

/**
 * Finds rows whose key a row before them has, as far as their bytes tell: the server alone knows which values
 * are equal, and which keys the table has.
 */
export class SeenKeys {
  readonly #keys: readonly { readonly places: KeyPlaces; readonly seen: Set<string> }[];

  constructor(keys: readonly KeyPlaces[]) {
    this.#keys = keys.map((places) => ({ places, seen: new Set() }));
  }

  /** Numbers of the rows with such a key, ascending. */
  again(rows: ChunkRows): readonly number[] {
    const found: number[] = [];
    for (let i = 0; i < rows.count; i++) {
      let isKnown = false;
      for (const { places, seen } of this.#keys) {
        const key = rows.keyOf(i, places);
        if (key === undefined) continue;
        if (seen.has(key)) isKnown = true;
        else seen.add(key);
      }
      if (isKnown) found.push(i);
    }
    return found;
  }
}
