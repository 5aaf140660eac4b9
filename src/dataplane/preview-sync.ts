import type {
  Cell,
  Chunk,
  ColumnVerdict,
  Finding,
  Lane,
  ReaderJob,
  ResolvedDataSource,
  Row,
  Sink,
  Slice,
  TargetPlan,
  WriterPreview,
} from '@millrace/sdk';
import { projectRows } from './field-mapping.js';
import { programOf } from './row-program.js';
import { chooseLane } from './slice-pipe.js';
import { piecesOf } from './slice-queue.js';
import type { MissingTable, OpenMapped } from './open-mapped.js';
import { openMapped, withoutIt } from './open-mapped.js';
import type { SyncJob } from './sync-job.js';
import { jobContext, policyRulesOf, transformOf, verificationOf } from './sync-job.js';

/** A row of the source that would not arrive. */
export interface PreviewedDirty {
  /** From 1, in the order of reading. */
  readonly row: number;
  /** Of a line that is no row. */
  readonly place?: string;
  readonly column?: string;
  readonly code: string;
  readonly reason: string;
}

/** What a run would do with the first rows of its source. */
export interface SyncPreview {
  /** Names of the cells: the target's columns. */
  readonly columns: readonly string[];
  /** As they would arrive. */
  readonly rows: readonly Row[];
  readonly dirty: readonly PreviewedDirty[];
  readonly rowsRead: number;
  readonly rowsFiltered: number;
  readonly verdicts: readonly ColumnVerdict[];
  /** Those of the level `error` would end a run before its first row. */
  readonly findings: readonly Finding[];
  readonly lane: Lane;
  readonly slices: { readonly count: number; readonly first: readonly string[] };
  /** Null: the writer does not say without writing. */
  readonly plan: TargetPlan | null;
  /** How the table of the target can be created; null: it is there. */
  readonly createTable: { readonly sql: string; readonly notes: readonly string[] } | null;
}

const CHUNK_BYTES = 16 * 1024;
const SLICES_NAMED = 20;
/** A file of other bytes has no row to wait for. */
const BROKEN_FOR_A_ROW = 1000;

/**
 * Reads the first rows of a sync and says what would become of them. Writes nothing: no ledger row, no staging
 * table, no SQL before or after. A snapshot is not pinned, and an increment is read from its start on.
 */
export async function previewSyncJob(job: SyncJob, limit: number): Promise<SyncPreview> {
  const { context } = job;
  const source = await job.reader.open(job.readerConfig as never, jobContext(context, job.source));
  try {
    const schema = await source.describe();
    const findings = await source.check();
    const { incremental } = job;
    if (incremental !== undefined) {
      const { cursor: column, start } = incremental;
      await source.window?.({
        column,
        overlap: 0,
        ...(start === undefined ? {} : { after: start }),
      });
    }
    const { concurrency, rateLimit } = job.channel;
    const pieces = await piecesOf(source, concurrency, rateLimit);
    const opened = await openMapped(schema, job, 'show', (mapping) =>
      job.writer.open(job.writerConfig as never, {
        ...jobContext(context, job.target as ResolvedDataSource<never>),
        mapping,
        writers: Math.max(1, Math.min(concurrency, pieces.length)),
        verification: verificationOf(job),
        quarantine: () => Promise.reject(new Error('nothing is written')),
        rowsDirty: () => 0,
      }),
    );
    try {
      const { missing } = opened;
      // Of a table that the user's own statement makes nothing is known before.
      const isKnown = missing?.wanted !== 'own';
      const judged = isKnown ? await opened.writer.check(schema) : { verdicts: [], findings: [] };
      const ofTable = missing === undefined ? [] : [missingFinding(missing)];
      const all = [...findings, ...ofTable, ...judged.findings];
      const isPossible = isKnown && all.every(({ level }) => level !== 'error');
      return {
        ...(await looked(source, pieces, opened, job, limit, isPossible)),
        verdicts: judged.verdicts,
        findings: all,
        createTable: missing === undefined ? null : { sql: missing.sql, notes: missing.notes },
      };
    } finally {
      await opened.writer.abort(new Error('only a preview'));
    }
  } finally {
    await source.close('succeeded');
  }
}

function missingFinding({ wanted, detail }: MissingTable): Finding {
  if (wanted === undefined) return { level: 'error', code: 'MR-D107', message: withoutIt(detail) };
  return { level: 'info', message: `${detail}; a run creates it` };
}

