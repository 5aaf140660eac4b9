import type {
  Chunk,
  DirtyRecord,
  Lane,
  LargeRows,
  ReaderTask,
  RunContext,
  Sink,
  Slice,
  WriterTask,
} from '@millrace/sdk';
import { MillraceError } from '../domain/errors.js';
import { ByteChannel } from './byte-channel.js';
import { projectRows } from './field-mapping.js';
import type { Quarantine } from './quarantine.js';
import type { RateLimiter } from './rate-limit.js';
import type { PolicyRules } from './value-policies.js';

/** What all pipes of a job share. */
export interface PipeJob {
  readonly sourceIndexes: readonly number[];
  readonly policies: PolicyRules | undefined;
  readonly limiter: RateLimiter;
  readonly quarantine: Quarantine;
  readonly chunkBytes: number;
  readonly channelBytes: number;
  /** Larger rows become dirty records without being read. */
  readonly maxRowBytes: number;
  readonly context: RunContext;
  onRead(chunk: Pick<Chunk, 'rowCount' | 'byteCount'>): void;
  addDirty(record: DirtyRecord): Promise<void>;
  onWritten(rows: number): void;
}

export interface SliceCount {
  readonly read: number;
  readonly written: number;
  readonly dirty: number;
  readonly wasCommitted: boolean;
}

/** The best lane of the reader that is legal for the writer too. Policies look at values: rows alone have some. */
export function chooseLane(
  reader: readonly Lane[],
  writer: readonly Lane[],
  policies?: PolicyRules,
): Lane {
  if (policies !== undefined) return 'rows';
  return reader.find((lane) => writer.includes(lane)) ?? 'rows';
}

function isInOrder(sourceIndexes: readonly number[], cells: number): boolean {
  return sourceIndexes.length === cells && sourceIndexes.every((at, i) => at === i);
}

function projected(chunk: Chunk, { sourceIndexes, policies }: PipeJob): Chunk {
  if (chunk.lane !== 'rows') return chunk;
  const first = chunk.rows[0];
  const isReady = first === undefined || isInOrder(sourceIndexes, first.length);
  if (isReady && policies === undefined) return chunk;
  const rows = isReady ? chunk.rows : projectRows(chunk.rows, sourceIndexes);
  return { ...chunk, rows: policies?.apply(rows) ?? rows };
}

/** Runs both ends to their end; the first failure ends the other side too and is the one thrown. */
async function runBoth(
  channel: ByteChannel,
  abort: AbortController,
  read: Promise<unknown>,
  write: Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  const guard = (end: Promise<unknown>): Promise<void> =>
    end.then(
      () => undefined,
      (error: unknown) => {
        failures.push(error);
        channel.fail(error);
        abort.abort(error);
      },
    );
  await Promise.all([guard(read), guard(write)]);
  if (failures.length > 0) throw failures[0];
}

/** Copies one slice and commits it: reader, channel, writer; then the rows must add up. */
export async function copySlice(
  slice: Slice,
  reader: ReaderTask,
  writer: WriterTask,
  job: PipeJob,
  signal: AbortSignal,
): Promise<SliceCount> {
  if ((await writer.begin(slice)) === 'already-committed') {
    return { read: 0, written: 0, dirty: 0, wasCommitted: true };
  }
  const dirtyBefore = job.quarantine.countOf(slice.no);
  const channel = new ByteChannel(job.channelBytes);
  const abort = new AbortController();
  const both = AbortSignal.any([signal, abort.signal]);
  const stop = (): void => channel.fail(both.reason);
  both.addEventListener('abort', stop, { once: true });
  const seen = new SeenRows(slice.no, job);
  const sink: Sink = {
    lane: chooseLane(reader.lanes, writer.lanes, job.policies),
    chunkBytes: job.chunkBytes,
    columns: job.sourceIndexes,
    large: seen,
    write: async (chunk) => {
      await seen.settle();
      await job.limiter.take(chunk.byteCount, chunk.rowCount, both);
      seen.rows += chunk.rowCount;
      job.onRead(chunk);
      await channel.push(projected(chunk, job));
    },
  };
  const read = async (): Promise<number> => {
    const stats = await reader.read(slice, sink, both);
    await seen.settle();
    channel.close();
    return stats.rows;
  };
  const write = async (): Promise<void> => {
    for await (const chunk of channel) await writer.write(chunk);
  };
  try {
    both.throwIfAborted();
    const reading = read();
    await runBoth(channel, abort, reading, write());
    const readRows = await reading;
    await job.context.crashPoint('sync:slice-written');
    const acked = await writer.commit();
    const dirty = job.quarantine.countOf(slice.no) - dirtyBefore;
    checkSum(slice, { reported: readRows, seen: seen.rows, written: acked.rows, dirty });
    job.onWritten(acked.rows);
    return { read: seen.rows, written: acked.rows, dirty, wasCommitted: false };
  } catch (error) {
    await writer.rollback().catch((failure: unknown) => {
      job.context.log.warn(`The slice could not be rolled back: ${String(failure)}`);
    });
    // A waiting side ends with a bare AbortError; the reason says why.
    throw signal.aborted ? signal.reason : error;
  } finally {
    both.removeEventListener('abort', stop);
  }
}

/** Counts the rows of a slice; those that its reader left out for their size go to the quarantine. */
class SeenRows implements LargeRows {
  readonly maxBytes: number;
  readonly #sliceNo: number;
  readonly #job: PipeJob;
  #waiting: number[] = [];
  rows = 0;

  constructor(sliceNo: number, job: PipeJob) {
    this.maxBytes = job.maxRowBytes;
    this.#sliceNo = sliceNo;
    this.#job = job;
  }

  refuse(bytes: number): void {
    this.rows += 1;
    this.#waiting.push(bytes);
    this.#job.onRead({ rowCount: 1, byteCount: bytes });
  }

  async settle(): Promise<void> {
    for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
      const reason = `a row of ${bytes} bytes; at most ${this.maxBytes} are read`;
      await this.#job.addDirty({ sliceNo: this.#sliceNo, cells: [], code: 'MR-D251', reason });
    }
  }
}

function checkSum(
  slice: Slice,
  count: { reported: number; seen: number; written: number; dirty: number },
): void {
  const { reported, seen, written, dirty } = count;
  if (reported === seen && seen === written + dirty) return;
  throw new MillraceError(
    'MR-D220',
    `slice ${slice.no} (${slice.label}): the reader reports ${reported} rows, ${seen} came through, ` +
      `${written} were written and ${dirty} are dirty`,
  );
}
