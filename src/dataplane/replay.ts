import type {
  DirtyRecord,
  PartitionValues,
  ReaderJob,
  ReaderTask,
  Row,
  Sink,
  Slice,
  WriteContext,
  WriterPlugin,
} from '@millrace/sdk';
import { MillraceError } from '../domain/errors.js';
import type { RowOutcome, RowProgram } from './row-program.js';

/** A row of the quarantine, its cells in mapping order and perhaps mended. */
export type ReplayRecord = Pick<DirtyRecord, 'cells' | 'stage'>;

/** One slice for each record, so that what is refused again can be told apart. */
export function replaySlices(records: readonly ReplayRecord[]): readonly Slice[] {
  return records.map((_, no) => ({ no, bounds: null, label: `record ${no + 1}` }));
}

/** The quarantine as a source. The real one is asked for its columns only. */
export function replayReader(source: ReaderJob, records: readonly ReplayRecord[]): ReaderJob {
  const task: ReaderTask = {
    lanes: ['rows'],
    read: async (slice: Slice, out: Sink) => {
      const cells = records[slice.no]?.cells;
      if (cells === undefined) throw new MillraceError('MR-P105', `no record ${slice.no}`);
      await out.write({ lane: 'rows', rows: [cells], rowCount: 1, byteCount: 1 });
      return { rows: 1, bytes: 1 };
    },
    close: () => Promise.resolve(),
  };
  return {
    describe: () => source.describe(),
    check: () => Promise.resolve([]),
    async *slices() {
      yield* replaySlices(records);
    },
    open: () => Promise.resolve(task),
    close: (outcome) => source.close(outcome),
  };
}

/**
 * What the target refused has been through the mapping; what the mapping refused goes through it now. Throws
 * MR-D221 when the mapping has changed since the row was kept.
 */
export function replayConversion(
  records: readonly ReplayRecord[],
  width: number,
  program: RowProgram | undefined,
): (row: Row) => RowOutcome {
  const stages = new Map(records.map(({ cells, stage }) => [cells, stage ?? 'target']));
  const other = records.find(({ cells }) => cells.length !== width);
  if (other !== undefined) {
    throw new MillraceError(
      'MR-D221',
      `a row has ${other.cells.length} cells, the mapping ${width}`,
    );
  }
  return (row) =>
    stages.get(row) === 'mapping' && program !== undefined
      ? program.run(row)
      : { kind: 'row', row };
}

interface Replaying {
  readonly replay?: readonly ReplayRecord[] | undefined;
  readonly partition?: PartitionValues | undefined;
  readonly writer: Pick<WriterPlugin, 'addsToPartition'>;
}

/** A replay adds to the partition that its run has filled. */
export function partitionAddedTo({
  replay,
  partition,
  writer,
}: Replaying): Pick<WriteContext, 'addsTo'> {
  const isAdded = replay !== undefined && writer.addsToPartition === true;
  return isAdded && partition !== undefined ? { addsTo: partition } : {};
}

/**
 * What a run fills with the value of its partition has none in a row that such a writer adds to it. Throws MR-D221
 * for a column of the partition that the mapping has not.
 */
export function refuseUnfilled(job: Replaying, mapped: readonly string[]): void {
  if (job.replay === undefined || job.writer.addsToPartition === true) return;
  const has = new Set(mapped.map((name) => name.toLowerCase()));
  const missing = Object.keys(job.partition ?? {}).find((name) => !has.has(name.toLowerCase()));
  if (missing === undefined) return;
  throw new MillraceError(
    'MR-D221',
    `the partition column ${missing} is not mapped, so that an added row would have no value there: map a constant to it and run the node again`,
  );
}
