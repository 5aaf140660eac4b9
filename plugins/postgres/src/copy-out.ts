import type { LargeRows, Sink } from '@millrace/sdk';
import { LargeRowBytes, PluginError, SlabPool, withRoom } from '@millrace/sdk';
import type { Connection, Submittable } from 'pg';
import { toPluginError } from './pg-error.js';

/**
 * `text`: lines, each ended by a line feed. `binary`: rows one behind the other as COPY writes them, without its
 * header and trailer.
 */
export type CopyFormat = 'text' | 'binary';

const COPY_DATA = 0x64;
const COPY_OUT_RESPONSE = 0x48;
const COPY_DONE = 0x63;
const ERROR_RESPONSE = 0x45;
const HEADER_BYTES = 5;
/** Signature, flags and the length of an extension that no server has used yet. */
const BINARY_HEADER_BYTES = 19;
const BINARY_TRAILER_BYTES = 2;
const SOCKET_BYTES = 64 * 1024;

export interface CopyOutOptions {
  readonly large?: LargeRows | undefined;
  readonly slabs?: SlabPool | undefined;
  /** Of a row that is left out, from its first bytes in the format. */
  readonly keyOf?: ((head: Buffer) => string | undefined) | undefined;
}

/** `release`: once nobody has a part of `data`; absent where it is not to be filled again. */
export type TakeChunk = (data: Buffer, rows: number, release?: () => void) => Promise<void>;

/**
 * `COPY … TO STDOUT` in chunks of whole rows. It reads the socket itself: a driver that makes an object of
 * each message takes longer for a row than the two servers together. The server sends one row a message.
 */
export class CopyOut implements Submittable {
  /** Resolves to the number of rows the server says it sent. */
  readonly done: Promise<number>;
  readonly #sql: string;
  readonly #isBinary: boolean;
  readonly #aim: Pick<Sink, 'chunkBytes'>;
  readonly #slabBytes: number;
  readonly #onChunk: TakeChunk;
  readonly #slabs: SlabPool;
  readonly #large: LargeRows | undefined;
  readonly #keyOf: ((head: Buffer) => string | undefined) | undefined;
  /** A row that is left out: how many of its bytes are no part of it, and how many are still to come. */
  #dropping: { readonly row: LargeRowBytes; skip: number; left: number } | undefined;
  #connection: Connection | undefined;
  #driver: ((data: Buffer) => void) | undefined;
  #slab: Buffer;
  /** Whole rows for the next chunk are before it. */
  #rowsEnd = 0;
  /** What is between it and `#end` has not been looked at. */
  #at = 0;
  #end = 0;
  #rows = 0;
  #totalRows = 0;
  #isWaiting = false;
  #isFirst = true;
  #counted: number | undefined;
  #failure: { readonly error: unknown } | undefined;
  #settle: { resolve(rows: number): void; reject(error: unknown): void } | undefined;

  constructor(
    select: string,
    format: CopyFormat,
    aim: Pick<Sink, 'chunkBytes'>,
    onChunk: TakeChunk,
    { large, slabs = new SlabPool(), keyOf }: CopyOutOptions = {},
  ) {
    this.#large = large;
    this.#keyOf = keyOf;
    this.#isBinary = format === 'binary';
    this.#sql = `COPY (${select}) TO STDOUT${this.#isBinary ? ' (FORMAT binary)' : ''}`;
    this.#aim = aim;
    this.#slabBytes = aim.chunkBytes + 2 * SOCKET_BYTES;
    this.#onChunk = onChunk;
    this.#slabs = slabs;
    this.#slab = slabs.take(this.#slabBytes);
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Who waits for it may come later than the end.
    this.done.catch(() => undefined);
  }

