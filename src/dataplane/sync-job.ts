import type {
  ColumnVerdict,
  FinalizeStats,
  Finding,
  JobContext,
  Mapping,
  ReaderJob,
  ReaderPlugin,
  ResolvedDataSource,
  RunContext,
  Slice,
  SnapshotToken,
  TableSchema,
  WriterJob,
  WriterPlugin,
} from '@millrace/sdk';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import type { FieldMapping, ResolvedMapping } from './field-mapping.js';
import { isSameMapping, provisionalMapping, resolveMapping } from './field-mapping.js';
import type { DirtyLimit, DirtySink } from './quarantine.js';
import { Quarantine } from './quarantine.js';
import type { RateLimit } from './rate-limit.js';
import { RateLimiter } from './rate-limit.js';
import type { PipeJob } from './slice-pipe.js';
import { chooseLane, copySlice } from './slice-pipe.js';
import { piecesFor, SliceQueue } from './slice-queue.js';
import { SnapshotAge } from './snapshot-age.js';
import { SyncCounters } from './sync-counters.js';

export interface ChannelControl {
  readonly concurrency: number;
  readonly rateLimit?: RateLimit | undefined;
  readonly dirtyLimit: DirtyLimit;
  /** After so long a snapshot costs the source too much and the run ends; 60 without it. */
  readonly snapshotMinutes?: number | undefined;
}

/** One sync, ready to run: configurations are valid for their plugins' schemas, defaults filled in. */
export interface SyncJob {
  readonly reader: ReaderPlugin;
  readonly readerConfig: unknown;
  readonly source: ResolvedDataSource;
  readonly writer: WriterPlugin;
  readonly writerConfig: unknown;
  readonly target: ResolvedDataSource;
  readonly mapping?: FieldMapping | undefined;
  readonly channel: ChannelControl;
  readonly context: RunContext;
  readonly onDirty: DirtySink;
}

export interface SyncResult {
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly rowsDirty: number;
  readonly bytes: number;
  /** This very run had been published before; nothing was read. */
  readonly wasPublished: boolean;
}

const CHANNEL_BYTES = 8 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
/** Of one piece: some 0.7 s of a channel's work at 25 MB/s, so a slice of four is 2 to 5 s. */
const PIECE_BYTES = 16 * 1024 * 1024;
const PIECE_SECONDS = 0.7;

/**
 * Copies what the reader finds to the target. Everything that can be known before is checked before
 * the first row; nothing is visible in the target before the end, and a failure leaves it as it was.
 * Throws what failed first, with a registry code where it has one.
 */
export async function runSyncJob(job: SyncJob): Promise<SyncResult> {
  const { context } = job;
  context.signal.throwIfAborted();
  const reader = await job.reader.open(job.readerConfig as never, jobContext(context, job.source));
  let outcome: 'succeeded' | 'failed' = 'failed';
  try {
    const result = await writeFrom(reader, job);
    outcome = 'succeeded';
    return result;
  } finally {
    await reader.close(outcome).catch((error: unknown) => {
      context.log.warn(`The source could not be closed: ${messageOf(error)}`);
    });
  }
}

