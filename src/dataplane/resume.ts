import { createHash } from 'node:crypto';
import type {
  CursorMove,
  Mapping,
  RunLog,
  Slice,
  SnapshotToken,
  TableSchema,
  TargetPlan,
  WriterJob,
} from '@millrace/sdk';
import { ERRORS } from '../domain/error-registry.js';
import { registeredCodeOf } from '../domain/errors.js';
import type { SyncJob } from './sync-job.js';

interface Reading {
  readonly source: TableSchema;
  readonly snapshot: SnapshotToken | undefined;
  readonly cursor: CursorMove | undefined;
  readonly channels: number;
}

/**
 * Why the attempt that comes after this one has to begin anew, or `undefined`: then it may go on behind the
 * slices that are committed.
 */
function obstacleOf(job: SyncJob, { snapshot, channels }: Reading): string | undefined {
  if (channels === 1) return 'everything is one slice';
  if (snapshot?.consistent === true) return 'all slices are of one snapshot';
  if (job.replay !== undefined) return 'rows of the quarantine are written all or none';
  const isCounted = Object.keys(job.policies ?? {}).length > 0;
  return isCounted ? 'policies count the values they change' : undefined;
}

/**
 * What all attempts of a run must have in common to go on with one another's slices: what is read, how, into
 * what. Data sources count by their names, because a digest of a password could be tried out.
 */
function digestOf(job: SyncJob, { source, cursor }: Reading, mapping: Mapping): string {
  const { estimatedRows: _, ...table } = source;
  const what = [
    [job.source.type, job.source.name, job.readerConfig],
    [job.target.type, job.target.name, job.writerConfig],
    [job.mapping, mapping, table, cursor],
    job.context.parameters,
  ];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

/** Decides whether the attempts of a run may go on with one another's slices, and says so. */
export class Resume {
  readonly #job: SyncJob;
  readonly #reading: Reading;
  readonly #obstacle: string | undefined;

  constructor(job: SyncJob, reading: Reading) {
    this.#job = job;
    this.#reading = reading;
    this.#obstacle = obstacleOf(job, reading);
  }

  /** For the writer. */
  keyOf(mapping: Mapping): { readonly resumeKey?: string } {
    if (this.#obstacle !== undefined) return {};
    return { resumeKey: digestOf(this.#job, this.#reading, mapping) };
  }

  /** The pieces that are left to read, stored in the target before the first of them is. */
  async begin(
    writer: WriterJob,
    plan: TargetPlan,
    pieces: readonly Slice[],
    log: RunLog,
  ): Promise<readonly Slice[]> {
    const { resumed } = plan;
    if (resumed !== undefined) {
      const { committed, slices, rowsWritten } = resumed;
      log.info(
        `Resumed: ${committed} of ${committed + slices.length} pieces, ${rowsWritten} rows, were committed by an earlier attempt and are not read again.`,
      );
    }
    const isKept =
      resumed !== undefined ||
      (this.#obstacle === undefined && (await writer.keepSlices?.(pieces)) === true);
    const obstacle = this.#obstacle ?? 'the target keeps no slices';
    log.info(
      isKept
        ? 'Retry: goes on behind the slices that are committed; they are of no common snapshot.'
        : `Retry: begins anew; ${obstacle}.`,
    );
    return resumed?.slices ?? pieces;
  }

  /** Will the scheduler try again after this failure by itself? Then what is committed is of use. */
  mayFollow(error: unknown): boolean {
    const code = registeredCodeOf(error);
    return this.#obstacle === undefined && code !== undefined && ERRORS[code].retry === 'backoff';
  }
}
