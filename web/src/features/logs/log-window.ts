/** An answer of `…/log/lines`. */
export interface LogLines {
  readonly firstLine: number;
  readonly lines: readonly string[];
  readonly cut: readonly { readonly line: number; readonly length: number }[];
  readonly totalLines: number;
  readonly totalBytes: number;
  readonly isOver: boolean;
  readonly truncated: { readonly line: number; readonly bytes: number } | null;
}

export type LoadLines = (from: number, count: number) => Promise<LogLines>;

type Extent = Pick<LogLines, 'totalLines' | 'totalBytes' | 'isOver' | 'truncated'>;

const BLOCK = 500;
/** Kept of a log in the page: 30,000 lines. */
const MAX_BLOCKS = 60;

/**
 * The lines of one attempt's log that are in the page: loaded in blocks as they come into view, the oldest
 * given up. Lives outside React, which is told by {@link subscribe} that something has changed.
 */
export class LogWindow {
  /** Lines as the server has them, past what is kept here. */
  readonly load: LoadLines;
  readonly #blocks = new Map<number, (string | undefined)[]>();
  readonly #cut = new Map<number, number>();
  readonly #loading = new Set<number>();
  readonly #listeners = new Set<() => void>();
  #asked = 0;
  #extent: Extent | undefined;
  #extentOf = 0;
  #error: unknown;
  #version = 0;
  #refreshing: Promise<void> | undefined;
  #isStale = false;

  constructor(load: LoadLines) {
    this.load = load;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Changes with whatever can be seen here. */
  readonly version = (): number => this.#version;

  /** `undefined` before the first answer. */
  get extent(): Extent | undefined {
    return this.#extent;
  }

  get error(): unknown {
    return this.#error;
  }

  line(no: number): string | undefined {
    return this.#blocks.get(Math.floor(no / BLOCK))?.[no % BLOCK];
  }

  /** How long a line really is of which only the beginning is here. */
  lengthOfCut(no: number): number | undefined {
    return this.#cut.get(no);
  }

  /** Loads what is missing of these lines. */
  want(first: number, last: number): void {
    // What failed is asked for again when a person says so, not each time the page is painted.
    if (this.#error !== undefined) return;
    const end = Math.min(last, (this.#extent?.totalLines ?? 0) - 1);
    for (let block = Math.floor(first / BLOCK); block <= Math.floor(end / BLOCK); block++) {
      const from = Math.max(first, block * BLOCK);
      const to = Math.min(end, block * BLOCK + BLOCK - 1);
      const known = this.#blocks.get(block);
      if (known !== undefined) {
        // Seen last, given up last.
        this.#blocks.delete(block);
        this.#blocks.set(block, known);
      }
      for (let no = from; no <= to; no++) {
        if (this.line(no) !== undefined) continue;
        void this.#fill(block, known === undefined ? block * BLOCK : no);
        break;
      }
    }
  }

  /** Looks how far the log is; called again while it looks, it looks once more. */
  async refresh(): Promise<void> {
    if (this.#refreshing !== undefined) {
      this.#isStale = true;
      return await this.#refreshing;
    }
    this.#refreshing = this.#refreshTail();
    await this.#refreshing;
    this.#refreshing = undefined;
    if (!this.#isStale) return;
    this.#isStale = false;
    await this.refresh();
  }

  async #refreshTail(): Promise<void> {
    // The last line that is known may have been written on.
    const known = this.#extent?.totalLines;
    await this.#ask(known === undefined ? -BLOCK : Math.max(0, known - 1), BLOCK);
  }

  async #fill(block: number, from: number): Promise<void> {
    if (this.#loading.has(block)) return;
    this.#loading.add(block);
    await this.#ask(from, (block + 1) * BLOCK - from);
    this.#loading.delete(block);
  }

  async #ask(from: number, count: number): Promise<void> {
    const asked = ++this.#asked;
    try {
      this.#put(asked, await this.load(from, count));
      this.#error = undefined;
    } catch (error) {
      this.#error = error;
    }
    this.#version++;
    for (const listener of this.#listeners) listener();
  }

  #put(asked: number, { firstLine, lines, cut, ...extent }: LogLines): void {
    // Answers may overtake each other.
    if (asked > this.#extentOf) {
      this.#extent = extent;
      this.#extentOf = asked;
    }
    for (const [i, text] of lines.entries()) {
      const no = firstLine + i;
      const block = this.#blocks.get(Math.floor(no / BLOCK)) ?? [];
      block[no % BLOCK] = text;
      this.#blocks.set(Math.floor(no / BLOCK), block);
    }
    for (const { line, length } of cut) this.#cut.set(line, length);
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= MAX_BLOCKS) break;
      this.#blocks.delete(oldest);
    }
  }
}