/** Copied member by member: a spread would lose the methods of a context that is a class. */
function jobContext(context: RunContext, dataSource: ResolvedDataSource): JobContext<never> {
  return {
    identity: context.identity,
    parameters: context.parameters,
    log: context.log,
    signal: context.signal,
    progress: (progress) => context.progress(progress),
    crashPoint: (name) => context.crashPoint(name),
    dataSource: dataSource as ResolvedDataSource<never>,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function reportFindings(findings: readonly Finding[], context: RunContext): void {
  for (const { level, message } of findings) {
    if (level === 'warning') context.log.warn(message);
    if (level === 'info') context.log.info(message);
  }
  const errors = findings.filter((finding) => finding.level === 'error');
  if (errors.length === 0) return;
  const code = errors.map(registeredCodeOf).find((each) => each !== undefined) ?? 'MR-D208';
  throw new MillraceError(code, errors.map((finding) => finding.message).join('; '));
}

function reportVerdicts(verdicts: readonly ColumnVerdict[], context: RunContext): void {
  const line = (v: ColumnVerdict): string =>
    `${v.source} -> ${v.target}: ${v.verdict}${v.reason === undefined ? '' : ` (${v.reason})`}`;
  for (const verdict of verdicts) {
    if (verdict.verdict !== 'exact') context.log.info(`Column ${line(verdict)}`);
  }
  const impossible = verdicts.filter((v) => v.verdict === 'impossible');
  if (impossible.length > 0) {
    throw new MillraceError('MR-D208', impossible.map(line).join('; '));
  }
}

async function piecesOf(
  reader: ReaderJob,
  job: SyncJob,
  channels: number,
): Promise<readonly Slice[]> {
  const limited = job.channel.rateLimit?.bytesPerSecond ?? Number.POSITIVE_INFINITY;
  const bytes = Math.min(PIECE_BYTES, Math.ceil((limited / channels) * PIECE_SECONDS));
  const pieces: Slice[] = [];
  for await (const piece of reader.slices({ count: piecesFor(channels), bytes })) {
    pieces.push(piece);
  }
  return pieces;
}

async function pinned(reader: ReaderJob, job: SyncJob): Promise<SnapshotToken | undefined> {
  const { context, channel } = job;
  const snapshot = await reader.pinSnapshot?.(channel.concurrency);
  if (snapshot !== undefined) {
    context.log.info(
      `Snapshot: ${snapshot.label}${snapshot.consistent ? '' : ' (not consistent)'}`,
    );
    if ((snapshot.readers ?? channel.concurrency) < channel.concurrency) {
      context.log.warn(
        `${snapshot.readers} of ${channel.concurrency} channels share the snapshot.`,
      );
    }
  } else if (channel.concurrency > 1) {
    context.log.info('Snapshot: not consistent between slices; this reader has none.');
  }
  return snapshot;
}

async function writeFrom(reader: ReaderJob, job: SyncJob): Promise<SyncResult> {
  const { context } = job;
  const source = await reader.describe();
  if (source.estimatedRows !== undefined) context.progress({ rowsTotal: source.estimatedRows });
  reportFindings(await reader.check(), context);
  const snapshot = await pinned(reader, job);
  using age = new SnapshotAge(snapshot, job.channel.snapshotMinutes);
  const channels = Math.min(job.channel.concurrency, snapshot?.readers ?? Number.POSITIVE_INFINITY);
  const pieces = await piecesOf(reader, job, channels);
  const writers = Math.max(1, Math.min(channels, pieces.length));
  const counters = new SyncCounters(context);
  const rowsRead = (): number => counters.rowsRead;
  const quarantine = new Quarantine(job.channel.dirtyLimit, rowsRead, job.onDirty);
  const openWriter = (mapping: Mapping): Promise<WriterJob> =>
    job.writer.open(job.writerConfig as never, {
      ...jobContext(context, job.target),
      mapping,
      writers,
      quarantine: async (record) => {
        counters.rowsDirty += 1;
        await quarantine.add(record);
      },
    });
  const { writer, resolved } = await openMapped(source, job, openWriter);
  try {
    const queue = new SliceQueue(pieces, writers);
    const open: OpenJob = { reader, writer, resolved, source, queue, writers, age };
    return await publish(open, job, { counters, quarantine });
  } catch (error) {
    await quarantine.flush().catch((failure: unknown) => {
      context.log.warn(`Some dirty records could not be kept: ${messageOf(failure)}`);
    });
    await writer.abort(error).catch((failure: unknown) => {
      context.log.warn(`The target could not be tidied up: ${messageOf(failure)}`);
    });
    throw error;
  }
}

/**
 * A writer is opened with its mapping, but the target's own spelling of the columns is known only to an
 * open writer: where it differs from the first guess the writer is opened a second time.
 */
async function openMapped(
  source: TableSchema,
  job: SyncJob,
  open: (mapping: Mapping) => Promise<WriterJob>,
): Promise<{ writer: WriterJob; resolved: ResolvedMapping }> {
  const guess = provisionalMapping(job.mapping, source);
  const first = await open(guess);
  try {
    const resolved = resolveMapping(job.mapping, source, await first.describe());
    for (const note of resolved.notes) job.context.log.warn(note);
    if (isSameMapping(guess, resolved.mapping)) return { writer: first, resolved };
    await first.abort(new Error('opened again with the column names of the target'));
    const writer = await open(resolved.mapping);
    await writer.describe();
    return { writer, resolved };
  } catch (error) {
    await first.abort(error).catch(() => undefined);
    throw error;
  }
}

interface OpenJob {
  readonly reader: ReaderJob;
  readonly writer: WriterJob;
  readonly resolved: ResolvedMapping;
  readonly source: TableSchema;
  readonly queue: SliceQueue;
  readonly writers: number;
  readonly age: SnapshotAge;
}

interface Counting {
  readonly counters: SyncCounters;
  readonly quarantine: Quarantine;
}

async function publish(open: OpenJob, job: SyncJob, counting: Counting): Promise<SyncResult> {
  const { writer } = open;
  const { context } = job;
  const { counters, quarantine } = counting;
  const { verdicts, findings } = await writer.check(open.source);
  reportFindings(findings, context);
  reportVerdicts(verdicts, context);
  const plan = await writer.prepare();
  if ('published' in plan) {
    context.log.info(`This run was published before: ${plan.published.rowsPublished} rows.`);
    return { ...counters.totals(), rowsWritten: plan.published.rowsPublished, wasPublished: true };
  }
  const { labels } = open.queue;
  const shown = labels.slice(0, 20);
  context.log.info(`Plan: ${plan.strategy}: ${plan.label}`);
  context.log.info(
    `Slices: ${labels.length} over ${open.writers} channels: ${shown.join(', ')}${shown.length < labels.length ? ', …' : ''}`,
  );
  const pipe: PipeJob = {
    sourceIndexes: open.resolved.sourceIndexes,
    limiter: new RateLimiter(job.channel.rateLimit, () => performance.now()),
    quarantine,
    chunkBytes: chunkBytesOf(job.channel.rateLimit),
    channelBytes: CHANNEL_BYTES,
    context,
    onRead: (chunk) => counters.read(chunk.rowCount, chunk.byteCount),
    onWritten: (rows) => counters.written(rows),
  };
  await copySlices(open, pipe);
  const { taken } = open.queue;
  if (taken > 0) context.log.info(`Slices that an idle channel took over in part: ${taken}`);
  await quarantine.close();
  await context.crashPoint('sync:before-finalize');
  context.signal.throwIfAborted();
  const published: FinalizeStats = await writer.finalize();
  await context.crashPoint('sync:after-finalize');
  counters.report();
  for (const line of counters.summary(published, quarantine.reasons())) context.log.info(line);
  return { ...counters.totals(), wasPublished: false };
}

/** A slow limit wants small chunks: one of a megabyte would be a minute of waiting, then a burst. */
function chunkBytesOf(limit: RateLimit | undefined): number {
  const quarterSecond = (limit?.bytesPerSecond ?? Number.POSITIVE_INFINITY) / 4;
  return Math.max(1024, Math.min(CHUNK_BYTES, Math.floor(quarterSecond)));
}

async function copySlices(open: OpenJob, pipe: PipeJob): Promise<void> {
  const abort = new AbortController();
  const signal = AbortSignal.any([pipe.context.signal, abort.signal, open.age.signal]);
  const failures: unknown[] = [];
  const runChannel = async (no: number): Promise<void> => {
    try {
      await copyQueue(no, open, pipe, signal);
    } catch (error) {
      failures.push(error);
      abort.abort(error);
    }
  };
  await Promise.all(Array.from({ length: open.writers }, (_, no) => runChannel(no)));
  if (failures.length > 0) throw failures[0];
}

async function copyQueue(
  no: number,
  open: OpenJob,
  pipe: PipeJob,
  signal: AbortSignal,
): Promise<void> {
  const reader = await open.reader.open(no);
  try {
    const writer = await open.writer.open(no);
    try {
      if (no === 0) {
        const lane = chooseLane(reader.lanes, writer.lanes);
        pipe.context.log.info(`Lane: ${lane}`);
      }
      const { queue } = open;
      for (let running = queue.take(); running !== undefined; running = queue.take()) {
        signal.throwIfAborted();
        const { wasCommitted } = await copySlice(running, reader, writer, pipe, signal);
        queue.done(running);
        const { label } = running.slice;
        if (wasCommitted) pipe.context.log.info(`Slice ${label} was committed before.`);
      }
    } finally {
      await writer.close();
    }
  } finally {
    await reader.close();
  }
}
