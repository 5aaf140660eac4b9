import { uniqueKeys } from './unique-keys.js';
import type { KeyPlaces } from './seen-keys.js';
import { SuspectQuery } from './suspect-query.js';
import type { SuspectTarget } from './suspect-rules.js';

/** So many clean chunks behind a refused row are looked at as if they had some: a refused chunk is sent twice. */
const WARY_CHUNKS = 16;

/** What the chunks before have shown: the next one is loaded as would have been best for them. */
export class LoadHistory {
  #cleanChunks = Infinity;
  #keys: readonly KeyPlaces[] | undefined;
  #suspects: SuspectQuery | undefined;

  /** One of the last chunks had refused rows. */
  get isDirty(): boolean {
    return this.#cleanChunks < WARY_CHUNKS;
  }

  chunkDone(hadRefused: boolean): void {
    this.#cleanChunks = hadRefused ? 0 : this.#cleanChunks + 1;
  }

  /** The unique keys of the table that rows have; `undefined` as long as nobody has asked the server. */
  get knownKeys(): readonly KeyPlaces[] | undefined {
    return this.#keys;
  }

  async keys({ client, quotedTable, columns }: SuspectTarget): Promise<readonly KeyPlaces[]> {
    this.#keys ??= (await uniqueKeys(client, quotedTable))
      .map((key) =>
        key.map((name) => columns.findIndex((c) => c.name === name)).toSorted((a, b) => a - b),
      )
      .filter((places) => !places.includes(-1));
    return this.#keys;
  }

  /** `undefined`: nothing that only the server can suspect has been found lately. */
  get usefulQuery(): SuspectQuery | undefined {
    return this.#suspects?.isUseful === true ? this.#suspects : undefined;
  }

  async suspectQuery(target: SuspectTarget): Promise<SuspectQuery> {
    this.#suspects ??= await SuspectQuery.of(target, await this.keys(target));
    return this.#suspects;
  }
}
