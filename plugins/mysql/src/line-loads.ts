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
  /** Stored chunks whose refused lines are still to be told of, while the server has the next ones to load. */
  #untold: {
    readonly lines: Lines;
    readonly looked: CheckedLines;
    readonly skipped: readonly SkippedLine[];
  }[] = [];
  #takenBack = 0;

  constructor(options: LineLoadsOptions) {
    this.#options = options;
    this.#maxBytes = options.runBytes;
  }

  /** How many chunks were taken back. */
  get takenBack(): number {
    return this.#takenBack;
  }

  /** Resolves to the rows that were written and not told of, of chunks before this one or of all. */
  async load(lines: Lines): Promise<number> {
    let rows = this.#run?.isOver === true ? await this.#settle() : 0;
    if (this.#options.load.isOff) return rows + (await this.flush()) + (await this.#insert(lines));
    const which = this.#isDirty ? 'all' : 'needed';
    const run = await this.#add(lines, this.#looked(lines, which), which);
    rows += await this.#tell(lines.data.length);
    return run.bytes < this.#maxBytes && !run.isOver ? rows : rows + (await this.#settle());
  }

  /** Waits for the answer. Resolves to the rows that were written and not told of. */
  async flush(): Promise<number> {
    const rows = await this.#settle();
    return rows + (await this.#tell(Infinity));
  }

  async #settle(): Promise<number> {
    const run = this.#run;
    if (run === undefined) return 0;
    this.#run = undefined;
    clearTimeout(run.timer);
    const { chunks } = run;
    const ended = run.load.end(chunks.map(({ looked }) => looked.data));
    // Who waits for it may come later.
    ended.catch(() => undefined);
    const rows = await this.#tell(Infinity);
    const skipped = await ended;
    if (skipped === undefined) return rows + (await this.#takeBack(run));
    this.#maxBytes = Math.min(this.#options.runBytes, Math.max(run.bytes, this.#maxBytes) * 2);
    let no = 0;
    for (const { lines, looked } of chunks) {
      const first = no;
      no += looked.count;
      const inside = skipped
        .filter(({ index }) => index >= first && index < first + looked.count)
        .map((line) => ({ ...line, index: line.index - first }));
      this.#untold.push({ lines, looked, skipped: inside });
      this.#isDirty = looked.refused.length > 0;
    }
    return rows;
  }

  /** Of chunks with so many bytes: no more are kept than one run has. Resolves to the rows of them that are stored. */
  async #tell(bytes: number): Promise<number> {
    let rows = 0;
    for (let left = bytes; left > 0;) {
      const next = this.#untold.shift();
      if (next === undefined) break;
      const { lines, looked, skipped } = next;
      rows += await this.#options.keep(looked, skipped);
      left -= lines.data.length;
      // The server has all of it, and the cells of refused lines are copies.
      looked.release?.();
      lines.release?.();
    }
    return rows;
  }

  async #takeBack({ chunks }: Run): Promise<number> {
    let rows = 0;
    if (this.#options.load.isOff) {
      for (const { lines } of chunks) rows += await this.#insert(lines);
      return rows;
    }
    this.#maxBytes = 0;
    const [first, ...others] = chunks;
    if (first !== undefined && others.length === 0)
      return await this.#again(first.lines, first.which);
    for (const { lines } of chunks) rows += await this.load(lines);
    return rows + (await this.flush());
  }

  #insert({ data }: Lines): Promise<number> {
    return this.#options.insert(Buffer.from(data));
  }

  /** The transaction is rolled back: nobody wants to know of what is on its way. */
  async drop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.#untold = [];
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
    const untold = this.#untold.reduce((sum, { looked: { count } }) => sum + count, 0);
    const firstNo = this.#options.nextNo() + untold + run.rows;
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
        if (skipped !== undefined) return await this.#options.keep(looked, skipped);
      }
    }
    return await this.#insert(lines);
  }
}
