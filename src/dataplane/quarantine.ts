import type { DirtyRecord } from '@millrace/sdk';
import type { DirtyLimit } from '../domain/channel/channel-change.js';
import { dirtyText } from '../domain/channel/channel-change.js';
import { MillraceError } from '../domain/errors.js';

/** Where dirty records go, in batches, one after the other. */
export type DirtySink = (records: readonly DirtyRecord[]) => void | Promise<void>;

const BATCH_RECORDS = 500;
/** Of cells, and of original lines: one that a quote left open begins may be large. */
const BATCH_BYTES = 1024 * 1024;
/** Below this many rows a ratio says nothing yet: one bad first row would be 100 %. */
const RATIO_FLOOR_ROWS = 1000;

/** Counts the dirty records of one run, keeps each of them, and fails the run over the limit. */
export class Quarantine {
  #limit: DirtyLimit;
  readonly #sink: DirtySink;
  readonly #rowsRead: () => number;
  readonly #bySlice = new Map<number, number>();
  readonly #reasons = new Map<string, { count: number; readonly first: string }>();
  #batch: DirtyRecord[] = [];
  #batchBytes = 0;
  /** The batch before; what is read next need not wait for it. */
  #handedOver: Promise<void> = Promise.resolve();
  #count = 0;
  #ratioFloor = RATIO_FLOOR_ROWS;

  constructor(limit: DirtyLimit, rowsRead: () => number, sink: DirtySink) {
    this.#limit = limit;
    this.#rowsRead = rowsRead;
    this.#sink = sink;
  }

  get count(): number {
    return this.#count;
  }

  get limit(): DirtyLimit {
    return this.#limit;
  }

  /** From now on, for what was counted before as well; {@link enforce} says whether that is too much. */
  set limit(limit: DirtyLimit) {
    this.#limit = limit;
  }

  countOf(sliceNo: number): number {
    return this.#bySlice.get(sliceNo) ?? 0;
  }

  /**
   * How often each cause was met, most frequent first: `22001 in column name: 3`, and where first for a line of
   * the source. No row data.
   */
  reasons(): readonly string[] {
    return [...this.#reasons]
      .toSorted(([, a], [, b]) => b.count - a.count)
      .map(([reason, { count, first }]) => `${reason}: ${count}${first}`);
  }

  /** Counts and keeps a record; throws MR-D201 once the limit is passed. */
  async add(record: DirtyRecord): Promise<void> {
    this.#count += 1;
    const { sliceNo } = record;
    if (sliceNo !== undefined) this.#bySlice.set(sliceNo, this.countOf(sliceNo) + 1);
    const reason =
      record.column === undefined ? record.code : `${record.code} in column ${record.column}`;
    const { original } = record;
    const first = original === undefined ? '' : `, first ${original.place}: ${record.reason}`;
    const known = this.#reasons.get(reason) ?? { count: 0, first };
    known.count += 1;
    this.#reasons.set(reason, known);
    this.#batch.push(record);
    this.#batchBytes += bytesOf(record);
    if (this.#batch.length >= BATCH_RECORDS || this.#batchBytes >= BATCH_BYTES)
      await this.#handOver();
    await this.enforce();
  }

  /** Throws MR-D201 when there are more than are allowed now. */
  async enforce(): Promise<void> {
    if (this.#count === 0) return;
    const { records } = this.#limit;
    const tooMany = records !== undefined && this.#count > records;
    if (
      tooMany ||
      this.#isNothingAllowed() ||
      this.#isOverRatio(this.#rowsRead(), this.#ratioFloor)
    ) {
      await this.#refuse();
    }
  }

  /**
   * When every row was read: from now on the ratio counts however few rows there were, also for records that
   * come while the rows are published.
   */
  async close(): Promise<void> {
    this.#ratioFloor = 0;
    await this.flush();
    await this.enforce();
    if (this.#isOverRatio(this.#rowsRead(), 0)) await this.#refuse();
  }

  /** Resolves when all of them are kept. */
  async flush(): Promise<void> {
    if (this.#batch.length > 0) await this.#handOver();
    await this.#handedOver;
  }

  /** Begins to keep what has come; resolves when what had come before it is. */
  async #handOver(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    const before = this.#handedOver;
    this.#handedOver = before.then(() => this.#sink(batch));
    // Who comes next is told.
    this.#handedOver.catch(() => undefined);
    await before;
  }

  #isNothingAllowed(): boolean {
    return this.#limit.records === undefined && this.#limit.ratio === undefined;
  }

  #isOverRatio(rowsRead: number, floor: number): boolean {
    const { ratio } = this.#limit;
    return ratio !== undefined && rowsRead >= floor && this.#count > ratio * rowsRead;
  }

  async #refuse(): Promise<never> {
    await this.flush();
    throw new MillraceError(
      'MR-D201',
      `${this.#count} dirty of ${this.#rowsRead()} rows read; allowed: ${dirtyText(this.#limit)}. ${this.reasons().slice(0, 5).join('; ')}`,
    );
  }
}

/** About as many as its cells and its line take. */
function bytesOf({ cells, original }: DirtyRecord): number {
  let bytes = original?.bytes.length ?? 0;
  for (const cell of cells) bytes += cell?.length ?? 0;
  return bytes;
}
