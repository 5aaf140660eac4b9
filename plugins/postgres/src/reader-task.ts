import type {
  ChecksumColumn,
  Column,
  Lane,
  ReadStats,
  ReaderTask,
  RowTally,
  Sink,
  Slice,
  TableSchema,
} from '@millrace/sdk';
import { CopyTextDecoder, PluginError } from '@millrace/sdk';
import type { PostgresSource } from './config.js';
import type { TakeChunk } from './copy-out.js';
import { CopyOut } from './copy-out.js';
import { keyReader } from './large-row-key.js';
import { toPluginError } from './pg-error.js';
import { tallyOf } from './row-tally.js';
import type { Session } from './session.js';
import { cancelOnAbort } from './session.js';

/** Streams slices by COPY: what is in memory is one chunk and the socket's buffer. */
export class PostgresReaderTask implements ReaderTask {
  readonly lanes: readonly Lane[] = ['pg-copy-binary', 'pg-copy-text', 'rows'];
  readonly #source: PostgresSource;
  readonly #session: Session;
  readonly #columns: readonly Column[];
  readonly #key: readonly string[];
  readonly #sqlOf: (slice: Slice, columns: readonly Column[]) => string;
  readonly #jobSignal: AbortSignal;

  constructor(
    source: PostgresSource,
    session: Session,
    { columns, primaryKey }: Pick<TableSchema, 'columns' | 'primaryKey'>,
    sqlOf: (slice: Slice, columns: readonly Column[]) => string,
    jobSignal: AbortSignal,
  ) {
    this.#source = source;
    this.#session = session;
    this.#columns = columns;
    this.#key = primaryKey;
    this.#sqlOf = sqlOf;
    this.#jobSignal = jobSignal;
  }

  async read(slice: Slice, out: Sink, signal: AbortSignal): Promise<ReadStats> {
    const failed = new AbortController();
    const any = AbortSignal.any([signal, this.#jobSignal, failed.signal]);
    any.throwIfAborted();
    let bytes = 0;
    const send = this.#sender(out);
    const onChunk: TakeChunk = async (data, rows, release) => {
      try {
        any.throwIfAborted();
        bytes += data.length;
        await send(data, rows, release);
      } catch (error) {
        // Nobody takes the rest: the server is told, else all of the table would still come.
        failed.abort(error);
        throw error;
      }
    };
    const cancelling = cancelOnAbort(this.#source, this.#session, any);
    try {
      const copy = this.#copyOf(slice, out, onChunk);
      const rows = await this.#session.client.query(copy).done;
      any.throwIfAborted();
      return { rows, bytes };
    } catch (error) {
      any.throwIfAborted();
      throw toPluginError(error);
    } finally {
      cancelling[Symbol.dispose]();
    }
  }

  async tally(slice: Slice, columns: readonly ChecksumColumn[]): Promise<RowTally> {
    const cancelling = cancelOnAbort(this.#source, this.#session, this.#jobSignal);
    try {
      const types = this.#columns.filter((c) => columns.some(({ name }) => name === c.name));
      return await tallyOf(this.#session.client, this.#sqlOf(slice, types), columns, types);
    } catch (error) {
      this.#jobSignal.throwIfAborted();
      throw error;
    } finally {
      cancelling[Symbol.dispose]();
    }
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  #copyOf(slice: Slice, out: Sink, onChunk: TakeChunk): CopyOut {
    const columns = out.lane === 'rows' ? this.#columns : this.#columnsAt(out.columns);
    const format = out.lane === 'pg-copy-binary' ? 'binary' : 'text';
    const { large, slabs } = out;
    const keyOf = keyReader(format, columns, this.#key);
    const select = this.#sqlOf(slice, columns);
    return new CopyOut(select, format, out, onChunk, { large, slabs, keyOf });
  }

  #columnsAt(indexes: readonly number[]): readonly Column[] {
    return indexes.map((at) => {
      const column = this.#columns[at];
      if (column === undefined) throw new PluginError('MR-P105', `the source has no column ${at}`);
      return column;
    });
  }

  #sender(out: Sink): TakeChunk {
    const { lane } = out;
    if (lane !== 'rows') {
      return (data, rowCount, release) => {
        const chunk = { lane, data, rowCount, byteCount: data.length };
        return out.write(release === undefined ? chunk : { ...chunk, release });
      };
    }
    const decoder = new CopyTextDecoder(this.#columns);
    return (data, rowCount) =>
      out.write({ lane, rows: decoder.push(data), rowCount, byteCount: data.length });
  }
}
