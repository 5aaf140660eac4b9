import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';

import { GramFilters } from '../domain/log/gram-filter.js';
import { isGzip } from '../domain/log/is-gzip.js';
import { LOG_HEAD_BYTES, leftOutLine } from '../domain/log/left-out.js';
import type { AttemptRef, LogChunk, LogPiece } from '../worker-link/worker-link.js';

const gzipAway = promisify(gzip);
/** Up to so many bytes the way to another thread and back costs more than the zipping. */
const SMALL_BYTES = 8 * 1024;
const SMALL = { windowBits: 13, memLevel: 5 };

/** Below it gzip takes away less than what it costs, and a short attempt costs more of it than of all else. */
const PLAIN_BYTES = 512;

async function compress(text: Buffer): Promise<Buffer> {
  if (text.length <= PLAIN_BYTES && !isGzip(text)) return text;
  return text.length <= SMALL_BYTES ? gzipSync(text, SMALL) : await gzipAway(text);
}

export interface LogShipperOptions {
  readonly attempt: AttemptRef;
  /** Sends chunks; rejects when they may not have arrived. */
  readonly send: (chunks: readonly LogChunk[]) => Promise<void>;
  readonly now: () => Date;
  /** Of a whole log; what comes in the middle of a longer one is left out and counted. */
  readonly maxBytes?: number;
  readonly chunkBytes?: number;
  readonly chunkMs?: number;
  /** Where in the log chunks begin to have a filter: what comes before is searched in no time. */
  readonly filterFromBytes?: number;
  /** Longest pause before a chunk is sent again. */
  readonly maxRetryMs?: number;
}

const MAX_BYTES = 2 * LOG_HEAD_BYTES;
const CHUNK_BYTES = 64 * 1024;
const CHUNK_MS = 250;
const FILTER_FROM_BYTES = 4 * 1024 * 1024;
/** Below it the filter were larger than what it is about. */
const FILTER_CHUNK_BYTES = 16 * 1024;
const MAX_RETRY_MS = 5000;

/**
 * Sends one attempt's run log on while it runs: at most 64 KB or 250 ms stay in this process, so that a
 * killed worker loses less than a second of it (engine rule 21). A log beyond the limit keeps its head
 * and its tail and says what is missing between them.
 */
export class LogShipper {
  readonly #options: Required<LogShipperOptions>;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #sentBytes = 0;
  #no = 0;
  #shippedBytes = 0;
  readonly #filters = new GramFilters();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  /** The newest part of a log that is over its head's size. */
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #droppedBytes = 0;
  #abandoned = false;

  constructor(options: LogShipperOptions) {
    this.#options = {
      maxBytes: MAX_BYTES,
      chunkBytes: CHUNK_BYTES,
      chunkMs: CHUNK_MS,
      filterFromBytes: FILTER_FROM_BYTES,
      maxRetryMs: MAX_RETRY_MS,
      ...options,
    };
  }

  /** Takes bytes as they come. Resolves when there is room for more. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#sentBytes + this.#pendingBytes >= this.#options.maxBytes / 2) {
      this.#keepTail(Buffer.from(bytes));
      return;
    }
    this.#pending.push(Buffer.from(bytes));
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= this.#options.chunkBytes) await this.#flush(true);
    else this.#timer ??= setTimeout(() => void this.#flush(), this.#options.chunkMs);
  }

  /**
   * The last of it, to be sent with what ends the attempt; resolves when all before it has arrived, or the log
   * was abandoned.
   */
  async end(): Promise<LogPiece[]> {
    if (this.#tailBytes > 0) {
      if (this.#droppedBytes > 0) {
        this.#push(`\n${leftOutLine(this.#droppedBytes)}\n`);
      }
      for (const part of this.#tail.splice(0)) this.#push(part);
    }
    void this.#flush(true);
    clearTimeout(this.#timer);
    await this.#sending;
    const text = Buffer.concat(this.#pending.splice(0));
    return this.#abandoned || text.length === 0 ? [] : [await this.#pieceOf(text)];
  }

  /** The attempt is not this worker's any more: nothing is sent again. */
  abandon(): void {
    this.#abandoned = true;
    clearTimeout(this.#timer);
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #push(part: Buffer | string): void {
    const bytes = Buffer.from(part as string);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  #keepTail(bytes: Buffer): void {
    this.#tail.push(bytes);
    this.#tailBytes += bytes.length;
    while (this.#tailBytes > this.#options.maxBytes / 2) {
      const oldest = this.#tail.shift();
      if (oldest === undefined) return;
      this.#tailBytes -= oldest.length;
      this.#droppedBytes += oldest.length;
    }
  }

  /** `wholeOnly`: what is more than whole chunks waits for more, or small chunks would stand between them. */
  #flush(wholeOnly = false): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const all = Buffer.concat(this.#pending);
    const kept = wholeOnly ? all.length % this.#options.chunkBytes : 0;
    const text = all.subarray(0, all.length - kept);
    this.#pending = kept === 0 ? [] : [all.subarray(text.length)];
    this.#pendingBytes = kept;
    if (kept > 0) this.#timer = setTimeout(() => void this.#flush(), this.#options.chunkMs);
    if (text.length === 0) return this.#sending;
    this.#sentBytes += text.length;
    for (let at = 0; at < text.length; at += this.#options.chunkBytes) {
      this.#sending = this.#sending.then(() =>
        this.#send(text.subarray(at, at + this.#options.chunkBytes)),
      );
    }
    return this.#sending;
  }

  async #pieceOf(text: Buffer): Promise<LogPiece> {
    const { chunkBytes, filterFromBytes } = this.#options;
    const isFiltered =
      this.#shippedBytes >= filterFromBytes &&
      text.length >= Math.min(FILTER_CHUNK_BYTES, chunkBytes / 4);
    this.#shippedBytes += text.length;
    const grams = this.#filters.next(text, isFiltered);
    return {
      no: this.#no++,
      at: this.#options.now().toISOString(),
      lineCount: countNewlines(text),
      byteCount: text.length,
      body: (await compress(text)).toString('base64'),
      ...(grams === undefined ? {} : { grams: Buffer.from(grams).toString('base64') }),
    };
  }

  async #send(text: Buffer): Promise<void> {
    const { attempt, maxRetryMs } = this.#options;
    const chunk: LogChunk = { ...attempt, ...(await this.#pieceOf(text)) };
    for (let delayMs = 100; !this.#abandoned; delayMs = Math.min(maxRetryMs, delayMs * 2)) {
      try {
        await this.#options.send([chunk]);
        return;
      } catch {
        // The link is down or slow: the chunk keeps its number, so sending it again doubles nothing.
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }
}

function countNewlines(text: Buffer): number {
  let count = 0;
  for (let at = text.indexOf(10); at !== -1; at = text.indexOf(10, at + 1)) count++;
  return count;
}
