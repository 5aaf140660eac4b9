import type { Chunk } from '@millrace/sdk';
import type { LoadTarget, SentChunk } from './row-loader.js';
import { loadChunk, sendChunk } from './row-loader.js';

/**
 * Loads chunks one after the other into an open transaction, and sends each before the one before it is
 * answered: the server waited a fourth of the time for the next.
 */
export class ChunkLoads {
  #sent: SentChunk | undefined;

  /** Resolves to the rows that were written since the last answer, of chunks before this one or of all. */
  async load(into: LoadTarget, chunk: Chunk): Promise<number> {
    // Behind rows that may have been refused nothing goes before they are sent again: rows keep their order.
    let rows = this.#sent?.copy.isAnswered === true ? await this.flush() : 0;
    const before = this.#sent;
    this.#sent = sendChunk(into, chunk, before?.copy);
    if (before !== undefined) {
      const taken = await before.copy.taken;
      if (typeof taken === 'number') rows += await before.kept(taken);
      else {
        // It went down with those before it.
        await this.#sent?.copy.taken.catch(() => undefined);
        rows += await before.again();
        this.#sent = sendChunk(into, chunk);
      }
    }
    return this.#sent === undefined ? rows + (await loadChunk(into, chunk)) : rows;
  }

  /** Waits for the last chunk's answer. Resolves to the rows that were written since the one before. */
  async flush(): Promise<number> {
    const sent = this.#sent;
    this.#sent = undefined;
    if (sent === undefined) return 0;
    const taken = await sent.copy.taken;
    return typeof taken === 'number' ? sent.kept(taken) : sent.again();
  }

  /** The transaction is rolled back: nobody wants to know of the last chunk. */
  drop(): void {
    this.#sent = undefined;
  }
}
