import type { Chunk } from '@millrace/sdk';
import type { WaitClock } from './wait-clock.js';

/** Who waits for whom: a reader for a slow target, a writer for a slow source. */
export interface ChannelWaits {
  readonly reader: WaitClock;
  readonly writer: WaitClock;
}

/**
 * Between one reader and one writer: bounded in bytes, credits given back as the writer takes chunks.
 * Bounded by rows it would hold gigabytes of a table with wide rows.
 */
export class ByteChannel implements AsyncIterable<Chunk> {
  readonly #capacityBytes: number;
  readonly #waits: ChannelWaits | undefined;
  readonly #chunks: Chunk[] = [];
  #heldBytes = 0;
  #isClosed = false;
  #failure: { readonly reason: unknown } | undefined;
  #waitingForCredit: (() => void)[] = [];
  #wakeWriter: (() => void) | undefined;

  constructor(capacityBytes: number, waits?: ChannelWaits) {
    this.#capacityBytes = capacityBytes;
    this.#waits = waits;
  }

  /** Bytes that wait, those of the chunk in the writer's hands included. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Resolves once there is credit again; a chunk larger than the channel passes alone. */
  async push(chunk: Chunk): Promise<void> {
    this.#throwIfFailed();
    if (this.#isClosed) throw new Error('the channel is closed');
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.byteCount;
    this.#wakeWriter?.();
    while (this.#heldBytes >= this.#capacityBytes && this.#failure === undefined) {
      const credit = new Promise<void>((resolve) => this.#waitingForCredit.push(resolve));
      await (this.#waits?.reader.during(credit) ?? credit);
    }
    this.#throwIfFailed();
  }

  /** No more chunks: the iteration ends after those that wait. */
  close(): void {
    this.#isClosed = true;
    this.#wakeWriter?.();
  }

  /** Ends both sides with `reason`; chunks that wait are dropped. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#chunks.length = 0;
    this.#giveCredit();
    this.#wakeWriter?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk> {
    for (;;) {
      this.#throwIfFailed();
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        yield chunk;
        this.#heldBytes -= chunk.byteCount;
        this.#giveCredit();
      } else if (this.#isClosed) {
        return;
      } else {
        const more = new Promise<void>((resolve) => (this.#wakeWriter = resolve));
        await (this.#waits?.writer.during(more) ?? more);
      }
    }
  }

  #giveCredit(): void {
    const waiting = this.#waitingForCredit;
    this.#waitingForCredit = [];
    for (const resolve of waiting) resolve();
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.reason;
  }
}
