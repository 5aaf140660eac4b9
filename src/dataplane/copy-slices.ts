import type { ReaderJob, TableSchema, WriterJob } from '@millrace/sdk';
import type { DirtyLimit } from '../domain/channel/channel-change.js';
import type { RateLimit } from '../domain/channel/rate-limit.js';
import type { ResolvedMapping } from './field-mapping.js';
import type { ChannelLine } from './live-channel.js';
import { LiveChannel } from './live-channel.js';
import type { RateLimiter } from './rate-limit.js';
import { BURST_MS } from './rate-limit.js';
import type { PipeJob } from './slice-pipe.js';
import { chooseLane, copySlice } from './slice-pipe.js';
import type { SliceQueue } from './slice-queue.js';
import type { SnapshotAge } from './snapshot-age.js';
import type { SyncCounters } from './sync-counters.js';

/**
 * While a chunk is looked at nothing is sent: at a megabyte MySQL had read all that was on its way before the next
 * one came, and its thread had nothing to do for a quarter of the time.
 */
const CLEAN_CHUNK_BYTES = 256 * 1024;
/**
 * A chunk with dirty rows is a few statements more for the target, however few rows it has: on PostgreSQL a sync
 * with 1 % of them took a twentieth longer with chunks of one megabyte, and a fortieth with those of three.
 */
const DIRTY_CHUNK_BYTES = 2 * 1024 * 1024;
/** With one dirty row among so many, every sixth small chunk of rows of 150 bytes has one. */
const ROWS_PER_DIRTY = 10_000;
const LEAST_LIMITED_BYTES = 1024;
/** Each channel has a few chunks under way: over many they are smaller, or the job would take as much more memory. */
const CHUNK_BYTES_OF_ALL = 4 * 1024 * 1024;
const TICK_MS = 1000;

/** Both ends of a job, opened, and the slices between them. */
export interface OpenJob {
  readonly reader: ReaderJob;
  readonly writer: WriterJob;
  readonly resolved: ResolvedMapping;
  readonly convert: PipeJob['convert'];
  readonly source: TableSchema;
  readonly hasSnapshot: boolean;
  readonly target: TableSchema;
  readonly queue: SliceQueue;
  readonly writers: number;
  readonly age: SnapshotAge;
}

/** What may change while a job runs, and by which clocks. */
interface LiveJob {
  readonly channel: { readonly rateLimit?: RateLimit | undefined; readonly dirtyLimit: DirtyLimit };
  /** Absent: UTC's. */
  readonly localTime?: (() => string) | undefined;
  readonly line?: ChannelLine | undefined;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
}

/** What the wall clock shows by which windows of the rate limit are meant, `HH:MM`. */
export function localTimeOf({ localTime }: Pick<LiveJob, 'localTime'>): string {
  return localTime?.() ?? new Date().toISOString().slice(11, 16);
}

/** Meanwhile limits follow the clock and what the line tells, and the figures of each second are told. */
export async function whileLive(
  job: LiveJob,
  pipe: PipeJob,
  copy: () => Promise<void>,
): Promise<void> {
  const { limiter, quarantine, counters, context } = pipe;
  const live = new LiveChannel({
    rateLimit: job.channel.rateLimit,
    dirtyLimit: job.channel.dirtyLimit,
    limiter,
    quarantine,
    log: context.log,
    localTime: () => localTimeOf(job),
    nowMs: job.nowMs,
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

/**
 * A slow limit wants small chunks: one of a megabyte would be a minute of waiting, then a burst. Those of all
 * channels are no more than what a limit lets through at once, or the time in which the next ones are read
 * would be lost.
 */
export function chunkBytesOf(
  limiter: RateLimiter,
  channels: number,
  { rowsRead, rowsDirty }: Pick<SyncCounters, 'rowsRead' | 'rowsDirty'>,
): number {
  const isDirty = rowsDirty * ROWS_PER_DIRTY > rowsRead;
  const most = isDirty ? largestChunk(channels) : CLEAN_CHUNK_BYTES;
  const slow = Math.floor((limiter.bytesPerSecond * BURST_MS) / 1000 / channels);
  return Math.max(LEAST_LIMITED_BYTES, Math.min(most, slow));
}

/** What one of so many channels may hold: for the writer, and for when it is through with that. */
export function channelBytesOf(channels: number): number {
  return 2 * largestChunk(channels);
}

function largestChunk(channels: number): number {
  const share = Math.floor(CHUNK_BYTES_OF_ALL / channels);
  return Math.min(DIRTY_CHUNK_BYTES, Math.max(CLEAN_CHUNK_BYTES, share));
}

/** Copies all slices, each channel one after another; throws what failed first. */
export async function copySlices(open: OpenJob, pipe: PipeJob): Promise<void> {
  pipe.counters.slices = open.queue.size;
  pipe.counters.channels = open.writers;
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
  const { taken } = open.queue;
  if (taken > 0) pipe.context.log.info(`Slices that an idle channel took over in part: ${taken}`);
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
      const lane = chooseLane(reader.lanes, writer.lanes, pipe);
      pipe.verification.meet(reader, open.writer, lane);
      if (no === 0) {
        pipe.counters.lane = lane;
        pipe.context.log.info(`Lane: ${lane}`);
        pipe.verification.announce(pipe.context.log);
      }
      const { queue } = open;
      for (let running = queue.take(); running !== undefined; running = queue.take()) {
        signal.throwIfAborted();
        pipe.counters.slices = queue.size;
        const { wasCommitted } = await copySlice(running, reader, writer, pipe, signal);
        queue.done(running);
        if (!wasCommitted) continue;
        pipe.counters.slicesDone += 1;
        pipe.context.log.info(`Slice ${running.slice.label} was committed before.`);
      }
    } finally {
      await writer.close();
    }
  } finally {
    await reader.close();
  }
}
