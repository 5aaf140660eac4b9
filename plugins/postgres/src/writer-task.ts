import type { Acked, Chunk, Lane, Slice, SlicesRead, WriterTask } from '@millrace/sdk';
import { PluginError } from '@millrace/sdk';
import type { SliceTransaction } from './slice-transactions.js';

export class PostgresWriterTask implements WriterTask {
  readonly lanes: readonly Lane[];
  readonly #transaction: SliceTransaction;
  readonly #afterChunk: () => Promise<void>;
  #slice: Slice | undefined;
  #rows = 0;
  #bytes = 0;

  constructor(
    lanes: readonly Lane[],
    transaction: SliceTransaction,
    afterChunk: () => Promise<void>,
  ) {
    this.lanes = lanes;
    this.#transaction = transaction;
    this.#afterChunk = afterChunk;
  }

  async begin(slice: Slice): Promise<'fresh'> {
    await this.#transaction.begin();
    this.#slice = slice;
    this.#rows = 0;
    this.#bytes = 0;
    return 'fresh';
  }

  async write(chunk: Chunk): Promise<void> {
    if (this.#slice === undefined) {
      throw new PluginError('MR-P105', 'the writer takes chunks between begin and commit');
    }
    this.#rows += await this.#transaction.load(chunk, this.#slice.no);
    this.#bytes += chunk.byteCount;
    await this.#afterChunk();
  }

  async flush(): Promise<Acked> {
    if (this.#slice !== undefined) this.#rows += await this.#transaction.flush(this.#slice.no);
    return { rows: this.#rows, bytes: this.#bytes };
  }

  async commit(read?: SlicesRead): Promise<void> {
    await this.#transaction.commit(this.#rows, read);
    this.#slice = undefined;
  }

  async rollback(): Promise<void> {
    if (this.#slice === undefined) return;
    this.#slice = undefined;
    await this.#transaction.rollback();
  }

  async close(): Promise<void> {
    await this.rollback().catch(() => undefined);
    await this.#transaction.close();
  }
}
