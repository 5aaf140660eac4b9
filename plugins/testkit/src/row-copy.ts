import type {
  Chunk,
  FinalizeStats,
  ReaderJob,
  Row,
  Sink,
  Slice,
  WriterJob,
  WriterTask,
} from '@millrace/sdk';

/** A sink that keeps every row, and proves that a reader waits for its credit. */
export class CollectingSink implements Sink {
  readonly lane = 'rows';
  readonly columns: readonly number[] = [];
  readonly chunkBytes: number;
  readonly rows: Row[] = [];
  chunks = 0;
  /** The largest number of `write` calls that were under way at once: 1 for a reader that waits. */
  mostAtOnce = 0;
  #open = 0;

  constructor(chunkBytes = 4096) {
    this.chunkBytes = chunkBytes;
  }

  async write(chunk: Chunk): Promise<void> {
    if (chunk.lane !== 'rows') throw new Error(`the rows lane was asked for, not ${chunk.lane}`);
    if (chunk.rowCount !== chunk.rows.length) throw new Error('rowCount is not the number of rows');
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#open);
    await new Promise((resolve) => setImmediate(resolve));
    this.chunks++;
    this.rows.push(...chunk.rows);
    this.#open--;
  }
}

/** Reads all slices with `readers` tasks in turn; `perSlice` is in the order of the slices. */
export async function readAll(
  job: ReaderJob,
  count: number,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ readonly slices: readonly Slice[]; readonly perSlice: readonly CollectingSink[] }> {
  const slices: Slice[] = [];
  // Bounds are stored before the first row is read: they must come back from JSON as they went.
  for await (const s of job.slices({ count })) slices.push(JSON.parse(JSON.stringify(s)) as Slice);
  const perSlice: CollectingSink[] = [];
  const tasks = [await job.open(0), await job.open(1)];
  try {
    for (const [i, slice] of slices.entries()) {
      const sink = new CollectingSink();
      const stats = await tasks[i % tasks.length]?.read(slice, sink, signal);
      if (stats?.rows !== sink.rows.length) throw new Error('the statistics miscount the rows');
      perSlice.push(sink);
    }
  } finally {
    for (const task of tasks) await task.close();
  }
  return { slices, perSlice };
}

/** Writes rows in chunks of `chunkRows`, a share of them by each of `writers` tasks at once. */
export async function writeAll(
  job: WriterJob,
  rows: readonly Row[],
  writers: number,
  chunkRows = 7,
): Promise<void> {
  const size = Math.ceil(rows.length / writers);
  const tasks: WriterTask[] = [];
  for (let no = 0; no < writers; no++) tasks.push(await job.open(no));
  const results = await Promise.allSettled(
    tasks.map(async (task, no) => {
      const slice: Slice = { no, bounds: { no }, label: `slice ${no}` };
      if ((await task.begin(slice)) === 'already-committed') return;
      const mine = rows.slice(no * size, (no + 1) * size);
      for (let i = 0; i < mine.length; i += chunkRows) {
        const part = mine.slice(i, i + chunkRows);
        await task.write({
          lane: 'rows',
          rows: part,
          rowCount: part.length,
          byteCount: part.length,
        });
      }
      await task.flush();
      await task.commit();
    }),
  );
  for (const task of tasks) await task.close();
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** The whole of a writing job, as the data plane drives it; aborts and throws when a step fails. */
export async function publish(
  job: WriterJob,
  rows: readonly Row[],
  writers: number,
): Promise<FinalizeStats> {
  try {
    const plan = await job.prepare();
    if ('published' in plan) return plan.published;
    await writeAll(job, rows, writers);
    return await job.finalize();
  } catch (error) {
    await job.abort(error);
    throw error;
  }
}

/** Rows in one order, so that two sets of them can be compared. */
export function sortedRows(rows: readonly Row[]): readonly string[] {
  const text = (row: Row) =>
    JSON.stringify(
      row.map((c) =>
        c === null || typeof c === 'string' ? c : `hex:${Buffer.from(c).toString('hex')}`,
      ),
    );
  return rows.map(text).sort();
}
