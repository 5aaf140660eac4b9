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
  readonly chunks: { readonly hopeful: HopefulChunk; readonly chunk: Chunk }[];
  /** Its last chunk has some. */
  hasSuspects: boolean;
  readonly begunAt: number;
  bytes: number;
}

/**
 * Loads chunks one after the other into an open transaction: many in one `COPY`, of which each took the server
 * two milliseconds beside its rows, and the next `COPY` before the last one is answered. Around refused rows
 * each chunk has one of its own, so that little has to be sent again.
 */
export class ChunkLoads {
  /** Of which more may come. */
  #open: Run | undefined;
  /** All of it is sent; {@link #open} goes behind it. */
  #ended: Run | undefined;
  readonly #runBytes: number;
  #maxBytes: number;

  /** `runBytes`: of one `COPY`. They are kept until the server has taken them: it may refuse one, and then all come again. */
  constructor(runBytes: number) {
    this.#runBytes = runBytes;
    this.#maxBytes = runBytes;
  }

  /** Resolves to the rows that were written since the last answer, of chunks before this one or of all. */
  async load(into: LoadTarget, chunk: Chunk): Promise<number> {
    let rows = 0;
    // Behind rows that may have been refused nothing goes before they are sent again: rows keep their order.
    if (this.#ended?.copy.isAnswered === true) rows += await this.#settleEnded();
    if (this.#open?.copy.isAnswered === true) rows += await this.flush();
    let hopeful = hopefulChunk(into, chunk);
    if (hopeful === undefined) {
      rows += await this.flush();
      rows += await loadChunk(into, chunk);
      giveBack(chunk);
      return rows;
    }
    if (hopeful.ask !== undefined) {
      rows += await this.flush();
      hopeful = await hopeful.ask();
    }
    const { format } = hopeful.rows;
    // What was left out of the rows before comes before these.
    if (this.#ended?.hasSuspects === true) rows += await this.#settleEnded();
    if (this.#open !== undefined && this.#open.format !== format) rows += await this.flush();
    this.#open ??= {
      copy: openLoad(into, format, this.#ended?.copy),
      format,
      chunks: [],
      hasSuspects: false,
      begunAt: performance.now(),
      bytes: 0,
    };
    const run = this.#open;
    run.chunks.push({ hopeful, chunk });
    run.hasSuspects = hopeful.hasSuspects;
    run.bytes += chunk.byteCount;
    await run.copy.add(hopeful.rows.parts);
    const hasRoom = run.bytes < this.#maxBytes && performance.now() - run.begunAt < MAX_RUN_MS;
    if (hasRoom && !run.hasSuspects) return rows;
    run.copy.end();
    rows += await this.#settleEnded();
    // It may have gone down with those before it, and be settled.
    this.#ended = this.#open;
    this.#open = undefined;
    return rows;
  }

  /** Waits for all answers. Resolves to the rows that were written since the one before. */
  async flush(): Promise<number> {
    this.#open?.copy.end();
    const rows = await this.#settleEnded();
    this.#ended = this.#open;
    this.#open = undefined;
    return rows + (await this.#settleEnded());
  }

  /** The transaction is rolled back: nobody wants to know of what is on its way. */
  drop(): void {
    this.#open?.copy.fail();
    this.#open = undefined;
    this.#ended = undefined;
  }

  async #settleEnded(): Promise<number> {
    const run = this.#ended;
    if (run === undefined) return 0;
    this.#ended = undefined;
    const taken = await run.copy.taken;
    if (typeof taken === 'number') {
      let rows = taken;
      for (const { hopeful, chunk } of run.chunks) {
        rows += await hopeful.kept();
        giveBack(chunk);
      }
      this.#maxBytes = Math.min(this.#runBytes, Math.max(run.bytes, this.#maxBytes) * 2);
      return rows;
    }
    this.#maxBytes = 0;
    const behind = this.#open;
    this.#open = undefined;
    // It went down with those before it.
    await behind?.copy.taken.catch(() => undefined);
    let rows = 0;
    for (const { hopeful, chunk } of [...run.chunks, ...(behind?.chunks ?? [])]) {
      rows += await hopeful.again();
      giveBack(chunk);
    }
    return rows;
  }
}

/** The server has all of it, and the cells of refused rows are copies. */
function giveBack(chunk: Chunk): void {
  if (chunk.lane !== 'rows') chunk.release?.();
}
