import type { BatchInsert, PreparedRow, Refusal } from './batch-insert.js';
import { fieldFormOf } from './field-form.js';
import type { FieldForm } from './field-form.js';
import { bulkForm, LinePacket, textForm } from './line-packet.js';
import type { PacketForm, PlacedLine } from './line-packet.js';
import type { Session } from './session.js';
import type { ColumnPair } from './writer-target.js';

const LINE_FEED = 0x0a;
/** A server that refuses one row refuses its statement: larger ones gain nothing and cost more then. */
const MOST_BYTES = 512 * 1024;
/** Room for the line that makes a statement large enough. */
const SLACK_BYTES = 64 * 1024;
/** What a statement has around the values of a row, beside its head. */
const MOST_AROUND_ROW = 1024;

export interface InsertLinesOptions {
  readonly session: Session;
  readonly batch: BatchInsert;
  /** `INSERT INTO t (…) VALUES ` */
  readonly head: string;
  readonly pairs: readonly ColumnPair[];
  readonly maxAllowedPacket: number;
  /** On a staging table: the number of the next row. */
  readonly nextNo: (() => number) | undefined;
  /** What the row rules make of a line; `undefined`: it is refused, and in the quarantine. */
  readonly rowOf: (line: Buffer) => Promise<PreparedRow | undefined>;
}

/** A statement that the server has not answered yet. */
interface Running {
  readonly packet: LinePacket;
  readonly answer: Promise<Refusal | undefined>;
}

/**
 * Inserts COPY lines where LOAD DATA LOCAL is not allowed, bytes to bytes: one statement is made while the server
 * works on the one before.
 */
export class InsertLines {
  readonly #options: InsertLinesOptions;
  readonly #fields: readonly FieldForm[];
  readonly #mostBytes: number;
  /** Are used by turns. */
  #packet: LinePacket | undefined;
  #spare: LinePacket | undefined;
  #running: Running | undefined;
  /** Rows that are no plain copies of their lines go by statements of their own. */
  #settled: PreparedRow[] = [];
  #settledBytes = 0;
  #form: PacketForm | undefined;

  private constructor(options: InsertLinesOptions, fields: readonly FieldForm[]) {
    this.#options = options;
    this.#fields = fields;
    this.#mostBytes = Math.min(MOST_BYTES, Math.floor(options.maxAllowedPacket / 2));
  }

  /** `undefined` where some column can only be judged by the row lane. */
  static of(options: InsertLinesOptions): InsertLines | undefined {
    const fields = options.pairs.map(fieldFormOf).filter((form) => form !== undefined);
    return fields.length < options.pairs.length ? undefined : new InsertLines(options, fields);
  }

  /**
   * The bytes are UTF-8, and are still read after this. Resolves to how many lines were written since the last
   * answer; those that are neither written nor on their way are in the quarantine.
   */
  async insert(lines: Buffer): Promise<number> {
    let written = 0;
    for (let at = 0; at < lines.length;) {
      this.#packet ??= await this.#begin();
      const line = { chunk: lines, from: at, to: lines.indexOf(LINE_FEED, at) + 1 };
      if (!this.#packet.add(line)) await this.#settle(line);
      at = line.to;
      if (this.#packet.bytes + this.#settledBytes > this.#mostBytes) written += await this.#send();
    }
    return written + (await this.#send());
  }

  /** Resolves to how many lines were written since the last answer: none is on its way any more. */
  async flush(): Promise<number> {
    const running = this.#running;
    if (running === undefined) return 0;
    const refusal = await running.answer;
    const { lines } = running.packet;
    let written = lines.length;
    if (refusal !== undefined) {
      const rows: PreparedRow[] = [];
      for (const line of lines) {
        const row = await this.#options.rowOf(bytesOf(line));
        if (row !== undefined) rows.push(row);
      }
      written = await this.#options.batch.insert(rows);
    }
    running.packet.clear();
    this.#spare = running.packet;
    this.#running = undefined;
    return written;
  }

  /** The transaction is rolled back. */
  async drop(): Promise<void> {
    await this.#running?.answer.catch(() => undefined);
    this.#running = undefined;
    this.#packet = undefined;
    this.#settled = [];
    this.#settledBytes = 0;
  }

  /** Sends what there is as soon as the statement before it is answered. */
  async #send(): Promise<number> {
    let written = await this.flush();
    const packet = this.#packet;
    if (this.#settled.length > 0) {
      const rows = this.#settled;
      this.#settled = [];
      this.#settledBytes = 0;
      written += await this.#options.batch.insert(rows);
    }
    if (packet === undefined || packet.lines.length === 0) return written;
    const { batch, session } = this.#options;
    const answer = batch.attempt(packet.lines.length, () => session.send(packet.command));
    // Who waits for it comes later.
    answer.catch(() => undefined);
    this.#running = { packet, answer };
    this.#packet = this.#spare;
    this.#spare = undefined;
    return written;
  }

  async #begin(): Promise<LinePacket> {
    this.#form ??= await this.#formOf();
    const { pairs, nextNo, head, maxAllowedPacket } = this.#options;
    return new LinePacket(this.#form, this.#fields, {
      nullable: pairs.map((pair) => pair.target.nullable),
      nextNo,
      bytes: this.#mostBytes + SLACK_BYTES,
      mostBytesOfLine: maxAllowedPacket - head.length - MOST_AROUND_ROW,
    });
  }

  async #formOf(): Promise<PacketForm> {
    const { session, head, pairs, nextNo } = this.#options;
    const hasNumbers = nextNo !== undefined;
    const parameters = Array.from({ length: pairs.length + (hasNumbers ? 1 : 0) }, () => '?');
    const id = await session.prepareBulk(`${head}(${parameters.join(', ')})`);
    return id === undefined ? textForm(head, this.#fields) : bulkForm(id, this.#fields, hasNumbers);
  }

  async #settle(line: PlacedLine): Promise<void> {
    const row = await this.#options.rowOf(bytesOf(line));
    if (row === undefined) return;
    this.#settled.push(row);
    this.#settledBytes += row.tuple.length;
  }
}

function bytesOf({ chunk, from, to }: PlacedLine): Buffer {
  return chunk.subarray(from, to);
}
