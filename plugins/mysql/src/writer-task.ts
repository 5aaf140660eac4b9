import { isUtf8 } from 'node:buffer';

import {
  compileFieldCheck,
  CopyTextDecoder,
  LineCheck,
  partitionField,
  PluginError,
  runBytes,
} from '@millrace/sdk';
import type {
  Acked,
  CheckedLines,
  Chunk,
  Lane,
  Row,
  Slice,
  SlicesRead,
  WriteContext,
  WriterTask,
} from '@millrace/sdk';

import { BatchInsert } from './batch-insert.js';
import type { PreparedRow } from './batch-insert.js';
import type { MysqlConfig } from './config.js';
import { fieldFormOf } from './field-form.js';
import { InsertLines } from './insert-lines.js';
import { quoteName } from './literal.js';
import { isLoadable, trustedField } from './load-columns.js';
import { LineLoads } from './line-loads.js';
import { LoadLines } from './load-lines.js';
import { compileRowEncoder, rulesOf } from './row-encoder.js';
import type { Session } from './session.js';
import { ROW_NUMBER_COLUMN } from './superseded-rows.js';
import type { SkippedLine, SkippedLines } from './skipped-lines.js';
import type { ColumnPair } from './writer-target.js';

export interface WriterTaskOptions {
  readonly session: Session;
  /** Quoted: the target itself or the staging table. */
  readonly into: string;
  readonly pairs: readonly ColumnPair[];
  readonly maxAllowedPacket: number;
  readonly skippedLines: SkippedLines | undefined;
  /** The transaction belongs to the job: a slice is a savepoint in it. */
  readonly isInsideTransaction: boolean;
  /** The table has a column for the number of each row. */
  readonly hasNumbers: boolean;
  /** Which of the run's tasks it is: staged rows of all tasks have different numbers. */
  readonly taskNo: number;
  /** The task that speaks for all of them in the log. */
  readonly isFirst: boolean;
  /** Inside the transaction of the rows, right before it ends. */
  readonly onCommit: (rows: number, read: SlicesRead | undefined) => Promise<void>;
  readonly onCommitted: (rows: number) => void;
  readonly onClose: () => Promise<void>;
}

const SLICE_SAVEPOINT = 'millrace_slice';
/** Keeps the numbers of 8,000 tasks within the integers a double holds. */
const NUMBERS_PER_TASK = 2 ** 40;

/** The first number of a task whose rows are all numbered behind this one. */
export function taskNoBehind(rowNo: number): number {
  return Math.ceil(rowNo / NUMBERS_PER_TASK);
}

export class MysqlWriterTask implements WriterTask {
  readonly lanes: readonly Lane[];
  readonly #ctx: WriteContext<MysqlConfig>;
  readonly #options: WriterTaskOptions;
  readonly #encode: ReturnType<typeof compileRowEncoder>;
  readonly #batch: BatchInsert;
  readonly #load: LoadLines | undefined;
  readonly #loads: LineLoads | undefined;
  readonly #inserts: InsertLines | undefined;
  readonly #decoder: CopyTextDecoder;
  #nextNo: number;
  #sliceNo = 0;
  #rows = 0;
  #bytes = 0;

  constructor(ctx: WriteContext<MysqlConfig>, options: WriterTaskOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#encode = compileRowEncoder(options.pairs);
    const names = options.pairs.map((p) => quoteName(p.target.name));
    if (options.hasNumbers) names.push(quoteName(ROW_NUMBER_COLUMN));
    this.#nextNo = options.taskNo * NUMBERS_PER_TASK + 1;
    this.#decoder = new CopyTextDecoder(options.pairs.map((p) => p.source));
    this.#load = LoadLines.of(
      options.session,
      options.into,
      options.pairs,
      options.hasNumbers ? quoteName(ROW_NUMBER_COLUMN) : undefined,
      options.skippedLines,
    );
    this.#loads =
      this.#load &&
      new LineLoads({
        load: this.#load,
        check: lineCheckOf(options.pairs),
        runBytes: runBytes(ctx.writers),
        nextNo: () => this.#nextNo,
        keep: (looked, skipped) => this.#loaded(looked, skipped),
        insert: async (lines) => (await this.#insertLines(lines)) + (await this.#flushed()),
      });
    const head = `INSERT INTO ${options.into} (${names.join(', ')}) VALUES `;
    this.#batch = new BatchInsert(options.session, head, options.maxAllowedPacket, (row, refusal) =>
      ctx.quarantine({ sliceNo: this.#sliceNo, cells: row.cells, ...refusal }),
    );
    this.#inserts = InsertLines.of({
      session: options.session,
      batch: this.#batch,
      head,
      pairs: options.pairs,
      maxAllowedPacket: options.maxAllowedPacket,
      nextNo: options.hasNumbers ? () => this.#nextNo++ : undefined,
      rowOf: (line) => this.#prepare(this.#decoder.push(line)[0] ?? []),
    });
    const takesLines = this.#loads !== undefined || this.#inserts !== undefined;
    this.lanes = takesLines ? ['pg-copy-text', 'rows'] : ['rows'];
    if (options.isFirst) ctx.log.info(this.#means());
  }

