import type { Cell, Chunk, Lane, Row } from './chunk.js';
import type { Finding, JobContext, Slice } from './reader.js';
import type { ConfigSchema } from './schema.js';
import type { Column, TableSchema } from './table.js';
import type { ChecksumColumn, RowTally, Verification } from './verification.js';

export const WRITE_MODES = [
  'append',
  'replace-swap',
  'truncate',
  'non-conflict',
  'upsert',
  'ignore',
  'update',
  'delete-insert',
  'partition-overwrite',
  'scd2',
  'insert-replace-row',
] as const;
export type WriteMode = (typeof WRITE_MODES)[number];

/** Field mapping: `columns[i]` of the chunk goes into `target`. Cells arrive in this order. */
export interface Mapping {
  readonly columns: readonly { readonly source: Column; readonly target: string }[];
}

/**
 * What a run replaces. The writer deletes it and writes the new rows in one transaction.
 * `partition`: rows whose columns equal these values; `predicate`: SQL of the target; `table`: all rows.
 */
export type ReplaceScope =
  | { readonly kind: 'partition'; readonly values: PartitionValues }
  | { readonly kind: 'predicate'; readonly sql: string }
  | { readonly kind: 'table' };

/**
 * Can the target column hold every value of the source column? `policy`: not every one, and `reason` says
 * what becomes of the others: they are refused as dirty records unless it says otherwise, and counted.
 */
export interface ColumnVerdict {
  readonly source: string;
  readonly target: string;
  readonly verdict: 'exact' | 'widened' | 'policy' | 'impossible';
  readonly reason?: string;
}

/** How the target gets its rows: shown in the plan and in the log. */
export interface TargetPlan {
  readonly strategy: 'transaction' | 'staging' | 'direct';
  readonly label: string;
  /** What earlier attempts of this run have left; absent: this attempt begins anew. */
  readonly resumed?: ResumedRun;
}

/** The slices of a run whose earlier attempt has ended: those with committed rows are not read again. */
export interface ResumedRun {
  /** In their order, as they were stored; their rows are not committed. */
  readonly slices: readonly Slice[];
  readonly committed: number;
  /** Of the committed slices. None of their rows was dirty. */
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly bytes: number;
}

/** What was read in one transaction of a task. */
export interface SlicesRead {
  /** Their numbers. */
  readonly slices: readonly number[];
  readonly rowsRead: number;
  /** Those that the mapping has dropped. */
  readonly rowsFiltered: number;
  readonly rowsDirty: number;
  readonly bytes: number;
}

/** A row the target cannot hold unchanged. `cells` are in mapping order. */
export interface DirtyRecord {
  /** Absent: the target refused it once the rows of all slices had come together. */
  readonly sliceNo?: number;
  readonly cells: readonly Cell[];
  readonly column?: string;
  /** The server's error code (SQLSTATE, errno) where it refused; our code where we did. */
  readonly code: string;
  /** Of a server's refusal; the engine adds it. */
  readonly sqlState?: string;
  readonly reason: string;
  /**
   * `mapping`: a function or the transform refused it, so the cells are those of the source. `source`: it is
   * no row of the source, so there are no cells.
   */
  readonly stage?: 'source' | 'mapping' | 'target';
  /** Of stage `source`: what stands there, and where. */
  readonly original?: { readonly place: string; readonly bytes: Uint8Array };
  /** The target's columns in mapping order; the engine adds them. */
  readonly columns?: readonly string[];
  /** Those of them that are its primary key; the engine adds them. */
  readonly key?: readonly string[];
  /** What kind of fault it is, whichever system has said so; the engine adds it. */
  readonly class?: string;
}

export interface Acked {
  readonly rows: number;
  readonly bytes: number;
}

export interface FinalizeStats {
  readonly rowsDeleted: number;
  readonly rowsPublished: number;
}

/** How far the runs of a node have read, in the source's text form; `from` is absent at the first. */
export interface CursorMove {
  readonly from?: string;
  readonly to: string;
}

/** Columns of the target and the value that each has in a partition. */
export type PartitionValues = Readonly<Record<string, string>>;

export interface WriteContext<S = unknown> extends JobContext<S> {
  readonly mapping: Mapping;
  /** How many writers will be opened: with 1 a writer may keep all in one transaction. */
  readonly writers: number;
  /** With `checksum` the rows must be where they can be told from others. */
  readonly verification: Verification;
  /** To be kept with the rows of this run, if `from` is what is kept so far; MR-D219 when it is not. */
  readonly cursor?: CursorMove;
  /**
   * A digest of what this job reads and how: a later attempt of the same run with the same one may go on
   * behind the slices that are committed. Absent: it must not, because its slices are of one snapshot.
   */
  readonly resumeKey?: string;
  /**
   * The partition that the rows are added to, where a run has filled it already: they get its values as those
   * of the run did, and nothing is deleted. Only for a writer with `addsToPartition`.
   */
  readonly addsTo?: PartitionValues;
  /** Counts and keeps a dirty row; throws MR-D201 once the limit is passed. Await it. */
  quarantine(record: DirtyRecord): Promise<void>;
  /** How many rows of this run were kept so by now, whoever has refused them. */
  rowsDirty(): number;
  /** What `connect` of the plugin has given, to whom asks first, who then has to close it. */
  takeConnection?(): Promise<AsyncDisposable> | undefined;
}

