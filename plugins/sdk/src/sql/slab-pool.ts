/**
 * Buffers for the chunks of one job, filled again once the rows of a chunk are stored. Left to the garbage
 * collection, tens of megabytes of them waited for it, and what came next did not fit into the holes they left;
 * and each page of a new one costs the kernel more than its rows cost the reader.
 */
export class SlabPool {
  #bytes = 0;
  #free: Buffer[] = [];

  /** Of any content. */
  take(bytes: number): Buffer {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#free = [];
    }
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(bytes);
  }

  /**
   * The first `used` bytes of a slab. Many of them keep it, and it is out until `release`. Few would hold all of it
   * in memory: of these there is a copy without `release`, and the slab is still the caller's.
   */
  cut(slab: Buffer, used: number): { readonly data: Buffer; readonly release?: () => void } {
    const data = slab.subarray(0, used);
    if (used * 2 < slab.length) return { data: Buffer.from(data) };
    return { data, release: () => this.giveBack(slab) };
  }

  /**
   * Its memory goes to the next one. The slab itself and all parts of it are empty from now on: who still had one
   * by mistake misses rows, which are counted, and never sends those of another chunk. Slabs of another size than
   * was asked for last are left as they are, and so is one that came back before.
   */
  giveBack(slab: Buffer): void {
    if (slab.length !== this.#bytes) return;
    const memory = slab.buffer as ArrayBuffer;
    this.#free.push(Buffer.from(structuredClone(memory, { transfer: [memory] })));
  }
}
