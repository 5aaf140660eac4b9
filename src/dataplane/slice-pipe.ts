import type {
  BrokenRecord,
  Chunk,
  DirtyRecord,
  Lane,
  LargeRow,
  LargeRows,
  ReaderTask,
  Row,
  RunContext,
  Sink,
  SlabPool,
  Slice,
  WriterTask,
} from '@millrace/sdk';
import { MillraceError } from '../domain/errors.js';
import { ByteChannel } from './byte-channel.js';
import { projectRows } from './field-mapping.js';
import type { Quarantine } from './quarantine.js';
import type { RateLimiter } from './rate-limit.js';
import type { RowOutcome } from './row-program.js';
import type { RowVerification, SentRows } from './row-verification.js';
import type { RunningSlice } from './slice-queue.js';
import type { SyncCounters } from './sync-counters.js';
import type { PolicyRules } from './value-policies.js';

/** What all pipes of a job share. */
export interface PipeJob {
  readonly sourceIndexes: readonly number[];
  /** Of a mapping that looks into the rows; without it the cells go as they are. */
  readonly convert: ((row: Row) => RowOutcome) | undefined;
  /** What becomes of values that the target has no place for; `undefined`: nobody looks at them. */
  readonly policies: PolicyRules | undefined;
  readonly limiter: RateLimiter;
  readonly quarantine: Quarantine;
  readonly counters: SyncCounters;
  readonly verification: RowVerification;
  /** As it is good at this moment: a slow limit wants small chunks. */
  readonly chunkBytes: () => number;
  readonly channelBytes: number;
  readonly slabs: SlabPool;
  /** Larger rows become dirty records without being read. */
  readonly maxRowBytes: number;
  readonly context: RunContext;
  /** Counts and keeps a row that cannot be carried on; throws MR-D201 once the limit is passed. */
  onDirty(record: DirtyRecord): Promise<void>;
}

export interface SliceCount {
  readonly read: number;
  readonly written: number;
  readonly dirty: number;
  readonly wasCommitted: boolean;
}

/** The best lane of the reader that is legal for the writer too, and for what looks into the rows. */
export function chooseLane(
  reader: readonly Lane[],
  writer: readonly Lane[],
  { convert, policies }: Pick<PipeJob, 'convert' | 'policies'>,
): Lane {
  if (convert !== undefined || policies?.onlyCount === false) return 'rows';
  const isLegal = (lane: Lane): boolean => policies === undefined || lane !== 'pg-copy-binary';
  return reader.find((lane) => writer.includes(lane) && isLegal(lane)) ?? 'rows';
}

function isInOrder(sourceIndexes: readonly number[], cells: number): boolean {
  return sourceIndexes.length === cells && sourceIndexes.every((at, i) => at === i);
}

function projected(chunk: Chunk, { sourceIndexes, policies }: PipeJob): Chunk {
  if (chunk.lane !== 'rows') {
    policies?.count(chunk.data);
    return chunk;
  }
  const first = chunk.rows[0];
  const isReady = first === undefined || isInOrder(sourceIndexes, first.length);
  if (isReady && policies === undefined) return chunk;
  const rows = isReady ? chunk.rows : projectRows(chunk.rows, sourceIndexes);
  return { ...chunk, rows: policies?.apply(rows) ?? rows };
}

