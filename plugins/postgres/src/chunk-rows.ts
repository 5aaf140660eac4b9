import type { ArrayValues } from './array-values.js';
import { BinaryArray, TextArray } from './array-values.js';
import type { CopyFormat } from './copy-out.js';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const BACKSLASH = 0x5c;
const LETTER_N = 0x4e;
const MINUS = 0x2d;
const SIGN_BIT = 0x80;
const NULL = -1;
const FNV_BASIS = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/** The rows of a chunk as COPY has them, told apart. */
export abstract class ChunkRows {
  abstract readonly format: CopyFormat;
  protected readonly data: Buffer;
  #bounds = new Int32Array(0);
  /** Where each row begins, and the last one ends. */
  readonly #starts: readonly number[];

  protected constructor(data: Buffer, starts: readonly number[]) {
    this.data = data;
    this.#starts = starts;
  }

  static of(format: CopyFormat, data: Uint8Array): ChunkRows {
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
  without(indexes: readonly number[]): readonly Buffer[] {
    const parts: Buffer[] = [];
    let from = 0;
    for (const index of indexes) {
      if (index > from) parts.push(this.range(from, index));
      from = index + 1;
    }
    if (from < this.count) parts.push(this.range(from, this.count));
    return parts;
  }

  /** A hash (FNV-1a) of the fields of a row at these places, never 0; `undefined` where one is NULL. */
  hashOf(index: number, places: readonly number[]): number | undefined {
    const { data } = this;
    const bounds = this.locate(this.#startOf(index), places);
    let hash = FNV_BASIS;
    for (let i = 0; i < bounds.length; i += 2) {
      const from = bounds[i] ?? NULL;
      const to = bounds[i + 1] ?? NULL;
      if (from === NULL) return undefined;
      for (let at = from; at < to; at++) hash = Math.imul(hash ^ (data[at] ?? 0), FNV_PRIME);
      // Of several a field may hold whatever could stand between two.
      hash = Math.imul(hash ^ (to - from), FNV_PRIME);
    }
    return hash === 0 ? 1 : hash;
  }

  /** The rows with NULL at one of these places, ascending. */
  withNull(places: readonly number[]): readonly number[] {
    const found: number[] = [];
    if (places.length === 0) return found;
    for (let i = 0; i < this.count; i++) {
      if (this.locate(this.#startOf(i), places).includes(NULL)) found.push(i);
    }
    return found;
  }

  /**
   * Of whole numbers at a place, which rows ascend: from the first of them to the last one each is larger than those
   * before, but for `others`. A number below 0 is one of these, NULL is neither.
   */
  ascending(place: number): {
    readonly first: number;
    readonly last: number;
    readonly others: readonly number[];
  } {
    const { data } = this;
    const others: number[] = [];
    let [first, last, lastFrom, lastTo] = [0, 0, 0, 0];
    for (let no = 0; no < this.count; no++) {
      const [from = NULL, to = NULL] = this.locate(this.#startOf(no), [place]);
      if (from === NULL) continue;
      const sign = data[from] ?? 0;
      // Digits, and the bytes of a number in binary, are in the order of their numbers where they are as many.
      const order =
        to - from - (lastTo - lastFrom) || data.compare(data, lastFrom, lastTo, from, to);
      if (sign === MINUS || sign >= SIGN_BIT || order <= 0) {
        others.push(no);
        continue;
      }
      if (lastTo === 0) first = no;
      [last, lastFrom, lastTo] = [no, from, to];
    }
    return { first, last, others };
  }

  /** The fields of rows at these places, those of each place as an array; of all rows without `which`. */
  arrays(
    columns: readonly { readonly place: number; readonly oid: number }[],
    which?: readonly number[],
  ): { readonly values: ArrayValues; readonly data: Buffer }[] {
    const { data } = this;
    const count = which?.length ?? this.count;
    const places = columns.map(({ place }) => place);
    const arrays = columns.map(({ oid }) => this.newArray(count, oid));
    for (let at = 0; at < count; at++) {
      const no = which?.[at] ?? at;
      const bounds = this.locate(this.#startOf(no), places);
      for (let i = 0; i < arrays.length; i++) {
        const from = bounds[2 * i] ?? NULL;
        if (from === NULL) arrays[i]?.addNull();
        else arrays[i]?.add(data, from, bounds[2 * i + 1] ?? from);
      }
    }
    return arrays.map((values) => ({ values, data: values.end() }));
  }

  /**
   * Of the fields of a row at these places, which ascend: where each begins, {@link NULL} if it is, and ends. They
   * are good until the next call.
   */
  protected abstract locate(start: number, places: readonly number[]): Int32Array;
  protected abstract newArray(count: number, elementOid: number): ArrayValues;

  protected boundsFor(places: readonly number[]): Int32Array {
    if (this.#bounds.length !== 2 * places.length) this.#bounds = new Int32Array(2 * places.length);
    return this.#bounds;
  }

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

  protected locate(start: number, places: readonly number[]): Int32Array {
    const { data } = this;
    const bounds = this.boundsFor(places);
    let place = 0;
    let from = start;
    for (let i = 0; i < places.length; i++) {
      const wanted = places[i] ?? 0;
      for (; place < wanted; place++) from = endOfField(data, from) + 1;
      const to = endOfField(data, from);
      const isNull = to - from === 2 && data[from] === BACKSLASH && data[from + 1] === LETTER_N;
      bounds[2 * i] = isNull ? NULL : from;
      bounds[2 * i + 1] = to;
    }
    return bounds;
  }

  protected newArray(count: number): ArrayValues {
    return new TextArray(count);
  }
}

function endOfField(data: Buffer, field: number): number {
  for (let at = field; at < data.length; at++) {
    const byte = data[at] ?? 0;
    // Nearly all are behind the two, which one look tells.
    if (byte <= LINE_FEED && (byte === TAB || byte === LINE_FEED)) return at;
  }
  return data.length;
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

  protected locate(start: number, places: readonly number[]): Int32Array {
    const { data } = this;
    const bounds = this.boundsFor(places);
    let place = 0;
    let at = start + 2;
    for (let i = 0; i < places.length; i++) {
      const wanted = places[i] ?? 0;
      for (; place < wanted; place++) at += 4 + Math.max(0, data.readInt32BE(at));
      const length = data.readInt32BE(at);
      bounds[2 * i] = length < 0 ? NULL : at + 4;
      bounds[2 * i + 1] = at + 4 + length;
    }
    return bounds;
  }

  protected newArray(count: number, elementOid: number): ArrayValues {
    return new BinaryArray(count, elementOid);
  }
}
