import type { Column, Lane, ReadStats, ReaderTask, Row, Sink, Slice } from '@millrace/sdk';
import type { PostgresSource } from './config.js';
import { CopyTextDecoder } from './copy-text.js';
import { toPluginError } from './pg-error.js';
import type { Session } from './session.js';
import { cancelOnAbort } from './session.js';

/** Streams slices by COPY: what is in memory is one chunk and the socket's buffer. */
export class PostgresReaderTask implements ReaderTask {
  readonly lanes: readonly Lane[] = ['rows'];
  readonly #source: PostgresSource;
  readonly #session: Session;
  readonly #columns: readonly Column[];
  readonly #sqlOf: (slice: Slice) => string;
  readonly #jobSignal: AbortSignal;

  constructor(
    source: PostgresSource,
    session: Session,
    columns: readonly Column[],
    sqlOf: (slice: Slice) => string,
    jobSignal: AbortSignal,
  ) {
    this.#source = source;
    this.#session = session;
    this.#columns = columns;
    this.#sqlOf = sqlOf;
    this.#jobSignal = jobSignal;
  }

  async read(slice: Slice, out: Sink, signal: AbortSignal): Promise<ReadStats> {
    const both = AbortSignal.any([signal, this.#jobSignal]);
    both.throwIfAborted();
    const { to } = await import('pg-copy-streams');
    const stream = this.#session.client.query(to(`COPY (${this.#sqlOf(slice)}) TO STDOUT`));
    // After an early end the server's last error would have no listener and end the process.
    stream.on('error', () => undefined);
    const cancelling = cancelOnAbort(this.#source, this.#session, both);
    const batch = new RowBatch(out);
    const decoder = new CopyTextDecoder(this.#columns);
    try {
      for await (const bytes of stream as AsyncIterable<Buffer>) {
        await batch.add(decoder.push(bytes), bytes.length);
        both.throwIfAborted();
      }
      await batch.flush();
      return { rows: batch.totalRows, bytes: batch.totalBytes };
    } catch (error) {
      both.throwIfAborted();
      throw toPluginError(error);
    } finally {
      cancelling[Symbol.dispose]();
    }
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}

class RowBatch {
  readonly #out: Sink;
  #rows: Row[] = [];
  #bytes = 0;
  totalRows = 0;
  totalBytes = 0;

  constructor(out: Sink) {
    this.#out = out;
  }

  async add(rows: readonly Row[], bytes: number): Promise<void> {
    // What came in one piece is shared out evenly: rows are not measured one by one.
    const share = rows.length === 0 ? 0 : bytes / rows.length;
    if (rows.length === 0) this.#bytes += bytes;
    for (const row of rows) {
      this.#rows.push(row);
      this.#bytes += share;
      if (this.#bytes >= this.#out.chunkBytes) await this.flush();
    }
  }

  async flush(): Promise<void> {
    const [rows, bytes] = [this.#rows, Math.round(this.#bytes)];
    if (rows.length === 0) return;
    this.#rows = [];
    this.#bytes = 0;
    this.totalRows += rows.length;
    this.totalBytes += bytes;
    await this.#out.write({ lane: 'rows', rows, rowCount: rows.length, byteCount: bytes });
  }
}