/** The rows of a chunk as the mapping makes them; what it refuses is dirty, what it drops is counted. */
async function mapped(
  chunk: Chunk,
  convert: (row: Row) => RowOutcome,
  sliceNo: number,
  job: PipeJob,
): Promise<{ readonly chunk: Chunk; readonly dropped: number }> {
  if (chunk.lane !== 'rows') throw new MillraceError('MR-P105', `a chunk of lane ${chunk.lane}`);
  const rows: Row[] = [];
  let dropped = 0;
  for (const row of chunk.rows) {
    const outcome = convert(row);
    if (outcome.kind === 'row') rows.push(outcome.row);
    else if (outcome.kind === 'dropped') dropped += 1;
    else {
      const { raw: cells, column, code, reason } = outcome;
      const at = column === undefined ? {} : { column };
      await job.onDirty({ sliceNo, cells, code, reason, stage: 'mapping', ...at });
    }
  }
  const ruled = job.policies?.apply(rows) ?? rows;
  return { chunk: { ...chunk, rows: ruled, rowCount: rows.length }, dropped };
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

/** Waits until the limits let the chunk through, and counts it; ends the slice when too much is dirty. */
async function admit(
  { byteCount, rowCount }: Pick<Chunk, 'byteCount' | 'rowCount'>,
  { counters, limiter, quarantine }: PipeJob,
  signal: AbortSignal,
): Promise<void> {
  await counters.waits.rateLimit.during(limiter.take(byteCount, rowCount, signal));
  await quarantine.enforce();
  counters.read(rowCount, byteCount);
}

/** Takes what the reader gives: counts it, slows it down, and hands what the mapping makes of it on. */
function sinkOf(
  lane: Lane,
  job: PipeJob,
  channel: ByteChannel,
  signal: AbortSignal,
  seen: SeenRows,
): Sink {
  const sink = {
    lane,
    chunkBytes: job.chunkBytes(),
    slabs: job.slabs,
    columns: job.sourceIndexes,
    large: seen,
    broken: (record: BrokenRecord) => seen.keep(record, signal),
    write: async (chunk: Chunk) => {
      await admit(chunk, job, signal);
      sink.chunkBytes = job.chunkBytes();
      await job.context.crashPoint('sync:chunk-read');
      seen.rows += chunk.rowCount;
      seen.bytes += chunk.byteCount;
      if (job.convert === undefined) {
        await channel.push(projected(chunk, job));
        return;
      }
      const result = await mapped(chunk, job.convert, seen.sliceNo, job);
      seen.filtered += result.dropped;
      if (result.chunk.rowCount > 0) await channel.push(result.chunk);
    },
  };
  return sink;
}

/** Copies one slice: reader, channel, writer; it is committed once its rows add up. */
export async function copySlice(
  running: RunningSlice,
  reader: ReaderTask,
  writer: WriterTask,
  job: PipeJob,
  signal: AbortSignal,
): Promise<SliceCount> {
  const { slice } = running;
  if ((await writer.begin(slice)) === 'already-committed') {
    return { read: 0, written: 0, dirty: 0, wasCommitted: true };
  }
  const dirtyBefore = job.quarantine.countOf(slice.no);
  const channel = new ByteChannel(job.channelBytes, job.counters.waits);
  const abort = new AbortController();
  const both = AbortSignal.any([signal, abort.signal]);
  await job.context.crashPoint('sync:slice-begun');
  const stop = (): void => channel.fail(both.reason);
  both.addEventListener('abort', stop, { once: true });
  const seen = new SeenRows(slice.no, job);
  const sent = job.verification.sending();
  const lane = chooseLane(reader.lanes, writer.lanes, job);
  const sink = sinkOf(lane, job, channel, both, seen);
  const read = async (): Promise<number> => {
    let rows = 0;
    for (let piece = running.next(); piece !== undefined; piece = running.next()) {
      rows += (await reader.read(piece, sink, both)).rows;
      await job.verification.read(reader, piece);
    }
    channel.close();
    return rows;
  };
  try {
    both.throwIfAborted();
    const reading = read();
    await runBoth(channel, abort, reading, writeAll(channel, writer, job, sent));
    const readRows = await reading;
    await job.context.crashPoint('sync:slice-written');
    const acked = await writer.flush();
    const dirty = job.quarantine.countOf(slice.no) - dirtyBefore;
    const { rows, filtered, bytes } = seen;
    const counts = { rowsRead: rows, rowsFiltered: filtered, rowsDirty: dirty, bytes };
    checkSum(slice, { reported: readRows, seen: rows, written: acked.rows, dirty, filtered });
    await writer.commit({ slices: running.read, ...counts });
    await job.context.crashPoint('sync:slice-committed');
    job.counters.written(acked.rows);
    job.counters.rowsFiltered += filtered;
    sent.commit();
    return { read: rows, written: acked.rows, dirty, wasCommitted: false };
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

async function writeAll(
  channel: ByteChannel,
  writer: WriterTask,
  job: PipeJob,
  sent: SentRows,
): Promise<void> {
  for await (const chunk of channel) {
    sent.add(chunk);
    await writer.write(chunk);
    job.counters.acknowledged(chunk.rowCount, chunk.byteCount);
  }
}

/** Counts the rows of a slice; those that its reader left out for their size go to the quarantine. */
class SeenRows implements LargeRows {
  readonly maxBytes: number;
  readonly sliceNo: number;
  readonly #job: PipeJob;
  rows = 0;
  bytes = 0;
  filtered = 0;

  constructor(sliceNo: number, job: PipeJob) {
    this.maxBytes = job.maxRowBytes;
    this.sliceNo = sliceNo;
    this.#job = job;
  }

  async refuse({ bytes, digest, head, key }: LargeRow): Promise<void> {
    this.rows += 1;
    this.bytes += bytes;
    this.#job.counters.read(1, bytes);
    const reason = `a row of ${bytes} bytes (SHA-256 ${digest}); at most ${this.maxBytes} are read`;
    const original = { place: key ?? 'a row without a key', bytes: head };
    const { sliceNo } = this;
    const large = { sliceNo, cells: [], code: 'MR-D251', reason, original } as const;
    await this.#job.onDirty({ ...large, stage: 'source' });
  }

  /** What is no row of the source: read, and dirty. */
  async keep({ bytes, place, code, reason }: BrokenRecord, signal: AbortSignal): Promise<void> {
    const job = this.#job;
    const size = { rowCount: 1, byteCount: bytes.length };
    await admit(size, job, signal);
    this.rows += 1;
    const original = { place, bytes };
    const { sliceNo } = this;
    await job.onDirty({ sliceNo, cells: [], code, reason, stage: 'source', original });
  }
}

function checkSum(
  slice: Slice,
  count: { reported: number; seen: number; written: number; dirty: number; filtered: number },
): void {
  const { reported, seen, written, dirty, filtered } = count;
  if (reported === seen && seen === written + dirty + filtered) return;
  throw new MillraceError(
    'MR-D220',
    `slice ${slice.no} (${slice.label}): the reader reports ${reported} rows, ${seen} came through, ` +
      `${written} were written, ${filtered} filtered and ${dirty} are dirty`,
  );
}
