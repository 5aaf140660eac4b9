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
    const fields = this.fields(this.#startOf(index), places);
    let key = '';
    for (const { from, to } of fields) {
      if (from === NULL) return undefined;
      // A field may hold whatever could stand between two.
      key += `${to - from} ${this.data.toString('latin1', from, to)}`;
    }
    return key;
  }

  /** The rows with NULL at one of these places, ascending. */
  withNull(places: readonly number[]): readonly number[] {
    const found: number[] = [];
    for (let i = 0; i < this.count; i++) {
      if (this.fields(this.#startOf(i), places).some(({ from }) => from === NULL)) found.push(i);
    }
    return found;
  }

  /** These fields of all rows, each row behind its number. */
  numbered(places: readonly number[]): Buffer {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < this.count; i++) {
      this.addNumbered(parts, i, this.fields(this.#startOf(i), places));
    }
    return Buffer.concat(parts);
  }

  protected abstract fields(start: number, places: readonly number[]): readonly Field[];
  protected abstract addNumbered(parts: Uint8Array[], no: number, fields: readonly Field[]): void;

  #startOf(index: number): number {
    return this.#starts[index] ?? this.data.length;
  }
}

/** Where a field lies in the data. */
interface Field {
  /** {@link NULL} of one that is NULL. */
  readonly from: number;
  readonly to: number;
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

  protected fields(start: number, places: readonly number[]): readonly Field[] {
    const { data } = this;
    const fields: Field[] = [];
    let [place, from] = [0, start];
    for (const wanted of places) {
      if (wanted < place) [place, from] = [0, start];
      for (; place < wanted; place++) from = this.#endOf(from) + 1;
      const to = this.#endOf(from);
      const isNull = to - from === 2 && data[from] === BACKSLASH && data[from + 1] === LETTER_N;
      fields.push({ from: isNull ? NULL : from, to });
    }
    return fields;
  }

  protected addNumbered(parts: Uint8Array[], no: number, fields: readonly Field[]): void {
    let line = String(no);
    for (const { from, to } of fields) {
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

  protected fields(start: number, places: readonly number[]): readonly Field[] {
    const { data } = this;
    const fields: Field[] = [];
    let [place, at] = [0, start + 2];
    for (const wanted of places) {
      if (wanted < place) [place, at] = [0, start + 2];
      for (; place < wanted; place++) at += 4 + Math.max(0, data.readInt32BE(at));
      const length = data.readInt32BE(at);
      fields.push({ from: length < 0 ? NULL : at + 4, to: at + 4 + length });
    }
    return fields;
  }

  protected addNumbered(parts: Uint8Array[], no: number, fields: readonly Field[]): void {
    const head = Buffer.alloc(2 + 4 + NUMBER_BYTES);
    head.writeInt16BE(fields.length + 1, 0);
    head.writeInt32BE(NUMBER_BYTES, 2);
    head.writeBigInt64BE(BigInt(no), 6);
    parts.push(head);
    for (const { from, to } of fields) {
      // Its length is before it.
      parts.push(from === NULL ? NULL_FIELD : this.data.subarray(from - 4, to));
    }
  }
}