  submit(connection: Connection): void {
    this.#connection = connection;
    const [driver] = connection.stream.listeners('data');
    this.#driver = driver as (data: Buffer) => void;
    connection.stream.removeListener('data', this.#driver);
    connection.stream.on('data', this.#receive);
    connection.query(this.#sql);
  }

  handleCommandComplete(message: { readonly text?: string }): void {
    const count = /^COPY (\d+)/.exec(message.text ?? '')?.[1];
    this.#counted = count === undefined ? undefined : Number(count);
  }

  handleReadyForQuery(): void {
    this.#slabs.giveBack(this.#slab);
    if (this.#failure !== undefined) {
      this.#settle?.reject(this.#failure.error);
    } else if (this.#counted === this.#totalRows) {
      this.#settle?.resolve(this.#totalRows);
    } else {
      const text = `the server says it sent ${this.#counted ?? 'no'} rows, ${this.#totalRows} came`;
      this.#settle?.reject(new PluginError('MR-P105', text));
    }
  }

  handleError(error: unknown): void {
    this.#giveBack();
    this.#settle?.reject(this.#failure === undefined ? toPluginError(error) : this.#failure.error);
  }

  readonly #receive = (data: Buffer): void => {
    this.#slab = withRoom(this.#slab, this.#end, data.length);
    data.copy(this.#slab, this.#end);
    this.#end += data.length;
    if (!this.#isWaiting) this.#scan();
  };

  /** Until the next chunk is full, or no whole message is left. */
  #scan(): void {
    for (;;) {
      if (this.#dropping !== undefined) this.#drop(this.#dropping);
      if (this.#isWaiting) return;
      if (this.#end - this.#at < HEADER_BYTES) return;
      const length = this.#slab.readUInt32BE(this.#at + 1) + 1;
      if (this.#isLarge(length)) continue;
      if (this.#end - this.#at < length) return;
      if (this.#slab[this.#at] !== COPY_DATA) {
        if (!this.#other(length)) return;
      } else if (this.#isBinary && this.#isFirst) {
        this.#skipBinaryHeader(length);
      } else {
        this.#take(length);
        if (this.#rowsEnd >= this.#aim.chunkBytes) {
          this.#emit();
          return;
        }
      }
    }
  }

  /** Its rest is dropped as it comes, so that it never stands in memory. */
  #isLarge(length: number): boolean {
    const large = this.#large;
    const isRow = this.#slab[this.#at] === COPY_DATA;
    if (large === undefined || !isRow || length - HEADER_BYTES <= large.maxBytes) return false;
    const skip = HEADER_BYTES + (this.#isBinary && this.#isFirst ? BINARY_HEADER_BYTES : 0);
    this.#isFirst = false;
    this.#dropping = { row: new LargeRowBytes(), skip, left: length };
    this.#totalRows += 1;
    return true;
  }

  #drop(dropping: { readonly row: LargeRowBytes; skip: number; left: number }): void {
    const dropped = Math.min(dropping.left, this.#end - this.#at);
    const skipped = Math.min(dropping.skip, dropped);
    dropping.row.add(this.#slab.subarray(this.#at + skipped, this.#at + dropped));
    dropping.skip -= skipped;
    dropping.left -= dropped;
    if (this.#at + dropped === this.#end) this.#end = this.#at;
    else this.#at += dropped;
    if (dropping.left > 0) return;
    this.#dropping = undefined;
    if (this.#failure !== undefined || this.#large === undefined) return;
    this.#waitFor(this.#large.refuse(dropping.row.end(this.#keyOf)));
  }

  #take(length: number): void {
    const from = this.#at;
    this.#at += length;
    if (this.#isBinary && length === HEADER_BYTES + BINARY_TRAILER_BYTES) return;
    const start = from + HEADER_BYTES;
    this.#slab.copyWithin(this.#rowsEnd, start, this.#at);
    this.#rowsEnd += this.#at - start;
    this.#rows += 1;
  }

  /** The header comes in one message with the first row: what is left of it becomes a message of its own. */
  #skipBinaryHeader(length: number): void {
    this.#isFirst = false;
    const extension = this.#slab.readUInt32BE(this.#at + HEADER_BYTES + BINARY_HEADER_BYTES - 4);
    const skipped = BINARY_HEADER_BYTES + extension;
    if (length - HEADER_BYTES <= skipped) {
      this.#at += length;
      return;
    }
    this.#at += skipped;
    this.#slab[this.#at] = COPY_DATA;
    this.#slab.writeUInt32BE(length - 1 - skipped, this.#at + 1);
  }

  /** A message that is no row. The driver gets it; with the last one it gets its socket back. */
  #other(length: number): boolean {
    const code = this.#slab[this.#at];
    const message = this.#slab.subarray(this.#at, this.#at + length);
    if (code === COPY_DONE || code === ERROR_RESPONSE) {
      if (code === COPY_DONE && this.#rows > 0 && this.#failure === undefined) {
        this.#emit();
        return false;
      }
      this.#giveBack();
      return false;
    }
    this.#at += length;
    if (code !== COPY_OUT_RESPONSE) this.#driver?.(Buffer.from(message));
    return true;
  }

  #emit(): void {
    const rows = this.#rows;
    this.#totalRows += rows;
    const { data, release } = this.#cut();
    if (this.#failure === undefined) this.#waitFor(this.#onChunk(data, rows, release));
    else this.#scan();
  }

  #waitFor(taken: Promise<void>): void {
    const stream = this.#connection?.stream;
    this.#isWaiting = true;
    stream?.pause();
    taken
      // The rest is read and dropped until the server has heard that nobody wants it.
      .catch((error: unknown) => (this.#failure ??= { error }))
      .finally(() => {
        this.#isWaiting = false;
        stream?.resume();
        this.#scan();
      });
  }

  /** The rows of the next chunk. */
  #cut(): ReturnType<SlabPool['cut']> {
    const rest = this.#end - this.#at;
    const old = this.#slab;
    const cut = this.#slabs.cut(old, this.#rowsEnd);
    if (cut.release !== undefined)
      this.#slab = withRoom(this.#slabs.take(this.#slabBytes), 0, rest);
    old.copy(this.#slab, 0, this.#at, this.#end);
    this.#at = 0;
    this.#rowsEnd = 0;
    this.#rows = 0;
    this.#end = rest;
    return cut;
  }

  #giveBack(): void {
    const stream = this.#connection?.stream;
    const driver = this.#driver;
    if (stream === undefined || driver === undefined) return;
    this.#driver = undefined;
    stream.removeListener('data', this.#receive);
    stream.on('data', driver);
    if (this.#at < this.#end) driver(Buffer.from(this.#slab.subarray(this.#at, this.#end)));
    stream.resume();
  }
}