async function looked(
  reader: ReaderJob,
  pieces: readonly Slice[],
  opened: OpenMapped,
  job: SyncJob,
  limit: number,
  isPossible: boolean,
): Promise<Omit<SyncPreview, 'verdicts' | 'findings' | 'createTable'>> {
  const { writer, resolved } = opened;
  const target = isPossible ? await writer.preview?.() : undefined;
  const transform = await transformOf(job);
  const program = programOf(job.mapping, resolved, transform);
  const policies = policyRulesOf(opened, job);
  const convert = program && ((row: Row) => program.run(program.raw(row)));
  const task = await reader.open(0);
  try {
    const found = new PreviewedRows(limit, (row) => {
      const outcome = convert?.(row) ?? {
        kind: 'row',
        row: projectRows([row], resolved.sourceIndexes)[0] ?? [],
      };
      if (outcome.kind !== 'row') return outcome;
      const [ruled = outcome.row] = policies?.apply([outcome.row]) ?? [];
      return judged(ruled, target);
    });
    await found.readFrom(pieces, (slice, out, signal) => task.read(slice, out, signal), job);
    return {
      columns: resolved.mapping.columns.map((column) => column.target),
      rows: found.rows,
      dirty: found.dirty,
      rowsRead: found.rowsRead,
      rowsFiltered: found.rowsFiltered,
      lane: chooseLane(task.lanes, target?.lanes ?? ['rows'], { convert, policies }),
      slices: {
        count: pieces.length,
        first: pieces.slice(0, SLICES_NAMED).map(({ label }) => label),
      },
      plan: target?.plan ?? null,
    };
  } finally {
    await task.close();
  }
}

type Outcome =
  | { readonly kind: 'row'; readonly row: readonly Cell[] }
  | { readonly kind: 'dropped' }
  | {
      readonly kind: 'dirty';
      readonly column?: string;
      readonly code: string;
      readonly reason: string;
    };

function judged(row: Row, target: WriterPreview | undefined): Outcome {
  const verdict = target?.look(row);
  if (verdict === undefined) return { kind: 'row', row };
  return 'row' in verdict
    ? { kind: 'row', row: verdict.row }
    : { kind: 'dirty', code: 'MR-D202', ...verdict };
}

/**
 * Takes so many rows of the source and ends the reading. Lines that are no rows come before the rows of their
 * block, so they are counted for themselves: a file with a few of them would else show nothing but these.
 */
class PreviewedRows {
  readonly rows: Row[] = [];
  readonly dirty: PreviewedDirty[] = [];
  readonly #limit: number;
  readonly #outcomeOf: (row: Row) => Outcome;
  readonly #enough = new AbortController();
  #taken = 0;
  #broken = 0;
  rowsFiltered = 0;

  constructor(limit: number, outcomeOf: (row: Row) => Outcome) {
    this.#limit = limit;
    this.#outcomeOf = outcomeOf;
  }

  get rowsRead(): number {
    return this.#taken + Math.min(this.#broken, this.#limit);
  }

  async readFrom(
    pieces: readonly Slice[],
    read: (slice: Slice, out: Sink, signal: AbortSignal) => Promise<unknown>,
    { context }: SyncJob,
  ): Promise<void> {
    const out: Sink = {
      lane: 'rows',
      chunkBytes: CHUNK_BYTES,
      columns: [],
      write: (chunk) => this.#take(chunk),
      broken: async ({ place, code, reason }) => {
        this.#broken += 1;
        if (this.#broken <= this.#limit)
          this.dirty.push({ row: this.rowsRead, place, code, reason });
        if (this.#broken >= this.#limit * BROKEN_FOR_A_ROW) this.#end();
        this.#enough.signal.throwIfAborted();
      },
    };
    const signal = AbortSignal.any([context.signal, this.#enough.signal]);
    for (const slice of pieces) {
      try {
        await read(slice, out, signal);
      } catch (error) {
        if (!this.#enough.signal.aborted) throw error;
      }
      if (this.#enough.signal.aborted) return;
    }
  }

  async #take(chunk: Chunk): Promise<void> {
    if (chunk.lane !== 'rows') throw new Error(`the rows lane was asked for, not ${chunk.lane}`);
    for (const row of chunk.rows) {
      if (!this.#next()) break;
      const { kind, ...outcome } = this.#outcomeOf(row);
      if (kind === 'dropped') this.rowsFiltered += 1;
      else if ('row' in outcome) this.rows.push(outcome.row);
      else if ('code' in outcome) {
        const { column, code, reason } = outcome;
        const at = column === undefined ? {} : { column };
        this.dirty.push({ row: this.rowsRead, code, reason, ...at });
      }
    }
    this.#enough.signal.throwIfAborted();
  }

  /** Counts a row; `false` when there were enough before it. */
  #next(): boolean {
    if (this.#taken < this.#limit) {
      this.#taken += 1;
      return true;
    }
    this.#end();
    return false;
  }

  #end(): void {
    this.#enough.abort(new Error('enough rows for a preview'));
  }
}
