import type {
  Column,
  CursorMove,
  DirtyRecord,
  FinalizeStats,
  JobContext,
  Mapping,
  PartitionValues,
  ReaderJob,
  ReaderPlugin,
  ResolvedDataSource,
  RunContext,
  Slice,
  TableSchema,
  TargetPlan,
  Verification,
  WriteContext,
  WriterJob,
  WriterPlugin,
} from '@millrace/sdk';
import { SlabPool } from '@millrace/sdk';
import type { DirtyLimit } from '../domain/channel/channel-change.js';
import { type RateLimit, rateAt } from '../domain/channel/rate-limit.js';
import { MillraceError } from '../domain/errors.js';
import type { OpenJob } from './copy-slices.js';
import { channelBytesOf, chunkBytesOf, copySlices, localTimeOf, whileLive } from './copy-slices.js';
import type { FieldMapping, ResolvedMapping } from './field-mapping.js';
import { provisionalMapping } from './field-mapping.js';
import type { Incremental } from './incremental.js';
import { checkIncremental, nextWindow } from './incremental.js';
import { EarlyConnection } from './early-connection.js';
import { messageOf, reportEnd, reportFindings, reportVerdicts } from './job-report.js';
import type { ChannelLine } from './live-channel.js';
import type { OpenMapped } from './open-mapped.js';
import { openMapped } from './open-mapped.js';
import { dirtyFactsOf } from './dirty-facts.js';
import type { DirtySink } from './quarantine.js';
import { Quarantine } from './quarantine.js';
import { RateLimiter } from './rate-limit.js';
import type { ReplayRecord } from './replay.js';
import { partitionAddedTo, refuseUnfilled, replayConversion, replayReader } from './replay.js';
import { Resume } from './resume.js';
import { programOf } from './row-program.js';
import type { RowProgram } from './row-program.js';
import { RowVerification } from './row-verification.js';
import type { RowTransform } from './row-transform.js';
import { loadTransform } from './row-transform.js';
import type { PipeJob } from './slice-pipe.js';
import { piecesOf, SliceQueue } from './slice-queue.js';
import { pinSnapshot } from './pin-snapshot.js';
import { SnapshotAge } from './snapshot-age.js';
import { StallWatch } from './stall-watch.js';
import { SyncCounters } from './sync-counters.js';
import type { PolicyCount, ValuePolicies } from './value-policies.js';
import { PolicyRules } from './value-policies.js';

export interface ChannelControl {
  readonly concurrency: number;
  readonly rateLimit?: RateLimit | undefined;
  readonly dirtyLimit: DirtyLimit;
  /** After so long a snapshot costs the source too much and the run ends; 60 without it. */
  readonly snapshotMinutes?: number | undefined;
  /** When no row has moved for so long the run ends, to be tried again; 60 without it. */
  readonly stallMinutes?: number | undefined;
  /** On the wire; default 64 MB. A larger row is a dirty record. */
  readonly maxRowBytes?: number | undefined;
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
  readonly incremental?: Incremental | undefined;
  /** Rows of the quarantine, instead of those of the source. All of them are written, or none. */
  readonly replay?: readonly ReplayRecord[] | undefined;
  /** The one that a run replaces, and a replay adds to. */
  readonly partition?: PartitionValues | undefined;
  readonly channel: ChannelControl;
  readonly policies?: ValuePolicies | undefined;
  /** Absent: the rows are counted. */
  readonly verification?: Verification | undefined;
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
  /** How often a policy gave a value another form, by policy and column of the target. */
  readonly policies: readonly PolicyCount[];
  /** This very run had been published before; nothing was read. */
  readonly wasPublished: boolean;
}

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

/** Copied member by member: a spread would lose the methods of a context that is a class. */
function contextOf(context: RunContext, signal: AbortSignal): RunContext {
  return {
    identity: context.identity,
    parameters: context.parameters,
    log: context.log,
    signal,
    progress: (progress) => context.progress(progress),
    crashPoint: (name) => context.crashPoint(name),
  };
}

export function jobContext(context: RunContext, dataSource: ResolvedDataSource): JobContext<never> {
  const own = contextOf(context, context.signal);
  return { ...own, dataSource: dataSource as ResolvedDataSource<never> };
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

export async function transformOf({
  mapping,
  context,
}: SyncJob): Promise<RowTransform | undefined> {
  if (mapping?.transform === undefined) return undefined;
  const { parameters, identity } = context;
  return await loadTransform(mapping.transform, { parameters, bizdate: identity.bizdate });
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

export function policyRulesOf(
  open: Pick<OpenMapped, 'resolved' | 'target'>,
  job: SyncJob,
): PolicyRules | undefined {
  return PolicyRules.of(job.policies ?? {}, pairsOf(open));
}

function pairsOf(
  open: Pick<OpenMapped, 'resolved' | 'target'>,
): readonly { readonly source: Column; readonly target: Column }[] {
  return open.resolved.mapping.columns.map(({ source, target }) => ({
    source,
    target: open.target.columns.find((column) => column.name === target) ?? source,
  }));
}

export function verificationOf({ verification = 'count' }: SyncJob): Verification {
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
