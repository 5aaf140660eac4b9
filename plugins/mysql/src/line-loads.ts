import type { CheckedLines, LineCheck } from '@millrace/sdk';

import type { LineLoad, LoadLines } from './load-lines.js';
import type { SkippedLine } from './skipped-lines.js';

/** A limit on the speed must not make the news of a refused row hours old, nor the statement. */
const MAX_RUN_MS = 500;

/** COPY lines of one chunk. */
export interface Lines {
  readonly data: Uint8Array;
  readonly rowCount: number;
  readonly release?: () => void;
}

export interface LineLoadsOptions {
  readonly load: LoadLines;
  readonly check: LineCheck;
  /** Of one LOAD DATA. They are kept until the server has stored them: with a warning about one line all are taken back. */
  readonly runBytes: number;
  /** The number of the next line that is kept. */
  readonly nextNo: () => number;
  /** Its lines are stored, but for those that were refused here and skipped there. Resolves to how many are. */
  readonly keep: (looked: CheckedLines, skipped: readonly SkippedLine[]) => Promise<number>;
  /** The lines one by one, so that the server says what is wrong with which. Resolves to how many it took. */
  readonly insert: (lines: Buffer) => Promise<number>;
}

/** Chunks in one LOAD DATA. */
interface Run {
  readonly load: LineLoad;
  readonly chunks: {
    readonly lines: Lines;
    readonly looked: CheckedLines;
    readonly which: Which;
  }[];
  bytes: number;
  rows: number;
  isOver: boolean;
  readonly timer: NodeJS.Timeout;
}

type Which = 'needed' | 'all';

/**
 * Loads chunks one after the other: many in one LOAD DATA, because the server was idle between two of them for
 * as long as this process had other things to do. Around lines that it changes each chunk has one of its own,
 * so that little has to be sent again.
 */
export class LineLoads {
  readonly #options: LineLoadsOptions;
  #run: Run | undefined;
  #maxBytes: number;
  /** The last chunk had lines that the row rules refuse. */
  #isDirty = false;
  #takenBack = 0;

  constructor(options: LineLoadsOptions) {
    this.#options = options;
    this.#maxBytes = options.runBytes;
  }

  /** How many chunks were taken back. */
  get takenBack(): number {
    return this.#takenBack;
  }

  /** Resolves to the rows that were written since the last answer, of chunks before this one or of all. */
  async load(lines: Lines): Promise<number> {
    const before = this.#run?.isOver === true ? await this.flush() : 0;
    if (this.#options.load.isOff)
      return before + (await this.flush()) + (await this.#options.insert(Buffer.from(lines.data)));
    const which = this.#isDirty ? 'all' : 'needed';
    const run = await this.#add(lines, this.#looked(lines, which), which);
    return run.bytes < this.#maxBytes && !run.isOver ? before : before + (await this.flush());
  }

  /** Waits for the answer. Resolves to the rows that were written since the one before. */
  async flush(): Promise<number> {
    const run = this.#run;
    if (run === undefined) return 0;
    this.#run = undefined;
    clearTimeout(run.timer);
    const { chunks } = run;
    const skipped = await run.load.end(chunks.map(({ looked }) => looked.data));
    if (skipped !== undefined) {
      this.#maxBytes = Math.min(this.#options.runBytes, Math.max(run.bytes, this.#maxBytes) * 2);
      let [rows, no] = [0, 0];
      for (const { lines, looked } of chunks) {
        const inside = skipped.filter(({ index }) => index >= no && index < no + looked.count);
        const first = no;
        rows += await this.#keep(
          looked,
          inside.map((line) => ({ ...line, index: line.index - first })),
        );
        no += looked.count;
        // The server has all of it, and the cells of refused lines are copies.
        looked.release?.();
        lines.release?.();
      }
      return rows;
    }
    if (this.#options.load.isOff) {
      let rows = 0;
      for (const { lines } of chunks) rows += await this.#options.insert(Buffer.from(lines.data));
      return rows;
    }
    this.#maxBytes = 0;
    const [first, ...others] = chunks;
    if (first !== undefined && others.length === 0)
      return await this.#again(first.lines, first.which);
    let rows = 0;
    for (const { lines } of chunks) rows += await this.load(lines);
    return rows + (await this.flush());
  }

  /** The transaction is rolled back: nobody wants to know of what is on its way. */
  async drop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    clearTimeout(run?.timer);
    await run?.load.drop();
  }

  #looked({ data, rowCount }: Lines, which: Which): CheckedLines {
    const { check } = this.#options;
    if (which === 'all' || check.isNeeded) return check.check(data, rowCount, which);
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return { data: bytes, count: rowCount, refused: [], originals: new Map(), doubtful: [] };
  }

  async #add(lines: Lines, looked: CheckedLines, which: Which): Promise<Run> {
    this.#run ??= await this.#begin();
    const run = this.#run;
    const firstNo = this.#options.nextNo() + run.rows;
    run.chunks.push({ lines, looked, which });
    run.bytes += looked.data.length;
    run.rows += looked.count;
    await run.load.add(looked.data, looked.count, firstNo);
    return run;
  }

  async #begin(): Promise<Run> {
    const run: Run = {
      load: await this.#options.load.begin(),
      chunks: [],
      bytes: 0,
      rows: 0,
      isOver: false,
      timer: setTimeout(() => (run.isOver = true), MAX_RUN_MS),
    };
    return run;
  }

  async #keep(looked: CheckedLines, skipped: readonly SkippedLine[]): Promise<number> {
    this.#isDirty = looked.refused.length > 0;
    return await this.#options.keep(looked, skipped);
  }

  /** One chunk that was taken back: without the lines of which all that can be looked at is wrong, or by INSERT. */
  async #again(lines: Lines, which: Which): Promise<number> {
    this.#takenBack += 1;
    if (which === 'needed') {
      const looked = this.#looked(lines, 'all');
      this.#isDirty = looked.refused.length > 0;
      if (this.#isDirty) {
        const run = await this.#add(lines, looked, 'all');
        clearTimeout(run.timer);
        this.#run = undefined;
        const skipped = await run.load.end([looked.data]);
        if (skipped !== undefined) return await this.#keep(looked, skipped);
      }
    }
    return await this.#options.insert(Buffer.from(lines.data));
  }
}