/** How a table that is missing can be created. */
export interface TableProposal {
  /** One column in a line: to be run as it stands, or to be edited. */
  readonly sql: string;
  /** The table as the statement makes it, or as the mapping wants it. */
  readonly schema: TableSchema;
  /** Where the table holds less than the source, and why. */
  readonly notes: readonly string[];
  /** What the configuration says of it. `own`: `sql` is its statement. Absent: the table is not to be created. */
  readonly wanted?: 'auto' | 'own';
}

/**
 * A job's writing side. Nothing is visible in the target before `finalize`; `abort` leaves it as it was.
 * `finalize` must refuse (MR-D203) when an attempt with a larger fence has been here.
 */
export interface WriterJob {
  /** Throws MR-D107 where the table is missing. */
  describe(): Promise<TableSchema>;
  /**
   * Called behind a `describe` that found no table: from then on, until `createTable`, the job speaks of the
   * proposed table as if it were there. Creates nothing. Absent: this target has no tables that are missing.
   */
  missingTable?(source: TableSchema): Promise<TableProposal>;
  /**
   * Creates the table that is missing, before `prepare` and outside of its transaction. That somebody else has
   * created it meanwhile is no error; MR-D222 in the server's words is one.
   */
  createTable?(proposal: TableProposal): Promise<void>;
  check(source: TableSchema): Promise<{
    readonly verdicts: readonly ColumnVerdict[];
    readonly findings: readonly Finding[];
  }>;
  /** What a {@link CursorMove} has kept for this node. Absent: this target keeps none. */
  cursor?(): Promise<string | undefined>;
  /** What `prepare` and the tasks would do. Writes nothing. Absent: a preview says nothing of the target. */
  preview?(): Promise<WriterPreview>;
  /**
   * `published`: this very run has already been published (its ledger row is there: the process died
   * between COMMIT and its report): the job ends successfully without reading a row.
   */
  prepare(): Promise<TargetPlan | { readonly published: FinalizeStats }>;
  /**
   * Stores all slices of the run where their rows will be committed, before the first of them is read.
   * Called at most once, behind a `prepare` that found nothing to resume. Returns false where a later attempt
   * begins anew all the same. Absent: so it does.
   */
  keepSlices?(slices: readonly Slice[]): Promise<boolean>;
  open(no: number): Promise<WriterTask>;
  /**
   * What the server finds in the committed rows before they are published, names as in the target;
   * `undefined` where they cannot be told from others. Absent: it cannot be asked.
   */
  tally?(columns: readonly ChecksumColumn[]): Promise<RowTally | undefined>;
  finalize(): Promise<FinalizeStats>;
  /** `mayResume`: a later attempt may come and want what is committed of its slices. */
  abort(reason: unknown, mayResume?: boolean): Promise<void>;
}

/** What a writer would do with the rows of its mapping. */
export interface WriterPreview {
  readonly plan: TargetPlan;
  readonly lanes: readonly Lane[];
  /** The cells as the target would have them, in mapping order, or why it would refuse the row. */
  look(
    cells: Row,
  ):
    | { readonly row: Row }
    | { readonly column?: string; readonly code?: string; readonly reason: string };
}

export interface WriterTask {
  /**
   * Those in which the rows of this mapping end up as they would on the row lane, every row that would be
   * refused there refused here too. `rows` is always among them.
   */
  readonly lanes: readonly Lane[];
  begin(slice: Slice): Promise<'fresh' | 'already-committed'>;
  /** Resolves when the chunk's memory may be used again. */
  write(chunk: Chunk): Promise<void>;
  /**
   * What the target says it has taken of this slice; nothing of it is committed yet. Do not call it before
   * every chunk's `write` has resolved.
   */
  flush(): Promise<Acked>;
  /** Rows and ledger row together, after `flush`, with the note that `read` is done where slices are kept. */
  commit(read?: SlicesRead): Promise<void>;
  rollback(): Promise<void>;
  close(): Promise<void>;
}

export interface WriterPlugin<C = never, S = never> {
  /** The data source type it writes to. */
  readonly type: string;
  readonly title: string;
  readonly modes: readonly WriteMode[];
  /**
   * In every mode, `append` as well, a rerun replaces what its instance has written before. Absent: whoever reruns
   * an instance that has appended is told that its rows would double.
   */
  readonly rerunReplaces?: boolean;
  /**
   * Heeds `addsTo` of its context. Absent: rows of the quarantine come back into a partition only where its
   * columns are mapped, and nobody looks whether they are of it.
   */
  readonly addsToPartition?: boolean;
  readonly config: ConfigSchema<C>;
  readonly configVersion: number;
  upgrade?(config: unknown, from: number): unknown;
  readonly examples: readonly unknown[];
  /**
   * Opens what a job will need to reach its target, while its source is still being looked at. Absent, or of no
   * use any more: the job opens it.
   */
  connect?(ctx: JobContext<S>): Promise<AsyncDisposable>;
  open(config: C, ctx: WriteContext<S>): Promise<WriterJob>;
}
