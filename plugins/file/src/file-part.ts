import { open, rm, truncate } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Acked, Chunk, DirtyRecord, Lane, Slice, WriterTask } from '@millrace/sdk';
import type { EncodedRows } from './row-encoder.js';

/** Rows of one slice, or of all slices of a writer, in a file beside the target. */
export interface Part {
  readonly file: string;
  readonly rows: number;
  /** It begins as the target will. */
  readonly hasHead: boolean;
}

export interface PartOptions {
  readonly lanes: readonly Lane[];
  readonly fileOf: (sliceNo: number) => string;
  /** One file takes all slices: it will be a part of the target. */
  readonly isOne: boolean;
  /** What the target begins with. */
  readonly head: () => Promise<Buffer>;
  readonly encode: (chunk: Chunk) => EncodedRows;
  readonly compress: (bytes: Buffer) => Promise<Buffer>;
  readonly quarantine: (record: DirtyRecord) => Promise<void>;
  readonly onCommit: (sliceNo: number, part: Part) => void;
  readonly onChunk: () => Promise<void>;
}

/**
 * Writes slices, each to a part of its own, and that of the first has the head, so that one part alone is the
 * target; or all of them to one part.
 */
export class PartWriter implements WriterTask {
  readonly lanes: readonly Lane[];
  readonly #options: PartOptions;
  #handle: FileHandle | undefined;
  /** The last chunk is in the file. */
  #written: Promise<void> = Promise.resolve();
  #sliceNo = 0;
  #rows = 0;
  #bytes = 0;
  /** Where the slice begins in its file; absent: there is none yet. */
  #start: number | undefined;
  #committed = 0;

  constructor(options: PartOptions) {
    this.lanes = options.lanes;
    this.#options = options;
  }

  get #file(): string {
    return this.#options.fileOf(this.#sliceNo);
  }

  get #hasHead(): boolean {
    return this.#options.isOne || this.#sliceNo === 0;
  }

  async begin(slice: Slice): Promise<'fresh'> {
    await this.close();
    this.#sliceNo = slice.no;
    this.#rows = 0;
    this.#bytes = 0;
    const { isOne, head } = this.#options;
    this.#handle = await open(this.#file, isOne ? 'a' : 'w');
    const isNew = (await this.#handle.stat()).size === 0;
    if (this.#hasHead && isNew) await this.#handle.appendFile(await head());
    this.#start = (await this.#handle.stat()).size;
    return 'fresh';
  }

  /** While the bytes of a chunk are on their way to the disk the next ones are made. */
  async write(chunk: Chunk): Promise<void> {
    const encoded = this.#options.encode(chunk);
    if (chunk.lane !== 'rows') chunk.release?.();
    const sliceNo = this.#sliceNo;
    for (const record of encoded.refused) await this.#options.quarantine({ ...record, sliceNo });
    this.#rows += chunk.rowCount - encoded.refused.length;
    await this.#written;
    this.#written = this.#put(encoded);
    // It is waited for later.
    this.#written.catch(() => undefined);
  }

  async #put({ bytes, release }: EncodedRows): Promise<void> {
    const { compress, onChunk } = this.#options;
    const packed = await compress(bytes);
    // `write` may take a part of them and say so.
    await this.#handle?.appendFile(packed);
    this.#bytes += packed.length;
    release?.();
    await onChunk();
  }

  async flush(): Promise<Acked> {
    await this.#written;
    await this.close();
    return { rows: this.#rows, bytes: this.#bytes };
  }

  commit(): Promise<void> {
    this.#committed += this.#rows;
    const rows = this.#options.isOne ? this.#committed : this.#rows;
    this.#options.onCommit(this.#sliceNo, { file: this.#file, rows, hasHead: this.#hasHead });
    return Promise.resolve();
  }

  async rollback(): Promise<void> {
    await this.close();
    if (!this.#options.isOne) await rm(this.#file, { force: true });
    else if (this.#start !== undefined) await truncate(this.#file, this.#start);
  }

  async close(): Promise<void> {
    await this.#written.catch(() => undefined);
    this.#written = Promise.resolve();
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}
