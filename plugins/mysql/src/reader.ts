import {
  defineReader,
  integerSlices,
  PluginError,
  slicePredicate,
  wholeSlice,
} from '@millrace/sdk';
import type {
  Cell,
  Column,
  CursorRequest,
  Finding,
  JobContext,
  LargeRows,
  ReaderJob,
  ReaderTask,
  ReadStats,
  Row,
  Sink,
  Slice,
  SliceHint,
  TableSchema,
} from '@millrace/sdk';
import { z } from 'zod';

import { cancelOnAbort } from './cancel-on-abort.js';
import { cellDecoderOf } from './cell-decoder.js';
import type { MysqlConfig } from './config.js';
import { CopyTextRows } from './copy-text-rows.js';
import { windowOf } from './cursor-window.js';
import { quoteName } from './literal.js';
import { columnNamed, resolveSource } from './reader-source.js';
import type { ReaderSource } from './reader-source.js';
import { Session } from './session.js';
import { forEachCell } from './text-row.js';

const readerSchema = z
  .object({
    table: z.string().min(1).optional().meta({ title: 'Table' }),
    query: z
      .string()
      .min(1)
      .optional()
      .describe('A SELECT to read instead of a table.')
      .meta({ title: 'Query', template: true }),
    columns: z.array(z.string().min(1)).optional().describe('Default: all, in their order.'),
    expressions: z
      .array(z.object({ name: z.string().min(1), sql: z.string().min(1).meta({ template: true }) }))
      .optional()
      .describe('More columns, computed by the server: their names and their SQL.'),
    where: z
      .string()
      .optional()
      .describe("Rows to read, e.g. ds = '${bizdate}'.")
      .meta({ title: 'Filter', template: true }),
    sliceKey: z
      .string()
      .optional()
      .describe('An integer column to cut the table by. Default: a primary key of one integer.'),
  })
  .refine((c) => (c.table === undefined) !== (c.query === undefined), {
    message: 'give either a table or a query',
    path: ['table'],
  });
type ReaderConfig = z.output<typeof readerSchema>;

export const mysqlReader = defineReader<ReaderConfig, MysqlConfig>({
  type: 'mysql',
  title: 'MySQL',
  config: readerSchema,
  configVersion: 1,
  examples: [
    { table: 'orders', where: "ds = '${bizdate}'", sliceKey: 'id' },
    { query: "SELECT id, total FROM orders WHERE ds = '${bizdate}'" },
  ],
  open: async (config, ctx) => new MysqlReaderJob(config, ctx),
});

class MysqlReaderJob implements ReaderJob {
  #config: ReaderConfig;
  readonly #ctx: JobContext<MysqlConfig>;
  #source: Promise<ReaderSource> | undefined;

  constructor(config: ReaderConfig, ctx: JobContext<MysqlConfig>) {
    this.#config = config;
    this.#ctx = ctx;
  }

