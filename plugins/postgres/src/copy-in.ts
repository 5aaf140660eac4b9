import type { Client, Connection, Submittable } from 'pg';
import type { CopyFormat } from './copy-out.js';
import { isDataError, toPluginError } from './pg-error.js';
import { query } from './session.js';

const COPY_DATA = 0x64;
/** A message is taken whole before it is read: one of a megabyte would be out of the cache by then. */
const MESSAGE_BYTES = 64 * 1024;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
/** With no words: nobody reads them. */
const COPY_FAIL = Buffer.from([0x66, 0, 0, 0, 5, 0]);
/** Signature, flags and an empty extension, as one CopyData message. */
const BINARY_HEADER = copyData(Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex'));
const BINARY_TRAILER = copyData(Buffer.from([0xff, 0xff]));

/**
 * Some statements with one `COPY … FROM STDIN` among them, sent as one query: one answer to wait for. The rows
 * go with it: a server that fails before it asks for them drops what is not asked for.
 */
class CopyIn implements Submittable {
  /** Resolves to the number of rows the server says it took. */
  readonly done: Promise<number>;
  readonly #sql: string;
  /** What is to be sent once the query is. */
  #waiting: Uint8Array[] = [];
  #stream: Connection['stream'] | undefined;
  #flushed: Promise<void> = Promise.resolve();
  #rows = 0;
  #isAnswered = false;
  #settle: { resolve(rows: number): void; reject(error: unknown): void } | undefined;

  constructor(sql: string) {
    this.#sql = sql;
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** The driver's turn for it: everything before it is answered. */
  submit(connection: Connection): void {
    this.send(connection);
  }

  send(connection: Connection): void {
    if (this.#stream !== undefined) return;
    this.#stream = connection.stream;
    this.#stream.cork();
    connection.query(this.#sql);
    const parts = this.#waiting;
    this.#waiting = [];
    void this.write(parts);
    this.#stream.uncork();
  }

  /** Resolves when what was written before is on its way: no more than that waits in this process. */
  async write(parts: readonly Uint8Array[]): Promise<void> {
    // The server drops them now, but not where they came into the next COPY.
    if (this.#isAnswered) return;
    const stream = this.#stream;
    if (stream === undefined) {
      this.#waiting.push(...parts);
      return;
    }
    const before = this.#flushed;
    stream.cork();
    for (const part of parts.slice(0, -1)) stream.write(part);
    // Also where the connection has gone: that is for the answer to say.
    this.#flushed = new Promise((resolve) => stream.write(parts.at(-1) ?? '', () => resolve()));
    stream.uncork();
    await before;
  }

  handleCopyInResponse(): void {
    // The rows are on their way.
  }

  handleCommandComplete(message: { readonly text?: string }): void {
    this.#rows = copyCount(message) ?? this.#rows;
  }

  handleReadyForQuery(): void {
    this.#isAnswered = true;
    this.#settle?.resolve(this.#rows);
  }

  handleError(error: unknown): void {
    this.#isAnswered = true;
    this.#settle?.reject(error);
  }
}

/** Rows for COPY: lines of text, or binary rows without header and trailer. */
export interface CopyRows {
  readonly format: CopyFormat;
  /** One behind the other. */
  readonly parts: readonly Uint8Array[];
}

/** Rows that are sent to a table, as they come. */
export interface OpenCopy {
  /** Resolves when there is room for more. What comes after a refusal is dropped by the server. */
  add(parts: readonly Uint8Array[]): Promise<void>;
  /** These were all. */
  end(): void;
  /** The rows are not wanted any more; the transaction can only be rolled back. */
  fail(): void;
  /**
   * How many the server took, or the error when it refused them for their data; the open transaction is then
   * as it was before.
   */
  readonly taken: Promise<number | { readonly refused: unknown }>;
  /** Nothing more may go behind it: it may have been refused. */
  readonly isAnswered: boolean;
}

/**
 * Begins to send rows to a table under a savepoint; `behind` others that have not been answered, so that the
 * server need not wait for this process between them. Where those are refused these are too, whatever they hold.
 */
export function openCopy(
  client: Client,
  into: string,
  format: CopyFormat,
  behind?: OpenCopy,
): OpenCopy {
  const isBinary = format === 'binary';
  const copy = new CopyIn(
    `SAVEPOINT millrace_rows; ${copyStatement(into, format)}; RELEASE SAVEPOINT millrace_rows`,
  );
  client.query(copy);
  // The driver itself sends nothing before all else is answered.
  if (behind?.isAnswered === false) copy.send(client.connection);
  if (isBinary) void copy.write([BINARY_HEADER]);
  const taken = copy.done.catch(async (error: unknown) => {
    if (!isDataError(error)) throw toPluginError(error);
    await query(client, 'ROLLBACK TO SAVEPOINT millrace_rows');
    await query(client, 'RELEASE SAVEPOINT millrace_rows');
    return { refused: error };
  });
  // Who waits for it may come later than the end.
  taken.catch(() => undefined);
  return {
    add: (parts) => copy.write(messagesOf(parts)),
    end: () => void copy.write(isBinary ? [BINARY_TRAILER, COPY_DONE] : [COPY_DONE]),
    fail: () => void copy.write([COPY_FAIL]),
    taken,
    get isAnswered() {
      return copy.isAnswered;
    },
  };
}

/** Sends rows to a table, and these alone. */
export function sendCopy(client: Client, into: string, { format, parts }: CopyRows): OpenCopy {
  const copy = openCopy(client, into, format);
  void copy.add(parts);
  copy.end();
  return copy;
}

export function copyStatement(into: string, format: CopyFormat): string {
  return `COPY ${into} FROM STDIN${format === 'binary' ? ' (FORMAT binary)' : ''}`;
}

/** All that is sent behind the statement. */
export function copyMessages({ format, parts }: CopyRows): readonly Uint8Array[] {
  return format === 'binary'
    ? [BINARY_HEADER, ...messagesOf(parts), BINARY_TRAILER, COPY_DONE]
    : [...messagesOf(parts), COPY_DONE];
}

/** Of a COPY that is through: how many rows the server took. */
export function copyCount(message: { readonly text?: string }): number | undefined {
  const count = /^COPY (\d+)/.exec(message.text ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}

/** Where one ends says nothing about rows: the server itself would send one a row, and reads such ones slowly. */
function messagesOf(parts: readonly Uint8Array[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (const part of parts) {
    for (let at = 0; at < part.length; at += MESSAGE_BYTES) {
      const data = part.subarray(at, at + MESSAGE_BYTES);
      messages.push(headerOf(data.length), data);
    }
  }
  return messages;
}

function headerOf(length: number): Buffer {
  const header = Buffer.from([COPY_DATA, 0, 0, 0, 0]);
  header.writeUInt32BE(length + 4, 1);
  return header;
}

function copyData(payload: Buffer): Buffer {
  return Buffer.concat([headerOf(payload.length), payload]);
}
