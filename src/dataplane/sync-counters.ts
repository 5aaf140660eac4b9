import type {
  DirtyRecord,
  FinalizeStats,
  Progress,
  ResumedRun,
  SyncStatistics,
} from '@millrace/sdk';
import type { ChannelWaits } from './byte-channel.js';
import { WaitClock } from './wait-clock.js';

const REPORT_EVERY_MS = 250;
/** Below this part of the time nobody is said to be waited for. */
const WAITED_FOR = 0.1;
/** How much the last second counts in the pace that the time left is told by. */
const PACE_WEIGHT = 0.2;

interface Counted {
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly rowsAcknowledged: number;
  readonly bytesAcknowledged: number;
  readonly rowsDirty: number;
  readonly bytesDirty: number;
}

interface Mark extends Counted {
  readonly atMs: number;
  readonly readerMs: number;
  readonly writerMs: number;
  readonly rateLimitMs: number;
}

export interface CounterOptions {
  readonly progress: (progress: Progress) => void;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
  /** Of the source, where it knows. */
  readonly rowsTotal: number | undefined;
}

/** The counters of one run: what its progress bar, its result and the last lines of its log say. */
export class SyncCounters {
  readonly waits: ChannelWaits & { readonly rateLimit: WaitClock };
  readonly #options: CounterOptions;
  #start: Mark;
  #sampled: Mark;
  #statistics: SyncStatistics | undefined;
  #pace: number | undefined;
  #reportedMs = 0;
  rowsRead = 0;
  rowsWritten = 0;
  rowsDirty = 0;
  /** Of their cells as text, or of what stands in the source where it is no row. */
  bytesDirty = 0;
  rowsFiltered = 0;
  bytes = 0;
  rowsAcknowledged = 0;
  bytesAcknowledged = 0;
  lane: string | null = null;
  slices = 0;
  slicesDone = 0;
  channels = 1;

  constructor(options: CounterOptions) {
    const { nowMs } = options;
    this.#options = options;
    this.waits = {
      reader: new WaitClock(nowMs),
      writer: new WaitClock(nowMs),
      rateLimit: new WaitClock(nowMs),
    };
    this.#start = this.#mark();
    this.#sampled = this.#start;
  }

  /** What earlier attempts have committed counts for the run, and not for the speed of this one. */
  resume({ rowsRead, rowsWritten, bytes }: ResumedRun): void {
    this.rowsRead += rowsRead;
    this.rowsFiltered += rowsRead - rowsWritten;
    this.rowsWritten += rowsWritten;
    this.bytes += bytes;
    this.#start = this.#mark();
    this.#sampled = this.#start;
  }

