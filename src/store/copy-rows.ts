import type { Connection, Submittable } from 'pg';

/** Of the CopyData message that holds all rows, its length to be filled in; signature, flags, no extension. */
const HEADER = Buffer.from('6400000000' + '5047434f50590aff0d0a000000000000000000', 'hex');
const COPY_DONE = Buffer.from('6300000004', 'hex');
const EPOCH_2000_MS = Date.UTC(2000, 0, 1);
const DAY_MS = 86_400_000;
const TWO_POW_32 = 2 ** 32;
/** Room for a field of fixed size with its length, and for the end of the rows. */
const MIN_ROOM = 32;
const INITIAL_BYTES = 64 * 1024;

/**
 * Rows for COPY in the server's binary format: it parses no text, and writes one log record for a page
 * instead of one for a row. Each row is begun, then its fields follow in the order of the columns.
 */
export class CopyRows {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #at: number;
  #count = 0;
  readonly #columns: number;
  /** Rows made at once have the same few days. */
  readonly #days = new Map<string, number>();

  constructor(columns: number) {
    this.#columns = columns;
    this.#at = HEADER.copy(this.#buffer);
  }

  get count(): number {
    return this.#count;
  }

  row(): this {
    this.#need(MIN_ROOM);
    this.#at = this.#buffer.writeInt16BE(this.#columns, this.#at);
    this.#count++;
    return this;
  }

  null(): this {
    this.#need(MIN_ROOM);
    this.#at = this.#buffer.writeInt32BE(-1, this.#at);
    return this;
  }

  smallint(value: number): this {
    this.#length(2);
    this.#at = this.#buffer.writeInt16BE(value, this.#at);
    return this;
  }

  int(value: number): this {
    this.#length(4);
    this.#at = this.#buffer.writeInt32BE(value, this.#at);
    return this;
  }

  /** @throws RangeError beyond 2^53, where a number is no longer what it says */
  bigint(value: number): this {
    if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${value} is beyond 2^53`);
    this.#length(8);
    this.#at = this.#buffer.writeInt32BE(Math.floor(value / TWO_POW_32), this.#at);
    this.#at = this.#buffer.writeInt32BE(value | 0, this.#at);
    return this;
  }

  boolean(value: boolean): this {
    this.#length(1);
    this.#buffer[this.#at++] = value ? 1 : 0;
    return this;
  }

  /** `YYYY-MM-DD`. */
  date(value: string): this {
    let days = this.#days.get(value);
    if (days === undefined) {
      days = (Date.parse(`${value}T00:00:00Z`) - EPOCH_2000_MS) / DAY_MS;
      if (!Number.isSafeInteger(days)) throw new RangeError(`not a day: ${value}`);
      this.#days.set(value, days);
    }
    return this.int(days);
  }

  timestamptz(value: Date): this {
    const micros = (value.getTime() - EPOCH_2000_MS) * 1000;
    if (Number.isSafeInteger(micros)) return this.bigint(micros);
    this.#length(8);
    this.#at = this.#buffer.writeBigInt64BE(
      BigInt(value.getTime() - EPOCH_2000_MS) * 1000n,
      this.#at,
    );
    return this;
  }

  text(value: string): this {
    const most = value.length * 3;
    this.#need(most + MIN_ROOM);
    const written = this.#buffer.write(value, this.#at + 4);
    this.#at = this.#buffer.writeInt32BE(written, this.#at) + written;
    return this;
  }

  jsonb(value: string): this {
    const most = value.length * 3;
    this.#need(most + MIN_ROOM);
    const written = this.#buffer.write(value, this.#at + 5);
    this.#at = this.#buffer.writeInt32BE(written + 1, this.#at);
    // The version of jsonb's own format.
    this.#buffer[this.#at] = 1;
    this.#at += written + 1;
    return this;
  }

  /** The messages of the protocol that carry all rows. Nothing may be added afterwards. */
  end(): Uint8Array {
    this.#need(MIN_ROOM);
    this.#at = this.#buffer.writeInt16BE(-1, this.#at);
    this.#buffer.writeUInt32BE(this.#at - 1, 1);
    this.#at += COPY_DONE.copy(this.#buffer, this.#at);
    return this.#buffer.subarray(0, this.#at);
  }

  #length(bytes: number): void {
    this.#need(MIN_ROOM);
    this.#at = this.#buffer.writeInt32BE(bytes, this.#at);
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

/** One `COPY … FROM STDIN (FORMAT binary)`. */
export class CopyIn implements Submittable {
  /** Resolves to the number of rows the server says it took. */
  readonly done: Promise<number>;
  readonly #sql: string;
  readonly #rows: CopyRows;
  #taken = 0;
  #settle: { resolve(rows: number): void; reject(error: unknown): void } | undefined;

  /** `into`: a table and its columns in brackets. */
  constructor(into: string, rows: CopyRows) {
    this.#sql = `COPY ${into} FROM STDIN (FORMAT binary)`;
    this.#rows = rows;
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  submit(connection: Connection): void {
    connection.query(this.#sql);
  }

  handleCopyInResponse(connection: Connection): void {
    connection.stream.write(this.#rows.end());
  }

  handleCommandComplete(message: { readonly text?: string }): void {
    this.#taken = Number(/^COPY (\d+)/.exec(message.text ?? '')?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#settle?.resolve(this.#taken);
  }

  handleError(error: unknown): void {
    this.#settle?.reject(error);
  }
}
