import type { BatchInsert, PreparedRow } from './batch-insert.js';
import { literalSpace, literalWriterOf } from './field-literal.js';
import type { LiteralWriter } from './field-literal.js';
import type { ColumnPair } from './writer-target.js';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const OPEN = 0x28;
const CLOSE = 0x29;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const LETTER_N = 0x4e;
const NULL = Buffer.from('NULL');
const LONGEST_NUMBER = 24;
/** A server that refuses one row refuses its statement: larger ones gain nothing and cost more then. */
const MOST_BYTES = 512 * 1024;

export interface InsertLinesOptions {
  readonly batch: BatchInsert;
  readonly pairs: readonly ColumnPair[];
  readonly maxAllowedPacket: number;
  /** On a staging table: the number of the next row. */
  readonly nextNo: (() => number) | undefined;
  /** What the row rules make of a line; `undefined`: it is refused, and in the quarantine. */
  readonly rowOf: (line: Buffer) => Promise<PreparedRow | undefined>;
}

/** Inserts COPY lines by multi-row INSERT, bytes to bytes, where LOAD DATA LOCAL is not allowed. */
export class InsertLines {
  readonly #options: InsertLinesOptions;
  readonly #writers: readonly LiteralWriter[];
  readonly #nullable: readonly boolean[];
  readonly #mostBytes: number;
  #out: Buffer;
  #at = 0;
  /** Where each line of the statement begins and ends in the chunk. */
  #lines: number[] = [];

  private constructor(options: InsertLinesOptions, writers: readonly LiteralWriter[]) {
    this.#options = options;
    this.#writers = writers;
    this.#nullable = options.pairs.map((p) => p.target.nullable);
    this.#mostBytes = Math.min(MOST_BYTES, Math.floor(options.maxAllowedPacket / 2));
    this.#out = Buffer.allocUnsafe(this.#mostBytes * 2);
  }

  /** `undefined` where some column can only be judged by the row lane. */
  static of(options: InsertLinesOptions): InsertLines | undefined {
    const writers = options.pairs
      .map((pair) => literalWriterOf(pair))
      .filter((writer) => writer !== undefined);
    return writers.length < options.pairs.length ? undefined : new InsertLines(options, writers);
  }

  /** How many lines were written; the others are in the quarantine. The bytes are UTF-8. */
  async insert(lines: Buffer): Promise<number> {
    let written = 0;
    this.#clear();
    for (let at = 0; at < lines.length;) {
      const end = lines.indexOf(LINE_FEED, at) + 1;
      const start = this.#at;
      this.#reserve(literalSpace(end - at) + this.#writers.length * literalSpace(0));
      if (
        this.#tuple(lines, at, end - 1) ||
        (await this.#settled(lines.subarray(at, end), start))
      ) {
        if (this.#lines.length > 0 && this.#at > this.#mostBytes) {
          written += await this.#send(lines, start);
        }
        this.#lines.push(at, end);
      }
      at = end;
    }
    return written + (this.#lines.length > 0 ? await this.#send(lines, this.#at) : 0);
  }

  #clear(): void {
    this.#at = 0;
    this.#lines = [];
  }

  /** Sends what lies before `to`; what lies behind it begins the next statement. */
  async #send(lines: Buffer, to: number): Promise<number> {
    const values = this.#out.toString('utf8', 0, to);
    const rows = this.#lines;
    this.#lines = [];
    // Behind the comma.
    const rest = Math.min(to + 1, this.#at);
    this.#out.copyWithin(0, rest, this.#at);
    this.#at -= rest;
    const { batch, rowOf } = this.#options;
    if ((await batch.attemptValues(values)) === undefined) return rows.length / 2;
    const prepared: PreparedRow[] = [];
    for (let i = 0; i < rows.length; i += 2) {
      const row = await rowOf(lines.subarray(rows[i], rows[i + 1]));
      if (row !== undefined) prepared.push(row);
    }
    return batch.insert(prepared);
  }

  async #settled(line: Buffer, start: number): Promise<boolean> {
    this.#at = start;
    const row = await this.#options.rowOf(line);
    if (row === undefined) return false;
    this.#reserve(row.tuple.length * 3 + 1);
    if (start > 0) this.#out[this.#at++] = COMMA;
    this.#at += this.#out.write(row.tuple, this.#at);
    return true;
  }

  /** Writes the tuple of a line; `false`, with nothing to rely on behind its begin, when it is not plain. */
  #tuple(lines: Buffer, from: number, end: number): boolean {
    const out = this.#out;
    let at = this.#at;
    if (at > 0) out[at++] = COMMA;
    out[at++] = OPEN;
    let field = from;
    for (const [no, write] of this.#writers.entries()) {
      if (no > 0) out[at++] = COMMA;
      let to = field;
      while (to < end && lines[to] !== TAB) to += 1;
      if (to - field === 2 && lines[field] === BACKSLASH && lines[field + 1] === LETTER_N) {
        if (this.#nullable[no] !== true) return false;
        at += NULL.copy(out, at);
      } else {
        at = write(out, at, lines, field, to);
        if (at === -1) return false;
      }
      field = to + 1;
    }
    const { nextNo } = this.#options;
    if (nextNo !== undefined) at += out.write(`,${nextNo()}`, at, 'latin1');
    out[at++] = CLOSE;
    this.#at = at;
    return true;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes + LONGEST_NUMBER;
    if (needed <= this.#out.length) return;
    const old = this.#out;
    this.#out = Buffer.allocUnsafe(Math.max(needed, old.length * 2));
    old.copy(this.#out, 0, 0, this.#at);
  }
}
