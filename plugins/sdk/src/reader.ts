import type { Lane, Sink } from './chunk.js';
import type { ResolvedDataSource, RunContext } from './run.js';
import type { ConfigSchema } from './schema.js';
import type { TableSchema } from './table.js';
import type { ChecksumColumn, RowTally } from './verification.js';

/** Something a check found. `error` stops the job before the first row. */
export interface Finding {
  readonly level: 'error' | 'warning' | 'info';
  readonly code?: string;
  readonly message: string;
  readonly column?: string;
}

/**
 * A piece of a job. The bounds are opaque to the engine, compared by the source alone; JSON, because they
 * are stored before the first row is read. Every row of the source is in exactly one slice.
 */
export interface Slice {
  readonly no: number;
  readonly bounds: unknown;
  readonly estimatedRows?: number;
  /** For the log: `id in [1, 50000)`. */
  readonly label: string;
}

export interface SliceHint {
  /** How many slices would be good, 1 for all in one; a reader that cannot split yields one. */
  readonly count: number;
  /** More slices are welcome where they would be larger than this. */
  readonly bytes?: number;
  /** The same in rows. */
  readonly rows?: number;
}

export interface ReadStats {
  readonly rows: number;
  readonly bytes: number;
}

export interface SnapshotToken {
  readonly consistent: boolean;
  readonly token: unknown;
  readonly label: string;
  /** Only so many tasks share it; the job opens no more. */
  readonly readers?: number;
}

/** Rows with a cursor NULL are in no window. */
export interface CursorRequest {
  readonly column: string;
  /** In the source's own text form; without it from the first row on. */
  readonly after?: string;
  /** How far before `after` to read again: seconds for times, a number for numbers. */
  readonly overlap: number;
}

export interface JobContext<S = unknown> extends RunContext {
  readonly dataSource: ResolvedDataSource<S>;
}

/** A job's reading side. `describe`, `check` and `slices` are called once, in this order, before any `open`. */
export interface ReaderJob {
  describe(): Promise<TableSchema>;
  check(): Promise<readonly Finding[]>;
  /** Makes one snapshot for `readers` tasks. Absent: the plan says "not consistent". */
  pinSnapshot?(readers: number): Promise<SnapshotToken>;
  /**
   * Pieces of about the same work, in the order in which they are best read. One task reads several of
   * them one after another, and another takes over what it has not begun.
   */
  slices(hint: SliceHint): AsyncIterable<Slice>;
  /**
   * Makes the job one of the rows behind the request's `after`, up to the largest cursor that the snapshot
   * has. Returns that one, and never one before `after`; `undefined` when there is none. Called once,
   * before `slices`. Absent: the reader has no cursors.
   */
  window?(request: CursorRequest): Promise<string | undefined>;
  open(no: number): Promise<ReaderTask>;
  close(outcome: 'succeeded' | 'failed'): Promise<void>;
}

export interface ReaderTask {
  /** Those in which it can give its columns, best first; `rows` is always among them. */
  readonly lanes: readonly Lane[];
  read(slice: Slice, out: Sink, signal: AbortSignal): Promise<ReadStats>;
  /**
   * What the server finds in the rows that `read` has given of this slice, in the same snapshot; names are
   * those of the source. Absent: it cannot be asked.
   */
  tally?(slice: Slice, columns: readonly ChecksumColumn[]): Promise<RowTally>;
  close(): Promise<void>;
}

export interface ReaderPlugin<C = never, S = never> {
  /** The data source type it reads from. */
  readonly type: string;
  readonly title: string;
  readonly config: ConfigSchema<C>;
  readonly configVersion: number;
  upgrade?(config: unknown, from: number): unknown;
  readonly examples: readonly unknown[];
  open(config: C, ctx: JobContext<S>): Promise<ReaderJob>;
}
