import type {
  CursorMove,
  DirtyRecord,
  FinalizeStats,
  JobContext,
  Mapping,
  ReaderJob,
  Slice,
  TableSchema,
  TargetPlan,
  WriteContext,
  WriterJob,
} from '@millrace/sdk';
import { SlabPool } from '@millrace/sdk';
import { rateAt } from '../domain/channel/rate-limit.js';
import { MillraceError } from '../domain/errors.js';
import type { OpenJob } from './copy-slices.js';
import { channelBytesOf, chunkBytesOf, copySlices, localTimeOf, whileLive } from './copy-slices.js';
import type { ResolvedMapping } from './field-mapping.js';
import { provisionalMapping } from './field-mapping.js';
import { checkIncremental, nextWindow } from './incremental.js';
import { EarlyConnection } from './early-connection.js';
import { messageOf, reportEnd, reportFindings, reportVerdicts } from './job-report.js';
import { openMapped } from './open-mapped.js';
import { dirtyFactsOf } from './dirty-facts.js';
import { Quarantine } from './quarantine.js';
import { RateLimiter } from './rate-limit.js';
import type { ReplayRecord } from './replay.js';
import { partitionAddedTo, refuseUnfilled, replayConversion, replayReader } from './replay.js';
import { Resume } from './resume.js';
import { programOf } from './row-program.js';
import type { RowProgram } from './row-program.js';
import { RowVerification } from './row-verification.js';
import type { PipeJob } from './slice-pipe.js';
import { piecesOf, SliceQueue } from './slice-queue.js';
import { pinSnapshot } from './pin-snapshot.js';
import { SnapshotAge } from './snapshot-age.js';
import { StallWatch } from './stall-watch.js';
import { SyncCounters } from './sync-counters.js';
import type { PolicyRules } from './value-policies.js';
import type { SyncJob, SyncResult } from './sync-job.js';
import {
  contextOf,
  jobContext,
  pairsOf,
  policyRulesOf,
  transformOf,
  verificationOf,
} from './sync-job.js';

const MAX_ROW_BYTES = 64 * 1024 * 1024;

const nowMs = (): number => performance.now();

/**
 * Copies what the reader finds to the target. Everything that can be known before is checked before
 * the first row; nothing is visible in the target before the end, and a failure leaves it as it was.
 * Throws what failed first, with a registry code where it has one.
 */