  async describe(): Promise<TableSchema> {
    return (await this.#resolved()).schema;
  }

  async check(): Promise<readonly Finding[]> {
    const source = await this.#resolved();
    await using session = await openReading(this.#ctx);
    // The server itself judges columns, filter and privileges; no row is read.
    await session.run(`${source.select} LIMIT 0`);
    const findings: Finding[] = [
      {
        level: 'info',
        message:
          'The slices are read one by one, without a common snapshot: rows that change meanwhile may be seen in either state.',
      },
    ];
    const key = this.#sliceKey(source);
    if (key !== undefined && key.type.kind !== 'integer') {
      findings.push({
        level: 'warning',
        column: key.name,
        message: `${key.name} is ${key.nativeType}, not an integer: the table is read in one piece.`,
      });
    }
    return findings;
  }

  async window({ column, after, overlap }: CursorRequest): Promise<string | undefined> {
    const source = await this.#resolved();
    const key = columnNamed({ ...source.schema, columns: source.allColumns }, column);
    const { from, upTo, literal } = windowOf(key, after, overlap);
    await using session = await openReading(this.#ctx);
    const conditions = from.map((condition) => ` AND ${condition}`).join('');
    const [row] = await session.rows(`SELECT ${upTo} ${source.from}${conditions}`);
    const to = row?.[0] ?? undefined;
    const end = to === undefined ? '1 = 0' : `${quoteName(key.name)} <= ${literal(to)}`;
    const where = this.#config.where?.trim() ?? '';
    const own = where === '' ? [] : [`(${where}\n)`];
    this.#config = { ...this.#config, where: [...own, ...from, end].join(' AND ') };
    this.#source = undefined;
    return to;
  }

  async *slices(hint: SliceHint): AsyncIterable<Slice> {
    const source = await this.#resolved();
    const key = this.#sliceKey(source);
    if (key === undefined || key.type.kind !== 'integer' || hint.count <= 1) {
      yield wholeSlice();
      return;
    }
    await using session = await openReading(this.#ctx);
    await using _cancel = cancelOnAbort(session, this.#ctx.dataSource.config, this.#ctx.signal);
    const name = quoteName(key.name);
    const [range] = await session.rows(`SELECT MIN(${name}), MAX(${name}) ${source.from}`);
    yield* integerSlices(
      key.name,
      range?.[0] ?? null,
      range?.[1] ?? null,
      hint.count,
      key.nullable,
    );
  }

  async open(): Promise<ReaderTask> {
    const source = await this.#resolved();
    const key = this.#sliceKey(source);
    return new MysqlReaderTask(this.#ctx, source, key);
  }

  async close(): Promise<void> {
    this.#source = undefined;
  }

  #resolved(): Promise<ReaderSource> {
    this.#source ??= this.#resolve();
    return this.#source;
  }

  async #resolve(): Promise<ReaderSource> {
    await using session = await openReading(this.#ctx);
    const { database } = this.#ctx.dataSource.config;
    return await resolveSource(session, database, this.#config, (text) => this.#ctx.log.info(text));
  }

  #sliceKey(source: ReaderSource): Column | undefined {
    const all: TableSchema = { ...source.schema, columns: source.allColumns };
    if (this.#config.sliceKey !== undefined) return columnNamed(all, this.#config.sliceKey);
    const [only, ...others] = source.schema.primaryKey;
    if (only === undefined || others.length > 0) return undefined;
    const column = columnNamed(all, only);
    return column.type.kind === 'integer' ? column : undefined;
  }
}

class MysqlReaderTask implements ReaderTask {
  readonly lanes = ['pg-copy-text', 'rows'] as const;
  readonly #ctx: JobContext<MysqlConfig>;
  readonly #source: ReaderSource;
  readonly #key: Column | undefined;

  constructor(ctx: JobContext<MysqlConfig>, source: ReaderSource, key: Column | undefined) {
    this.#ctx = ctx;
    this.#source = source;
    this.#key = key;
  }

  async read(slice: Slice, out: Sink, signal: AbortSignal): Promise<ReadStats> {
    signal.throwIfAborted();
    const session = await openReading(this.#ctx, signal).catch((error: unknown) => {
      // Stopped while it logs in: what counts is why.
      signal.throwIfAborted();
      throw error;
    });
    const key = this.#key === undefined ? undefined : quoteName(this.#key.name);
    const where = slicePredicate(slice.bounds, key);
    try {
      await using _cancel = cancelOnAbort(session, this.#ctx.dataSource.config, signal);
      const read = out.lane === 'rows' ? this.#readCells : this.#readLines;
      const stats = await read.call(this, session, where, out);
      signal.throwIfAborted();
      return stats;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      await session.close();
    }
  }

  async #readCells(session: Session, where: string, out: Sink): Promise<ReadStats> {
    const collector = new ChunkCollector(this.#source.schema.columns, out);
    let isFull: Promise<void> | undefined;
    const left = countLarge(out);
    await session.streamRows(`${this.#source.select} AND ${where}`, {
      large: left.large,
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

  async #readLines(session: Session, where: string, out: Sink): Promise<ReadStats> {
    const columns = out.columns.map((at) => {
      const column = this.#source.schema.columns[at];
      if (column === undefined) throw new PluginError('MR-P105', `the source has no column ${at}`);
      return column;
    });
    const lines = new CopyTextRows(columns, out.chunkBytes);
    const stats = { rows: 0, bytes: 0 };
    const left = countLarge(out);
    const send = async (): Promise<void> => {
      const chunk = lines.take();
      if (chunk === undefined) return;
      stats.rows += chunk.rows;
      stats.bytes += chunk.data.length;
      const { data, rows: rowCount } = chunk;
      await out.write({ lane: 'pg-copy-text', data, rowCount, byteCount: data.length });
    };
    await session.streamRows(`${this.#source.selectOf(columns)} AND ${where}`, {
      large: left.large,
      row: (input, from, to) => lines.row(input, from, to),
      full: () => (lines.isFull ? send() : undefined),
    });
    await send();
    return { ...stats, rows: stats.rows + left.rows };
  }

  async close(): Promise<void> {
    // Every read closes its own connection.
  }
}

/** The rows that are left out count as read. */
function countLarge(out: Sink): { large: LargeRows | undefined; rows: number } {
  const { large } = out;
  const counted: { large: LargeRows | undefined; rows: number } = { large: undefined, rows: 0 };
  if (large === undefined) return counted;
  counted.large = {
    maxBytes: large.maxBytes,
    refuse: (bytes) => {
      counted.rows += 1;
      large.refuse(bytes);
    },
  };
  return counted;
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

async function openReading(ctx: JobContext<MysqlConfig>, signal = ctx.signal): Promise<Session> {
  const session = await Session.open(ctx.dataSource.config, { signal });
  try {
    const version = (await session.value('SELECT VERSION()')) ?? '';
    const limit = /mariadb/i.test(version) ? 'max_statement_time' : 'max_execution_time';
    await session.run(
      `SET SESSION time_zone = '+00:00', sql_mode = '', net_write_timeout = 3600, ${limit} = 0`,
    );
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}
