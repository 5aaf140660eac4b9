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
  TableSchema,
  WriterJob,
  WriterPlugin,
} from '@millrace/sdk';
import type { DirtyLimit } from '../domain/channel/channel-change.js';
import type { RateLimit } from '../domain/channel/rate-limit.js';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import type { FieldMapping, ResolvedMapping } from './field-mapping.js';
import { isSameMapping, provisionalMapping, resolveMapping } from './field-mapping.js';
import type { ChannelLine } from './live-channel.js';
import { LiveChannel } from './live-channel.js';
import type { DirtySink } from './quarantine.js';
import { Quarantine } from './quarantine.js';
import { RateLimiter } from './rate-limit.js';
import type { PipeJob } from './slice-pipe.js';
import { chooseLane, copySlice } from './slice-pipe.js';
import { SyncCounters } from './sync-counters.js';

export interface ChannelControl {
  readonly concurrency: number;
  readonly rateLimit?: RateLimit | undefined;
  readonly dirtyLimit: DirtyLimit;
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
  /** The wall clock by which windows of the rate limit are meant, `HH:MM`; absent: UTC's. */
  readonly localTime?: (() => string) | undefined;
  /** Absent: nothing changes while it runs. */
  readonly line?: ChannelLine | undefined;
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
/** More slices than channels, so that a slow slice does not leave the others idle at the end. */
const SLICES_PER_CHANNEL = 4;
const TICK_MS = 1000;

const nowMs = (): number => performance.now();

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

async function slicesOf(reader: ReaderJob, job: SyncJob): Promise<readonly Slice[]> {
  const { concurrency } = job.channel;
  const count = concurrency === 1 ? 1 : concurrency * SLICES_PER_CHANNEL;
  const slices: Slice[] = [];
  for await (const slice of reader.slices({ count })) slices.push(slice);
  return slices;
}

async function writeFrom(reader: ReaderJob, job: SyncJob): Promise<SyncResult> {
  const { context } = job;
  const source = await reader.describe();
  if (source.estimatedRows !== undefined) context.progress({ rowsTotal: source.estimatedRows });
  reportFindings(await reader.check(), context);
  if (reader.pinSnapshot) {
    const snapshot = await reader.pinSnapshot(job.channel.concurrency);
    context.log.info(
      `Snapshot: ${snapshot.label}${snapshot.consistent ? '' : ' (not consistent)'}`,
    );
  } else if (job.channel.concurrency > 1) {
    context.log.info('Snapshot: not consistent between slices; this reader has none.');
  }
  const slices = await slicesOf(reader, job);
  const writers = Math.max(1, Math.min(job.channel.concurrency, slices.length));
  const counters = new SyncCounters({
    progress: (progress) => context.progress(progress),
    nowMs,
    rowsTotal: source.estimatedRows,
  });
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
    const open: OpenJob = { reader, writer, resolved, source, slices, writers };
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
  readonly slices: readonly Slice[];
  readonly writers: number;
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
  const labels = open.slices.map((slice) => slice.label).slice(0, 20);
  context.log.info(`Plan: ${plan.strategy}: ${plan.label}`);
  context.log.info(
    `Slices: ${open.slices.length} over ${open.writers} channels: ${labels.join(', ')}${labels.length < open.slices.length ? ', …' : ''}`,
  );
  const limiter = new RateLimiter(nowMs);
  const pipe: PipeJob = {
    sourceIndexes: open.resolved.sourceIndexes,
    limiter,
    quarantine,
    counters,
    chunkBytes: () => chunkBytesOf(limiter),
    channelBytes: CHANNEL_BYTES,
    context,
  };
  counters.slices = open.slices.length;
  counters.channels = open.writers;
  await whileLive(job, pipe, () => copySlices(open, pipe));
  await quarantine.close();
  await context.crashPoint('sync:before-finalize');
  context.signal.throwIfAborted();
  const published: FinalizeStats = await writer.finalize();
  await context.crashPoint('sync:after-finalize');
  counters.end();
  const summary = counters.summary(published, quarantine.reasons(), new Date());
  for (const line of summary) context.log.info(line);
  return { ...counters.totals(), wasPublished: false };
}

/** Meanwhile limits follow the clock and what the line tells, and the figures of each second are told. */
async function whileLive(job: SyncJob, pipe: PipeJob, copy: () => Promise<void>): Promise<void> {
  const { limiter, quarantine, counters, context } = pipe;
  const live = new LiveChannel({
    rateLimit: job.channel.rateLimit,
    dirtyLimit: job.channel.dirtyLimit,
    limiter,
    quarantine,
    log: context.log,
    localTime: job.localTime ?? (() => new Date().toISOString().slice(11, 16)),
    nowMs,
  });
  job.line?.listen((news) => live.hear(news));
  const timer = setInterval(() => {
    live.apply();
    counters.sample();
    job.line?.demand(live.demands());
  }, TICK_MS);
  try {
    // What is lent to it comes a moment later, and decides how large chunks should be.
    await counters.waits.rateLimit.during(limiter.take(1, 0, context.signal));
    await copy();
  } finally {
    clearInterval(timer);
    job.line?.listen(() => undefined);
  }
}

/** A slow limit wants small chunks: one of a megabyte would be a minute of waiting, then a burst. */
function chunkBytesOf(limiter: RateLimiter): number {
  const quarterSecond = limiter.bytesPerSecond / 4;
  return Math.max(1024, Math.min(CHUNK_BYTES, Math.floor(quarterSecond)));
}

async function copySlices(open: OpenJob, pipe: PipeJob): Promise<void> {
  const queue = [...open.slices];
  const abort = new AbortController();
  const signal = AbortSignal.any([pipe.context.signal, abort.signal]);
  const failures: unknown[] = [];
  const runChannel = async (no: number): Promise<void> => {
    try {
      await copyQueue(no, queue, open, pipe, signal);
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
  queue: Slice[],
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
        pipe.counters.lane = lane;
        pipe.context.log.info(`Lane: ${lane}`);
      }
      for (let slice = queue.shift(); slice !== undefined; slice = queue.shift()) {
        signal.throwIfAborted();
        const { wasCommitted } = await copySlice(slice, reader, writer, pipe, signal);
        if (!wasCommitted) continue;
        pipe.counters.slicesDone += 1;
        pipe.context.log.info(`Slice ${slice.label} was committed before.`);
      }
    } finally {
      await writer.close();
    }
  } finally {
    await reader.close();
  }
}