  /** How lines get into the table, and what stands in the way of a faster one. */
  #means(): string {
    const { pairs, session } = this.#options;
    if (this.#loads !== undefined) return 'Lines are written by LOAD DATA LOCAL.';
    const cause = session.mayLoadLocal
      ? `LOAD DATA cannot be trusted with ${namesOf(pairs.filter((p) => !isLoadable(p)))}`
      : 'LOCAL INFILE is off on the server';
    if (this.#inserts !== undefined) return `Lines are written by INSERT: ${cause}.`;
    const slow = namesOf(pairs.filter((p) => fieldFormOf(p) === undefined));
    return `Rows are written by INSERT, each looked at: ${slow}.`;
  }

  async begin(slice: Slice): Promise<'fresh'> {
    this.#sliceNo = slice.no;
    this.#rows = 0;
    this.#bytes = 0;
    const { session, isInsideTransaction } = this.#options;
    await session.run(isInsideTransaction ? `SAVEPOINT ${SLICE_SAVEPOINT}` : 'START TRANSACTION');
    return 'fresh';
  }

  async write(chunk: Chunk): Promise<void> {
    this.#ctx.signal.throwIfAborted();
    try {
      this.#rows += await this.#put(chunk);
    } catch (error) {
      this.#ctx.signal.throwIfAborted();
      throw error;
    }
    this.#bytes += chunk.byteCount;
    await this.#ctx.crashPoint('writer:chunk-written');
  }

  async flush(): Promise<Acked> {
    this.#rows += ((await this.#loads?.flush()) ?? 0) + (await this.#flushed());
    return { rows: this.#rows, bytes: this.#bytes };
  }

  async commit(read?: SlicesRead): Promise<void> {
    const { session, isInsideTransaction, onCommit, onCommitted } = this.#options;
    this.#ctx.signal.throwIfAborted();
    await onCommit(this.#rows, read);
    await session.run(isInsideTransaction ? `RELEASE SAVEPOINT ${SLICE_SAVEPOINT}` : 'COMMIT');
    onCommitted(this.#rows);
  }

  async rollback(): Promise<void> {
    const { session, isInsideTransaction } = this.#options;
    this.#rows = 0;
    await this.#loads?.drop();
    await this.#inserts?.drop();
    if (session.closed) return;
    await session.run(
      isInsideTransaction ? `ROLLBACK TO SAVEPOINT ${SLICE_SAVEPOINT}` : 'ROLLBACK',
    );
  }

  close(): Promise<void> {
    if (this.#load?.isOff === true)
      this.#ctx.log.warn(
        'LOCAL INFILE has been switched off on the server: the rest was written by INSERT.',
      );
    const takenBack = this.#loads?.takenBack ?? 0;
    if (takenBack > 0) {
      this.#ctx.log.info(
        `${takenBack} chunks had rows the server warned about: taken back and sent again with those rows apart`,
      );
    }
    return this.#options.onClose();
  }

  /** How many rows were written since the last answer; the others are on their way or in the quarantine. */
  async #put(chunk: Chunk): Promise<number> {
    if (chunk.lane === 'rows') return (await this.#flushed()) + (await this.#insert(chunk.rows));
    if (chunk.lane !== 'pg-copy-text') {
      throw new PluginError('MR-D209', `this writer does not take the lane ${chunk.lane}`);
    }
    return (await this.#loads?.load(chunk)) ?? (await this.#insertLines(Buffer.from(chunk.data)));
  }

  async #loaded(looked: CheckedLines, skipped: readonly SkippedLine[]): Promise<number> {
    this.#nextNo += looked.count;
    const sliceNo = this.#sliceNo;
    for (const refused of looked.refused) {
      await this.#ctx.quarantine({ sliceNo, code: 'MR-D202', ...refused });
    }
    for (const { index, line, code, reason } of skipped) {
      const cells = looked.originals.get(index) ?? this.#decoder.push(line)[0] ?? [];
      await this.#ctx.quarantine({ sliceNo, cells, code, reason });
    }
    return looked.count - skipped.length;
  }

  async #insertLines(lines: Buffer): Promise<number> {
    // A value that is no UTF-8 would become another one on its way through a string.
    if (this.#inserts !== undefined && isUtf8(lines)) return this.#inserts.insert(lines);
    return (await this.#flushed()) + (await this.#insert(this.#decoder.push(lines)));
  }

  async #flushed(): Promise<number> {
    return (await this.#inserts?.flush()) ?? 0;
  }

  async #insert(rows: readonly Row[]): Promise<number> {
    const prepared: PreparedRow[] = [];
    for (const cells of rows) {
      const row = await this.#prepare(cells);
      if (row !== undefined) prepared.push(row);
    }
    return this.#batch.insert(prepared);
  }

  async #prepare(cells: Row): Promise<PreparedRow | undefined> {
    const encoded = this.#encode(cells);
    if (encoded.tuple !== undefined) {
      const { tuple } = encoded;
      if (!this.#options.hasNumbers) return { tuple, cells };
      return { tuple: `${tuple.slice(0, -1)},${this.#nextNo++})`, cells };
    }
    const { column, reason } = encoded;
    await this.#ctx.quarantine({
      sliceNo: this.#sliceNo,
      cells,
      column,
      code: 'MR-D202',
      reason,
    });
    return undefined;
  }
}

function lineCheckOf(pairs: readonly ColumnPair[]): LineCheck {
  return new LineCheck(
    pairs.map((pair) => {
      const { source, target, partition } = pair;
      const rules = rulesOf(pair);
      const isTrusted = trustedField(pair) !== undefined;
      const field = compileFieldCheck(source, target, 'mysql');
      if (partition === undefined) return { source, target, ...rules, isTrusted, field };
      const watched = partitionField(rules.check, target, partition);
      return { source, target, ...rules, isTrusted, isWatched: true, field: watched };
    }),
  );
}

function namesOf(pairs: readonly ColumnPair[]): string {
  return pairs.map((p) => `${p.target.name} (${p.target.nativeType})`).join(', ');
}
