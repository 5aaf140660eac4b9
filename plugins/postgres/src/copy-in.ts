import type { Client, Connection, Submittable } from 'pg';
import type { CopyFormat } from './copy-out.js';
import { isDataError, toPluginError } from './pg-error.js';
import { query } from './session.js';

const COPY_DATA = 0x64;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
/** Signature, flags and an empty extension, as one CopyData message. */
const BINARY_HEADER = copyData(Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex'));
const BINARY_TRAILER = copyData(Buffer.from([0xff, 0xff]));

/** Some statements with one `COPY … FROM STDIN` among them, sent as one query: one answer to wait for. */
class CopyIn implements Submittable {
  /** Resolves to the number of rows the server says it took. */
  readonly done: Promise<number>;
  readonly #sql: string;
  readonly #parts: readonly Uint8Array[];
  #rows = 0;
  #settle: { resolve(rows: number): void; reject(error: unknown): void } | undefined;

  constructor(sql: string, parts: readonly Uint8Array[]) {
    this.#sql = sql;
    this.#parts = parts;
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  submit(connection: Connection): void {
    connection.query(this.#sql);
  }

  handleCopyInResponse(connection: Connection): void {
    const { stream } = connection;
    stream.cork();
    for (const part of this.#parts) stream.write(part);
    stream.write(COPY_DONE);
    stream.uncork();
  }

  handleCommandComplete(message: { readonly text?: string }): void {
    const count = /^COPY (\d+)/.exec(message.text ?? '')?.[1];
    if (count !== undefined) this.#rows = Number(count);
  }

  handleReadyForQuery(): void {
    this.#settle?.resolve(this.#rows);
  }

  handleError(error: unknown): void {
    this.#settle?.reject(error);
  }
}

/** Rows for COPY: text lines, or the CopyData messages of binary rows. */
export interface CopyRows {
  readonly format: CopyFormat;
  readonly data: Uint8Array;
}

/**
 * Copies rows into a table in one round trip. Resolves to the number the server took, or to the error when
 * it refused them for their data; the open transaction is then as it was before.
 */
export async function copyUnderSavepoint(
  client: Client,
  into: string,
  rows: CopyRows,
): Promise<number | { readonly refused: unknown }> {
  const format = rows.format === 'binary' ? ' (FORMAT binary)' : '';
  const copy = `COPY ${into} FROM STDIN${format}`;
  const sql = `SAVEPOINT millrace_rows; ${copy}; RELEASE SAVEPOINT millrace_rows`;
  const parts =
    rows.format === 'binary' ? [BINARY_HEADER, rows.data, BINARY_TRAILER] : linesOf(rows.data);
  try {
    return await client.query(new CopyIn(sql, parts)).done;
  } catch (error) {
    if (!isDataError(error)) throw toPluginError(error);
    await query(client, 'ROLLBACK TO SAVEPOINT millrace_rows');
    await query(client, 'RELEASE SAVEPOINT millrace_rows');
    return { refused: error };
  }
}

/** Without rows there is no message: an empty one is no line either. */
function linesOf(data: Uint8Array): readonly Uint8Array[] {
  return data.length === 0 ? [] : [headerOf(data.length), data];
}

function headerOf(length: number): Buffer {
  const header = Buffer.from([COPY_DATA, 0, 0, 0, 0]);
  header.writeUInt32BE(length + 4, 1);
  return header;
}

function copyData(payload: Buffer): Buffer {
  return Buffer.concat([headerOf(payload.length), payload]);
}
