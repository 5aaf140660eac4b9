import type { Socket } from 'node:net';

import { LargeRowBytes } from '@millrace/sdk';
import type { LargeRows } from '@millrace/sdk';

/** Takes rows as packets without their headers. `full` gives a promise when the socket has to wait. */
export interface RowTaker {
  row(input: Buffer, from: number, to: number): void;
  /** Rows of more bytes are left out. */
  readonly large?: LargeRows | undefined;
  /** Of a row that is left out, from its first bytes. */
  keyOf?(head: Buffer): string | undefined;
  full(): Promise<void> | undefined;
}

/** A row that is left out: how much of this part of it is to come, and whether parts follow. */
interface DroppedRow {
  readonly row: LargeRowBytes;
  left: number;
  hasMore: boolean;
}

const HEADER_BYTES = 4;
const FULL_PACKET_BYTES = 0xff_ff_ff;
const END = 0xfe;
const ERROR = 0xff;
/** A row may begin with this byte too, but is longer then. */
const LONGEST_END_BYTES = 9;
/** What the driver is told in place of the result: no rows, no warning, autocommit. */
const OK_PACKET = Buffer.from([7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);

/**
 * Reads the result of one SELECT from the socket of a driver's connection that has just sent it, and gives
 * the socket back with an end that the driver understands: an OK, or the server's error. The driver's own
 * reading of rows takes longer than both servers together.
 */
export class TextResult {
  readonly #socket: Socket;
  readonly #driver: (data: Buffer) => void;
  readonly #rows: RowTaker;
  readonly #onFailure: (error: unknown) => void;
  /** Packets before the rows: the number of columns, their definitions, an end. */
  #packetsBefore: number | undefined;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** So many bytes are there at least before the next packet is whole. */
  #needed = HEADER_BYTES;
  #isWaiting = false;
  #dropping: DroppedRow | undefined;
  /** The last one that was left out is being kept. */
  #kept: Promise<void> | undefined;

  constructor(socket: Socket, rows: RowTaker, onFailure: (error: unknown) => void) {
    this.#socket = socket;
    this.#rows = rows;
    this.#onFailure = onFailure;
    const [driver, ...others] = socket.listeners('data');
    if (driver === undefined || others.length > 0)
      throw new Error('the socket of the connection is not as the driver makes it');
    this.#driver = driver as (data: Buffer) => void;
    socket.removeListener('data', this.#driver);
    socket.on('data', this.#receive);
  }

  readonly #receive = (data: Buffer): void => {
    this.#parts.push(data);
    this.#bytes += data.length;
    if (!this.#isWaiting && this.#bytes >= this.#needed) this.#scan();
  };

  #scan(): void {
    try {
      const [first, ...others] = this.#parts;
      const [second] = others;
      if (first === undefined) return;
      if (others.length === 0) this.#keep(first, this.#packets(first));
      else if (others.length === 1 && second !== undefined && this.#dropping === undefined)
        this.#scanBehind(first, second);
      else {
        const input = Buffer.concat(this.#parts);
        this.#keep(input, this.#packets(input));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Of what came before there is the beginning of a packet: the rest of that alone is copied. All that came was,
   * and V8 collects the whole heap for every few dozen megabytes of buffers.
   */
  #scanBehind(before: Buffer, input: Buffer): void {
    let begun = before.subarray(this.#packets(before));
    let from = 0;
    while (begun.length > 0) {
      const to = from + this.#needed - begun.length;
      if (this.#isWaiting || this.#dropping !== undefined || to > input.length) {
        this.#parts = [begun, input.subarray(from)];
        this.#bytes = begun.length + input.length - from;
        return;
      }
      begun = Buffer.concat([begun, input.subarray(from, to)]);
      from = to;
      begun = begun.subarray(this.#packets(begun));
    }
    const rest = input.subarray(from);
    this.#keep(rest, this.#isWaiting ? 0 : this.#packets(rest));
  }

  #keep(input: Buffer, at: number): void {
    this.#parts = at < input.length ? [input.subarray(at)] : [];
    this.#bytes = input.length - at;
  }

  /** Gives the position of the first packet that was not taken. */
  #packets(input: Buffer): number {
    let at = 0;
    for (;;) {
      if (this.#dropping !== undefined) {
        at = this.#drop(input, at, this.#dropping);
        if (this.#dropping !== undefined) return at;
        const kept = this.#kept;
        this.#kept = undefined;
        if (kept !== undefined) {
          this.#wait(kept);
          return at;
        }
      }
      const length = this.#lengthAt(input, at);
      if (this.#dropping !== undefined) continue;
      if (length === undefined) return at;
      const start = at + HEADER_BYTES;
      const kind = input[start];
      if (kind === ERROR || (kind === END && length < LONGEST_END_BYTES && this.#isAtRows())) {
        this.#giveBack(kind === ERROR ? input.subarray(at) : OK_PACKET);
        return input.length;
      }
      if (length >= FULL_PACKET_BYTES) {
        const whole = joined(input, at, length);
        this.#rows.row(whole, 0, whole.length);
        at += length + HEADER_BYTES * (Math.floor(length / FULL_PACKET_BYTES) + 1);
      } else {
        if (this.#isAtRows()) this.#rows.row(input, start, start + length);
        else this.#before(input, start);
        at = start + length;
      }
      const wait = this.#rows.full();
      if (wait === undefined) continue;
      this.#wait(wait);
      return at;
    }
  }

  /** The bytes of the packet there, all its parts together; `undefined` when some have not come. */
  #lengthAt(input: Buffer, from: number): number | undefined {
    let length = 0;
    for (let at = from; ;) {
      this.#needed = at - from + HEADER_BYTES;
      if (input.length < at + HEADER_BYTES) return undefined;
      const part = (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8) | ((input[at + 2] ?? 0) << 16);
      if (this.#isTooLarge(length + part)) {
        this.#dropping = { row: new LargeRowBytes(), left: 0, hasMore: true };
        return undefined;
      }
      this.#needed += part;
      at += HEADER_BYTES + part;
      if (input.length < at) return undefined;
      length += part;
      if (part < FULL_PACKET_BYTES) break;
    }
    this.#needed = HEADER_BYTES;
    return length;
  }

  #isTooLarge(bytes: number): boolean {
    const { large } = this.#rows;
    return large !== undefined && this.#isAtRows() && bytes > large.maxBytes;
  }

  /** Its bytes go as they come, so that it never stands in memory. Gives the position behind them. */
  #drop(input: Buffer, from: number, dropped: DroppedRow): number {
    let at = from;
    for (;;) {
      const end = at + Math.min(dropped.left, input.length - at);
      dropped.row.add(input.subarray(at, end));
      dropped.left -= end - at;
      at = end;
      this.#needed = dropped.left > 0 ? 1 : HEADER_BYTES;
      if (dropped.left > 0) return at;
      if (!dropped.hasMore) break;
      if (input.length < at + HEADER_BYTES) return at;
      dropped.left = input.readUIntLE(at, 3);
      dropped.hasMore = dropped.left === FULL_PACKET_BYTES;
      at += HEADER_BYTES;
    }
    this.#dropping = undefined;
    const { large } = this.#rows;
    this.#kept = large?.refuse(dropped.row.end((head) => this.#rows.keyOf?.(head)));
    return at;
  }

  #isAtRows(): boolean {
    return this.#packetsBefore === 0;
  }

  #before(input: Buffer, start: number): void {
    if (this.#packetsBefore === undefined) {
      const count = input[start] ?? 0;
      const columns = count === 0xfc ? input.readUInt16LE(start + 1) : count;
      if (columns === 0) throw new Error('the statement has no rows');
      this.#packetsBefore = columns + 1;
    } else {
      this.#packetsBefore -= 1;
    }
  }

  #wait(wait: Promise<void>): void {
    this.#isWaiting = true;
    this.#socket.pause();
    wait.then(
      () => {
        this.#isWaiting = false;
        this.#socket.resume();
        if (this.#bytes >= this.#needed) this.#scan();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#socket.removeListener('data', this.#receive);
    this.#onFailure(error);
  }

  #giveBack(packet: Buffer): void {
    this.#socket.removeListener('data', this.#receive);
    this.#socket.on('data', this.#driver);
    const last = Buffer.from(packet);
    // The driver has seen none of the packets that were counted before this one.
    last[3] = 1;
    this.#driver(last);
  }
}

function joined(input: Buffer, from: number, length: number): Buffer {
  const whole = Buffer.allocUnsafe(length);
  let [at, end] = [from, 0];
  while (end < length) {
    const part = input.readUIntLE(at, 3);
    input.copy(whole, end, at + HEADER_BYTES, at + HEADER_BYTES + part);
    end += part;
    at += HEADER_BYTES + part;
  }
  return whole;
}
