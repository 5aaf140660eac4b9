import type { Chunk } from '@millrace/sdk';
import type { OpenCopy } from './copy-in.js';
import type { LoadTarget } from './load-target.js';
import type { HopefulChunk } from './row-loader.js';
import { hopefulChunk, loadChunk, openLoad } from './row-loader.js';

/** A limit on the speed must not make the news of a refused row hours old. */
const MAX_RUN_MS = 500;

/** Chunks in one `COPY`. */
interface Run {
  readonly copy: OpenCopy;
  readonly format: HopefulChunk['rows']['format'];
  readonly chunks: SentChunk[];
  /** Its last chunk has some. */
  hasSuspects: boolean;
  readonly begunAt: number;
  bytes: number;
}

interface SentChunk {
  readonly hopeful: HopefulChunk;
  readonly chunk: Chunk;
  readonly sliceNo: number;
}

/**
 * Loads chunks one after the other into an open transaction: many in one `COPY`, of which each took the server
 * two milliseconds beside its rows, and the next `COPY` before the last one is answered. Chunks of several slices
 * may come in turns; with a `COPY` for each, four channels were a sixth slower than they read. Around refused rows
 * each chunk has one of its own, so that little has to be sent again.
 */
export class ChunkLoads {
  /** Of which more may come. */
  #open: Run | undefined;
  /** All of it is sent; {@link #open} goes behind it. */
  #ended: Run | undefined;
  readonly #runBytes: number;
  #maxBytes: number;
  /** Rows that were written and not told of, by the number of their slice. */
  readonly #untold = new Map<number, number>();

  /** `runBytes`: of one `COPY`. They are kept until the server has taken them: it may refuse one, and then all come again. */
  constructor(runBytes: number) {
    this.#runBytes = runBytes;
    this.#maxBytes = runBytes;
  }

  /** Resolves to the rows of the slice that were written since it was told last, of chunks before this one or of all. */
  async load(into: LoadTarget, chunk: Chunk): Promise<number> {
    await this.#load(into, chunk);
    return this.#told(into.sliceNo);
  }

  /** Waits for all answers. Resolves to the rows of the slice that were written since it was told last. */
  async flush(sliceNo: number): Promise<number> {
    await this.#flush();
    return this.#told(sliceNo);
  }

  /** The transaction is rolled back: nobody wants to know of what is on its way. */
  drop(): void {
    this.#open?.copy.fail();
    this.#open = undefined;
    this.#ended = undefined;
    this.#untold.clear();
  }

  #told(sliceNo: number): number {
    const rows = this.#untold.get(sliceNo) ?? 0;
    this.#untold.delete(sliceNo);
    return rows;
  }

  #wrote(sliceNo: number, rows: number): void {
    this.#untold.set(sliceNo, (this.#untold.get(sliceNo) ?? 0) + rows);
  }

  async #load(into: LoadTarget, chunk: Chunk): Promise<void> {
    const { sliceNo } = into;
    // Behind rows that may have been refused nothing goes before they are sent again: rows keep their order.
    if (this.#ended?.copy.isAnswered === true) await this.#settleEnded();
    if (this.#open?.copy.isAnswered === true) await this.#flush();
    let hopeful = hopefulChunk(into, chunk);
    if (hopeful === undefined) {
      await this.#flush();
      this.#wrote(sliceNo, await loadChunk(into, chunk));
      giveBack(chunk);
      return;
    }
    if (hopeful.ask !== undefined) {
      await this.#flush();
      hopeful = await hopeful.ask();
    }
    const { format } = hopeful.rows;
    // What was left out of the rows before comes before these.
    if (this.#ended?.hasSuspects === true) await this.#settleEnded();
    if (this.#open !== undefined && this.#open.format !== format) await this.#flush();
    this.#open ??= {
      copy: openLoad(into, format, this.#ended?.copy),
      format,
      chunks: [],
      hasSuspects: false,
      begunAt: performance.now(),
      bytes: 0,
    };
    const run = this.#open;
    run.chunks.push({ hopeful, chunk, sliceNo });
    run.hasSuspects = hopeful.hasSuspects;
    run.bytes += chunk.byteCount;
    await run.copy.add(hopeful.rows.parts);
    const hasRoom = run.bytes < this.#maxBytes && performance.now() - run.begunAt < MAX_RUN_MS;
    if (hasRoom && !run.hasSuspects) return;
    run.copy.end();
    await this.#settleEnded();
    // It may have gone down with those before it, and be settled.
    this.#ended = this.#open;
    this.#open = undefined;
  }

  async #flush(): Promise<void> {
    this.#open?.copy.end();
    await this.#settleEnded();
    this.#ended = this.#open;
    this.#open = undefined;
    await this.#settleEnded();
  }

  async #settleEnded(): Promise<void> {
    const run = this.#ended;
    if (run === undefined) return;
    this.#ended = undefined;
    const taken = await run.copy.taken;
    if (typeof taken === 'number') {
      // Of rows that a trigger of the target has left out nobody says which: one slice of the run misses them.
      let missing = run.chunks.reduce((sum, { hopeful }) => sum + hopeful.count, -taken);
      for (const { hopeful, chunk, sliceNo } of run.chunks) {
        this.#wrote(sliceNo, hopeful.count - missing + (await hopeful.kept()));
        missing = 0;
        giveBack(chunk);
      }
      this.#maxBytes = Math.min(this.#runBytes, Math.max(run.bytes, this.#maxBytes) * 2);
      return;
    }
    this.#maxBytes = 0;
    const behind = this.#open;
    this.#open = undefined;
    // It went down with those before it.
    await behind?.copy.taken.catch(() => undefined);
    for (const { hopeful, chunk, sliceNo } of [...run.chunks, ...(behind?.chunks ?? [])]) {
      this.#wrote(sliceNo, await hopeful.again());
      giveBack(chunk);
    }
  }
}

/** The server has all of it, and the cells of refused rows are copies. */
function giveBack(chunk: Chunk): void {
  if (chunk.lane !== 'rows') chunk.release?.();
}