  read(rows: number, bytes: number): void {
    this.rowsRead += rows;
    this.bytes += bytes;
    if (this.#options.nowMs() - this.#reportedMs >= REPORT_EVERY_MS) this.report();
  }

  acknowledged(rows: number, bytes: number): void {
    this.rowsAcknowledged += rows;
    this.bytesAcknowledged += bytes;
  }

  written(rows: number): void {
    this.rowsWritten += rows;
    this.slicesDone += 1;
    this.report();
  }

  /** Once a second: what was done since the last time. */
  sample(): void {
    const now = this.#mark();
    const seconds = (now.atMs - this.#sampled.atMs) / 1000;
    if (seconds <= 0) return;
    const pace = (now.rowsRead - this.#sampled.rowsRead) / seconds;
    this.#pace = this.#pace === undefined ? pace : this.#pace + PACE_WEIGHT * (pace - this.#pace);
    this.#statistics = this.#between(this.#sampled, now, this.#secondsLeft());
    this.#sampled = now;
    this.report();
  }

  report(): void {
    this.#reportedMs = this.#options.nowMs();
    const { rowsRead, rowsWritten, rowsDirty, bytes } = this;
    const sync = this.#statistics;
    this.#options.progress({
      rowsRead,
      rowsWritten,
      rowsDirty,
      bytes,
      ...(sync === undefined ? {} : { sync }),
    });
  }

  /** The last report: from now on the figures are those of the whole run. */
  end(): void {
    this.#statistics = this.#between(this.#start, this.#mark(), 0);
    this.report();
  }

  dirty({ cells, original }: Pick<DirtyRecord, 'cells' | 'original'>): void {
    this.rowsDirty += 1;
    this.bytesDirty += original?.bytes.length ?? 0;
    for (const cell of cells) this.bytesDirty += cell?.length ?? 0;
  }

  totals(): { rowsRead: number; rowsWritten: number; rowsDirty: number; bytes: number } {
    const { rowsRead, rowsWritten, rowsDirty, bytes } = this;
    return { rowsRead, rowsWritten, rowsDirty, bytes };
  }

  /** The last lines of the log; the block at the end is the one DataX closes a job with. */
  summary(
    published: FinalizeStats,
    dirtyReasons: readonly string[],
    endedAt: Date,
  ): readonly string[] {
    const ms = this.#options.nowMs() - this.#start.atMs;
    const seconds = Math.max(ms / 1000, 0.001);
    const { bottleneck } = this.#between(this.#start, this.#mark(), 0);
    return [
      `Rows read: ${this.rowsRead}, written: ${this.rowsWritten}, dirty: ${this.rowsDirty}` +
        (this.rowsFiltered === 0 ? '' : `, filtered: ${this.rowsFiltered}`),
      ...dirtyReasons.slice(0, 20).map((reason) => `Dirty: ${reason}`),
      `Published: ${published.rowsPublished} rows, ${published.rowsDeleted} replaced`,
      ...(bottleneck === null ? [] : [`Waited most for: the ${bottleneck}`]),
      `Start time:      ${new Date(endedAt.getTime() - ms).toISOString()}`,
      `End time:        ${endedAt.toISOString()}`,
      `Elapsed:         ${seconds.toFixed(2)} s`,
      `Average traffic: ${Math.round((this.bytes - this.#start.bytesRead) / seconds)} bytes/s`,
      `Average speed:   ${Math.round((this.rowsRead - this.#start.rowsRead) / seconds)} rows/s`,
      `Rows read:       ${this.rowsRead}`,
      `Rows failed:     ${this.rowsDirty}`,
    ];
  }

  #secondsLeft(): number | null {
    const total = this.#options.rowsTotal;
    if (total === undefined || total < this.rowsRead || !this.#pace) return null;
    return Math.ceil((total - this.rowsRead) / this.#pace);
  }

  #mark(): Mark {
    return {
      atMs: this.#options.nowMs(),
      rowsRead: this.rowsRead,
      bytesRead: this.bytes,
      rowsAcknowledged: this.rowsAcknowledged,
      bytesAcknowledged: this.bytesAcknowledged,
      rowsDirty: this.rowsDirty,
      bytesDirty: this.bytesDirty,
      readerMs: this.waits.reader.totalMs,
      writerMs: this.waits.writer.totalMs,
      rateLimitMs: this.waits.rateLimit.totalMs,
    };
  }

  #between(from: Mark, to: Mark, secondsLeft: number | null): SyncStatistics {
    const ms = Math.max(to.atMs - from.atMs, 1);
    const rate = (name: keyof Counted): number => Math.round(((to[name] - from[name]) * 1000) / ms);
    const part = (name: 'readerMs' | 'writerMs' | 'rateLimitMs'): number =>
      Math.round(((to[name] - from[name]) * 1000) / ms / this.channels) / 1000;
    const waits = {
      reader: part('readerMs'),
      writer: part('writerMs'),
      rateLimit: part('rateLimitMs'),
    };
    return {
      lane: this.lane,
      slices: this.slices,
      slicesDone: this.slicesDone,
      perSecond: {
        rowsRead: rate('rowsRead'),
        bytesRead: rate('bytesRead'),
        rowsAcknowledged: rate('rowsAcknowledged'),
        bytesAcknowledged: rate('bytesAcknowledged'),
        rowsDirty: rate('rowsDirty'),
        bytesDirty: rate('bytesDirty'),
      },
      waits,
      bottleneck: bottleneckOf(waits),
      secondsLeft,
    };
  }
}

/** While a limit holds the reader, the writer waits for it too: that is not the source's doing. */
function bottleneckOf(waits: SyncStatistics['waits']): SyncStatistics['bottleneck'] {
  const source = waits.writer - waits.rateLimit;
  const most = Math.max(waits.rateLimit, waits.reader, source);
  if (most < WAITED_FOR) return null;
  if (most === waits.rateLimit) return 'rate limit';
  return most === waits.reader ? 'target' : 'source';
}