export async function runSyncJob(given: SyncJob): Promise<SyncResult> {
  const stall = new StallWatch(given.channel.stallMinutes);
  const signal = AbortSignal.any([given.context.signal, stall.signal]);
  const context = contextOf(given.context, signal);
  context.signal.throwIfAborted();
  await using connection = new EarlyConnection(given.writer, jobContext(context, given.target));
  const job: WatchedJob = { ...given, stall, context, connection };
  const source = await job.reader.open(job.readerConfig as never, jobContext(context, job.source));
  const reader = job.replay === undefined ? source : replayReader(source, job.replay);
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

interface WatchedJob extends SyncJob {
  readonly stall: StallWatch;
  readonly connection: EarlyConnection;
}

function targetContext(
  job: SyncJob,
): JobContext<never> & Pick<WriteContext, 'verification' | 'addsTo'> {
  const own = jobContext(job.context, job.target);
  return { ...own, verification: verificationOf(job), ...partitionAddedTo(job) };
}

async function writeFrom(reader: ReaderJob, job: WatchedJob): Promise<SyncResult> {
  const { context } = job;
  const source = await reader.describe();
  if (source.estimatedRows !== undefined) context.progress({ rowsTotal: source.estimatedRows });
  reportFindings(await reader.check(), context);
  const { concurrency, rateLimit } = job.channel;
  const snapshot = await pinSnapshot(reader, concurrency, context.log);
  using age = new SnapshotAge(snapshot, job.channel.snapshotMinutes);
  const cursor = await openWindow(reader, job, source);
  const channels = Math.min(concurrency, snapshot?.readers ?? Number.POSITIVE_INFINITY);
  const rate = rateAt(rateLimit ?? {}, localTimeOf(job));
  const pieces = await piecesOf(reader, channels, rate);
  const resume = new Resume(job, { source, snapshot, cursor, channels });
  const transform = await transformOf(job);
  const writers = Math.max(1, Math.min(channels, pieces.length));
  const counters = new SyncCounters({
    progress: (progress) => context.progress(progress),
    nowMs,
    rowsTotal: source.estimatedRows,
  });
  const quarantine = new Quarantine(job.channel.dirtyLimit, () => counters.rowsRead, job.onDirty);
  let names: Pick<DirtyRecord, 'columns' | 'key'> = {};
  const onDirty = async (record: DirtyRecord): Promise<void> => {
    counters.dirty(record);
    await quarantine.add({ ...record, ...names, ...dirtyFactsOf(record) });
    // Its transaction is open still: what the others have written must not be committed without it.
    if (job.replay !== undefined && record.sliceNo === undefined) throw refusedAgain(1, job.replay);
  };
  const openWriter = (mapping: Mapping): Promise<WriterJob> =>
    job.writer.open(job.writerConfig as never, {
      ...targetContext(job),
      mapping,
      writers,
      ...(cursor === undefined ? {} : { cursor }),
      ...resume.keyOf(mapping),
      quarantine: onDirty,
      rowsDirty: () => counters.rowsDirty,
      takeConnection: () => job.connection.take(),
    });
  const mapped = { ...job, readBefore: cursor?.from };
  const { writer, resolved, target } = await openMapped(source, mapped, 'create', openWriter);
  const columns = resolved.mapping.columns.map((column) => column.target);
  names = { columns, key: target.primaryKey.filter((name) => columns.includes(name)) };
  try {
    refuseUnfilled(job, columns);
    const program = programOf(job.mapping, resolved, transform);
    const convert = conversionOf(job, resolved, program);
    const hasSnapshot = snapshot?.consistent === true;
    const ends = { reader, writer, resolved, convert, source, target, hasSnapshot };
    const planned: PlannedJob = { ...ends, pieces, resume, writers, age };
    return await publish(planned, job, { counters, quarantine, onDirty });
  } catch (error) {
    await quarantine.flush().catch((failure: unknown) => {
      context.log.warn(`Some dirty records could not be kept: ${messageOf(failure)}`);
    });
    await writer.abort(error, resume.mayFollow(error)).catch((failure: unknown) => {
      context.log.warn(`The target could not be tidied up: ${messageOf(failure)}`);
    });
    throw error;
  }
}

/** What the run is to keep of how far it has read; the target says how far the last one came. */
async function openWindow(
  reader: ReaderJob,
  job: SyncJob,
  source: TableSchema,
): Promise<CursorMove | undefined> {
  const { incremental, context } = job;
  if (incremental === undefined || job.replay !== undefined) return undefined;
  checkIncremental(incremental, job.writerConfig);
  const probe = await job.writer.open(job.writerConfig as never, {
    ...jobContext(context, job.target),
    mapping: provisionalMapping(job.mapping, source),
    writers: 1,
    verification: 'none',
    quarantine: () => Promise.reject(new Error('nothing is written yet')),
    rowsDirty: () => 0,
  });
  try {
    return await nextWindow(reader, probe, incremental, (text) => context.log.info(text));
  } finally {
    await probe.abort(new Error('only its cursor was asked for'));
  }
}

function conversionOf(
  { replay }: SyncJob,
  resolved: ResolvedMapping,
  program: RowProgram | undefined,
): PipeJob['convert'] {
  if (replay !== undefined) return replayConversion(replay, resolved.origins.length, program);
  return program === undefined ? undefined : (row) => program.run(program.raw(row));
}

/** What is known before the target has said what is left to read. */
interface PlannedJob extends Omit<OpenJob, 'queue'> {
  readonly pieces: readonly Slice[];
  readonly resume: Resume;
}

interface Counting {
  readonly counters: SyncCounters;
  readonly quarantine: Quarantine;
  onDirty(record: DirtyRecord): Promise<void>;
}

async function publish(open: PlannedJob, job: WatchedJob, counting: Counting): Promise<SyncResult> {
  const { writer } = open;
  const { context } = job;
  const { counters, quarantine } = counting;
  const { verdicts, findings } = await writer.check(open.source);
  reportFindings(findings, context);
  reportVerdicts(verdicts, context);
  const policies = policyRulesOf(open, job);
  for (const line of policies?.plan ?? []) context.log.info(line);
  const plan = await writer.prepare();
  if ('published' in plan) {
    context.log.info(`This run was published before: ${plan.published.rowsPublished} rows.`);
    return {
      ...counters.totals(),
      rowsWritten: plan.published.rowsPublished,
      policies: [],
      wasPublished: true,
    };
  }
  context.log.info(`Plan: ${plan.strategy}: ${plan.label}`);
  const verification = await load(open, job, counting, plan, policies);
  await quarantine.close();
  if (job.replay !== undefined && quarantine.count > 0) {
    throw refusedAgain(quarantine.count, job.replay);
  }
  await context.crashPoint('sync:before-verify');
  const { rowsWritten: rows, rowsDirty: dirty, rowsFiltered: filtered } = counters;
  await verification.compare(writer, { rows, dirty, filtered }, context.log);
  await context.crashPoint('sync:before-finalize');
  context.signal.throwIfAborted();
  const dirtyBefore = counters.rowsDirty;
  const published: FinalizeStats = await writer.finalize();
  // A key of the target's own rows refuses staged rows only while they are published.
  counters.rowsWritten -= counters.rowsDirty - dirtyBefore;
  await quarantine.flush();
  await context.crashPoint('sync:after-finalize');
  counters.end();
  const applied = policies?.counts ?? [];
  reportEnd(counters.summary(published, quarantine.reasons(), new Date()), applied, context);
  return { ...counters.totals(), policies: applied, wasPublished: false };
}

function refusedAgain(count: number, replay: readonly ReplayRecord[]): MillraceError {
  return new MillraceError('MR-D221', `${count} of ${replay.length} rows are refused again`);
}

/** Brings all slices to the target, where nobody sees them yet. */
async function load(
  open: PlannedJob,
  job: WatchedJob,
  counting: Counting,
  plan: TargetPlan,
  policies: PolicyRules | undefined,
): Promise<RowVerification> {
  const { context } = job;
  const { counters, quarantine } = counting;
  if (plan.resumed !== undefined) counters.resume(plan.resumed);
  const pieces = await open.resume.begin(open.writer, plan, open.pieces, context.log);
  // What a replay refuses is known by the number of its slice.
  const queue = new SliceQueue(pieces, open.writers, { isCut: job.replay === undefined });
  context.log.info(`Slices: ${queue.text}`);
  const limiter = new RateLimiter(nowMs);
  const verification = rowVerificationOf(open, job, plan.resumed !== undefined);
  const pipe: PipeJob = {
    sourceIndexes: open.resolved.sourceIndexes,
    convert: open.convert,
    policies,
    limiter,
    quarantine,
    counters,
    verification,
    chunkBytes: () => chunkBytesOf(limiter, open.writers, counters),
    channelBytes: channelBytesOf(open.writers),
    slabs: new SlabPool(),
    maxRowBytes: job.channel.maxRowBytes ?? MAX_ROW_BYTES,
    onDirty: (record) => counting.onDirty(record),
    context,
  };
  const { rateLimit } = counters.waits;
  const moved = (): number => counters.rowsRead + counters.rowsAcknowledged + rateLimit.totalMs;
  {
    using _ = job.stall.during(moved);
    await whileLive({ ...job, nowMs }, pipe, () => copySlices({ ...open, queue }, pipe));
  }
  return verification;
}

function rowVerificationOf(open: PlannedJob, job: SyncJob, isResumed: boolean): RowVerification {
  const isChanged = open.convert !== undefined;
  return new RowVerification({
    wanted: verificationOf(job),
    pairs: pairsOf(open),
    isSameSystem: job.source.type === job.target.type,
    changes: isChanged
      ? 'the mapping changes values'
      : job.policies === undefined
        ? undefined
        : 'value policies change values',
    hasSnapshot: open.hasSnapshot,
    isResumed,
  });
}
