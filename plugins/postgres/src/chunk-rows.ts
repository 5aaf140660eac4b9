import type { CopyFormat } from './copy-out.js';
import type { CopyRows } from './copy-in.js';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const BACKSLASH = 0x5c;
const LETTER_N = 0x4e;
const NUMBER_BYTES = 8;
const NULL = -1;
const NULL_FIELD = Buffer.from([0xff, 0xff, 0xff, 0xff]);

/** The rows of a chunk as COPY has them, told apart. */
export abstract class ChunkRows {
  abstract readonly format: CopyFormat;
  protected readonly data: Buffer;
  /** Of the fields that were located last: where each begins, {@link NULL} if it is, and ends. */
  protected readonly bounds: number[] = [];
  /** Where each row begins, and the last one ends. */
  readonly #starts: readonly number[];

  protected constructor(data: Buffer, starts: readonly number[]) {
    this.data = data;
    this.#starts = starts;
  }

  static of({ format, data }: CopyRows): ChunkRows {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return format === 'text' ? new TextRows(bytes) : new BinaryRows(bytes);
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  row(index: number): Buffer {
    return this.range(index, index + 1);
  }

  range(from: number, to: number): Buffer {
    return this.data.subarray(this.#startOf(from), this.#startOf(to));
  }

  /** All but some, whose numbers ascend. */
  without(indexes: readonly number[]): Buffer {
    if (indexes.length === 0) return this.data;
    const parts: Buffer[] = [];
    let from = 0;
    for (const index of indexes) {
      if (index > from) parts.push(this.range(from, index));
      from = index + 1;
    }
    if (from < this.count) parts.push(this.range(from, this.count));
    return Buffer.concat(parts);
  }

  /** The fields of a row at these places, in one text; `undefined` where one is NULL. */
  keyOf(index: number, places: readonly number[]): string | undefined {
    const { bounds, data } = this;
    this.locate(this.#startOf(index), places);
    let key = '';
    for (let i = 0; i < places.length * 2; i += 2) {
      const [from, to] = [bounds[i] ?? NULL, bounds[i + 1] ?? NULL];
      if (from === NULL) return undefined;
      // Of several a field may hold whatever could stand between two.
      if (places.length > 1) key += `${to - from} `;
      key += data.toString('latin1', from, to);
    }
    return key;
  }

  /** The rows with NULL at one of these places, ascending. */
  withNull(places: readonly number[]): readonly number[] {
    const found: number[] = [];
    if (places.length === 0) return found;
    for (let i = 0; i < this.count; i++) {
      this.locate(this.#startOf(i), places);
      if (this.bounds.includes(NULL)) found.push(i);
    }
    return found;
  }

  /** These fields of all rows, each row behind its number. */
  numbered(places: readonly number[]): Buffer {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < this.count; i++) {
      this.locate(this.#startOf(i), places);
      this.addNumbered(parts, i);
    }
    return Buffer.concat(parts);
  }

  /** Finds the {@link bounds} of fields; their places ascend. */
  protected abstract locate(start: number, places: readonly number[]): void;
  /** A row of that number and the fields that were located. */
  protected abstract addNumbered(parts: Uint8Array[], no: number): void;

  #startOf(index: number): number {
    return this.#starts[index] ?? this.data.length;
  }
}

class TextRows extends ChunkRows {
  readonly format = 'text';

  constructor(data: Buffer) {
    const starts = [0];
    for (let at = data.indexOf(LINE_FEED); at !== -1; at = data.indexOf(LINE_FEED, at + 1)) {
      starts.push(at + 1);
    }
    super(data, starts);
  }

  protected locate(start: number, places: readonly number[]): void {
    const { data, bounds } = this;
    bounds.length = 0;
    let [place, from] = [0, start];
    for (const wanted of places) {
      for (; place < wanted; place++) from = this.#endOf(from) + 1;
      const to = this.#endOf(from);
      const isNull = to - from === 2 && data[from] === BACKSLASH && data[from + 1] === LETTER_N;
      bounds.push(isNull ? NULL : from, to);
    }
  }

  protected addNumbered(parts: Uint8Array[], no: number): void {
    let line = String(no);
    for (let i = 0; i < this.bounds.length; i += 2) {
      const [from = NULL, to] = this.bounds.slice(i, i + 2);
      line += from === NULL ? '\t\\N' : `\t${this.data.toString('latin1', from, to)}`;
    }
    parts.push(Buffer.from(`${line}\n`, 'latin1'));
  }

  #endOf(field: number): number {
    const { data } = this;
    let at = field;
    while (at < data.length && data[at] !== TAB && data[at] !== LINE_FEED) at += 1;
    return at;
  }
}

class BinaryRows extends ChunkRows {
  readonly format = 'binary';

  constructor(data: Buffer) {
    const starts = [0];
    for (let at = 0; at < data.length; starts.push(at)) {
      const fields = data.readInt16BE(at);
      at += 2;
      for (let i = 0; i < fields; i++) at += 4 + Math.max(0, data.readInt32BE(at));
    }
    super(data, starts);
  }

  protected locate(start: number, places: readonly number[]): void {
    const { data, bounds } = this;
    bounds.length = 0;
    let [place, at] = [0, start + 2];
    for (const wanted of places) {
      for (; place < wanted; place++) at += 4 + Math.max(0, data.readInt32BE(at));
      const length = data.readInt32BE(at);
      bounds.push(length < 0 ? NULL : at + 4, at + 4 + length);
    }
  }

  protected addNumbered(parts: Uint8Array[], no: number): void {
    const head = Buffer.alloc(2 + 4 + NUMBER_BYTES);
    head.writeInt16BE(this.bounds.length / 2 + 1, 0);
    head.writeInt32BE(NUMBER_BYTES, 2);
    head.writeBigInt64BE(BigInt(no), 6);
    parts.push(head);
    for (let i = 0; i < this.bounds.length; i += 2) {
      const [from = NULL, to] = this.bounds.slice(i, i + 2);
      // Its length is before it.
      parts.push(from === NULL ? NULL_FIELD : this.data.subarray(from - 4, to));
    }
  }
}
