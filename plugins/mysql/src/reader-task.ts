import { largeRowKey, PluginError } from '@millrace/sdk';
import type {
  Cell,
  ChecksumColumn,
  Column,
  JobContext,
  LargeRows,
  ReaderTask,
  ReadStats,
  Row,
  RowTally,
  Sink,
  Slice,
} from '@millrace/sdk';

import { cancelOnAbort } from './cancel-on-abort.js';
import { cellDecoderOf } from './cell-decoder.js';
import type { MysqlConfig } from './config.js';
import { CopyTextRows } from './copy-text-rows.js';
import type { ReaderSource } from './reader-source.js';
import { openReading } from './reading-session.js';
import { tallyOf } from './row-tally.js';
import type { Session } from './session.js';
import { cellInHead, forEachCell } from './text-row.js';

/** The table that a slice is of, and its condition. */
type SliceSource = (slice: Slice) => {
  readonly source: ReaderSource;
  readonly where: string;
};

export class MysqlReaderTask implements ReaderTask {
  readonly lanes = ['pg-copy-text', 'rows'] as const;
  readonly #ctx: JobContext<MysqlConfig>;
  readonly #sourceOf: SliceSource;
  /** One connection for all slices of the task: its snapshot is that of the job. */
  #session: Session | undefined;

  /** `session` is in the snapshot of the job; without it the task opens its own. */
  constructor(ctx: JobContext<MysqlConfig>, sourceOf: SliceSource, session: Session | undefined) {
    this.#ctx = ctx;
    this.#sourceOf = sourceOf;
    this.#session = session;
  }

  async read(slice: Slice, out: Sink, signal: AbortSignal): Promise<ReadStats> {
    signal.throwIfAborted();
    const session = (this.#session ??= await openReading(this.#ctx, signal).catch(
      (error: unknown) => {
        // Stopped while it logs in: what counts is why.
        signal.throwIfAborted();
        throw error;
      },
    ));
    const { source, where } = this.#sourceOf(slice);
    try {
      await using _cancel = cancelOnAbort(session, this.#ctx.dataSource.config, signal);
      const read = out.lane === 'rows' ? this.#readCells : this.#readLines;
      const stats = await read.call(this, session, source, where, out);
      signal.throwIfAborted();
      return stats;
    } catch (error) {
      // What the server still sends would be taken for the answer to the next statement.
      session.destroy();
      signal.throwIfAborted();
      throw error;
    }
  }

  async tally(slice: Slice, columns: readonly ChecksumColumn[]): Promise<RowTally> {
    const session = this.#session;
    if (session === undefined) throw new PluginError('MR-P105', 'nothing has been read yet');
    const { signal, dataSource } = this.#ctx;
    const { source, where } = this.#sourceOf(slice);
    const types = source.schema.columns.filter((c) => columns.some(({ name }) => name === c.name));
    try {
      await using _cancel = cancelOnAbort(session, dataSource.config, signal);
      return await tallyOf(session, `${source.selectOf(types)} AND ${where}`, columns, types);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  async #readCells(
    session: Session,
    source: ReaderSource,
    where: string,
    out: Sink,
  ): Promise<ReadStats> {
    const collector = new ChunkCollector(source.schema.columns, out);
    let isFull: Promise<void> | undefined;
    const left = countLarge(out);
    await session.streamRows(`${source.select} AND ${where}`, {
      large: left.large,
      keyOf: (head) => keyIn(head, source.schema.columns, source.schema.primaryKey),
      row: (input, from, to) => {
        forEachCell(input, from, to, (raw) => collector.cell(raw));
        isFull = collector.rowEnd();
      },
      full: () => isFull,
    });
    await collector.flush();
    const { rows, bytes } = collector.stats();
    return { rows: rows + left.rows, bytes };
  }

  async #readLines(
    session: Session,
    source: ReaderSource,
    where: string,
    out: Sink,
  ): Promise<ReadStats> {
    const columns = out.columns.map((at) => {
      const column = source.schema.columns[at];
      if (column === undefined) throw new PluginError('MR-P105', `the source has no column ${at}`);
      return column;
    });
    const lines = new CopyTextRows(columns, out, out.slabs);
    const stats = { rows: 0, bytes: 0 };
    const left = countLarge(out);
    const send = async (): Promise<void> => {
      const chunk = lines.take();
      if (chunk === undefined) return;
      stats.rows += chunk.rows;
      stats.bytes += chunk.data.length;
      const { rows: rowCount, ...slab } = chunk;
      await out.write({ lane: 'pg-copy-text', ...slab, rowCount, byteCount: slab.data.length });
    };
    await session.streamRows(`${source.selectOf(columns)} AND ${where}`, {
      large: left.large,
      keyOf: (head) => keyIn(head, columns, source.schema.primaryKey),
      row: (input, from, to) => lines.row(input, from, to),
      full: () => (lines.isFull ? send() : undefined),
    });
    await send();
    lines.close();
    return { ...stats, rows: stats.rows + left.rows };
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }
}

/** The rows that are left out count as read. */
function countLarge(out: Sink): { large: LargeRows | undefined; rows: number } {
  const { large } = out;
  const counted: { large: LargeRows | undefined; rows: number } = { large: undefined, rows: 0 };
  if (large === undefined) return counted;
  counted.large = {
    maxBytes: large.maxBytes,
    refuse: (row) => {
      counted.rows += 1;
      return large.refuse(row);
    },
  };
  return counted;
}

function keyIn(
  head: Buffer,
  columns: readonly Column[],
  key: readonly string[],
): string | undefined {
  return largeRowKey(key, (name) => {
    const place = columns.findIndex((column) => column.name === name);
    return cellInHead(head, place)?.toString('utf8');
  });
}

/** Gathers cells to rows and rows to chunks of about the size the sink wants. */
class ChunkCollector {
  readonly #decoders: readonly ReturnType<typeof cellDecoderOf>[];
  readonly #out: Sink;
  #row: Cell[] = [];
  #rows: Row[] = [];
  #bytes = 0;
  #total = { rows: 0, bytes: 0 };
  #last: Promise<void> = Promise.resolve();

  constructor(columns: readonly Column[], out: Sink) {
    this.#decoders = columns.map(cellDecoderOf);
    this.#out = out;
  }

  cell(raw: Buffer | null): void {
    const decode = this.#decoders[this.#row.length];
    if (decode === undefined) throw new Error('the server sent more cells than columns');
    this.#row.push(decode(raw));
    this.#bytes += (raw === null ? 0 : raw.length) + 1;
  }

  rowEnd(): Promise<void> | undefined {
    this.#rows.push(this.#row);
    this.#row = [];
    return this.#bytes >= this.#out.chunkBytes ? this.flush() : undefined;
  }

  flush(): Promise<void> {
    const rows = this.#rows;
    if (rows.length === 0) return this.#last;
    const byteCount = this.#bytes;
    this.#rows = [];
    this.#bytes = 0;
    this.#total = { rows: this.#total.rows + rows.length, bytes: this.#total.bytes + byteCount };
    const chunk = { lane: 'rows', rows, rowCount: rows.length, byteCount } as const;
    // Rows already in the socket's buffer may fill another chunk before the pause takes hold.
    this.#last = this.#last.then(() => this.#out.write(chunk));
    return this.#last;
  }

  stats(): ReadStats {
    return this.#total;
  }
}
