import type { Chunk } from '@millrace/sdk';

/**
 * Between one reader and one writer: bounded in bytes, credits given back as the writer takes chunks.
 * Bounded by rows it would hold gigabytes of a table with wide rows.
 */
export class ByteChannel implements AsyncIterable<Chunk> {
  readonly #capacityBytes: number;
  readonly #chunks: Chunk[] = [];
  #heldBytes = 0;
  #isClosed = false;
  #failure: { readonly reason: unknown } | undefined;
  #waitingForCredit: (() => void)[] = [];
  #wakeWriter: (() => void) | undefined;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
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
      await new Promise<void>((resolve) => this.#waitingForCredit.push(resolve));
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
        await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
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
