import type { Column, Sink } from '@millrace/sdk';
import { SlabPool, withRoom } from '@millrace/sdk';

import { cellDecoderOf } from './cell-decoder.js';
import type { CellDecoder } from './cell-decoder.js';

/** What is done to the bytes of a cell. */
const OP = { plain: 0, integer: 1, zoned: 2, text: 3, bytes: 4, decoded: 5 } as const;
type Op = (typeof OP)[keyof typeof OP];

const TAB = 0x09;
const LINE_FEED = 0x0a;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const ZONE = Buffer.from('+00');
const HEX = Buffer.from('0123456789abcdef');
/** The letter that stands for a byte after a backslash; 0: the byte stands for itself. */
const ESCAPES = new Uint8Array(256);
for (const [byte, letter] of ['\bb', '\tt', '\nn', '\vv', '\ff', '\rr', '\\\\'])
  ESCAPES[(byte ?? '').charCodeAt(0)] = (letter ?? '').charCodeAt(0);
/** Bits are the cells that grow most: eight bytes to 64 digits. */
const MOST_GROWTH_OF_CELL = 72;
const SLACK_BYTES = 64 * 1024;

/**
 * Turns row packets of the text protocol into lines of COPY text, bytes to bytes: a JavaScript value for
 * each cell takes five times as long. The fields are the canonical texts of the columns' types; text is
 * not looked at beyond the bytes that have to be escaped, so what is no UTF-8 or has a NUL in it is left
 * for the target to refuse.
 */
export class CopyTextRows {
  readonly #aim: Pick<Sink, 'chunkBytes'>;
  readonly #slabBytes: number;
  readonly #slabs: SlabPool;
  readonly #ops: readonly Op[];
  readonly #decoders: readonly CellDecoder[];
  #out: Buffer;
  #at = 0;
  #rows = 0;

  constructor(columns: readonly Column[], aim: Pick<Sink, 'chunkBytes'>, slabs = new SlabPool()) {
    this.#aim = aim;
    this.#slabBytes = aim.chunkBytes + SLACK_BYTES;
    this.#slabs = slabs;
    this.#ops = columns.map(opOf);
    this.#decoders = columns.map(cellDecoderOf);
    this.#out = slabs.take(this.#slabBytes);
  }

  get isFull(): boolean {
    return this.#at >= this.#aim.chunkBytes;
  }

  /** The lines since the last call; `undefined` when there are none. */
  take(): (ReturnType<SlabPool['cut']> & { readonly rows: number }) | undefined {
    const rows = this.#rows;
    if (rows === 0) return undefined;
    const cut = this.#slabs.cut(this.#out, this.#at);
    if (cut.release !== undefined) this.#out = this.#slabs.take(this.#slabBytes);
    this.#at = 0;
    this.#rows = 0;
    return { ...cut, rows };
  }

  /** Behind the last lines. */
  close(): void {
    this.#slabs.giveBack(this.#out);
  }

  /** Adds the row whose cells lie in `input` from `from` to `to`, a packet without its header. */
  row(input: Buffer, from: number, to: number): void {
    this.#out = withRoom(
      this.#out,
      this.#at,
      (to - from) * 2 + this.#ops.length * MOST_GROWTH_OF_CELL,
    );
    let at = from;
    for (let i = 0; i < this.#ops.length; i++) {
      if (i > 0) this.#out[this.#at++] = TAB;
      let length = input[at++] ?? 0;
      if (length === 0xfb) {
        this.#out[this.#at++] = BACKSLASH;
        this.#out[this.#at++] = 0x4e;
        continue;
      }
      if (length > 0xfb) {
        const size = length === 0xfc ? 2 : length === 0xfd ? 3 : 8;
        length = size === 8 ? Number(input.readBigUInt64LE(at)) : input.readUIntLE(at, size);
        at += size;
      }
      if (at + length > to) throw new Error('a cell is longer than its packet');
      this.#cell(i, input, at, at + length);
      at += length;
    }
    if (at !== to) throw new Error('the server sent more cells than columns');
    this.#out[this.#at++] = LINE_FEED;
    this.#rows += 1;
  }

  #cell(no: number, input: Buffer, from: number, to: number): void {
    switch (this.#ops[no]) {
      case OP.plain:
        this.#plain(input, from, to);
        return;
      case OP.integer: {
        // ZEROFILL and YEAR pad with zeros, which are no digits of the number.
        let start = from;
        while (start < to - 1 && input[start] === ZERO) start += 1;
        this.#plain(input, start, to);
        return;
      }
      case OP.zoned:
        this.#plain(input, from, to);
        this.#plain(ZONE, 0, ZONE.length);
        return;
      case OP.bytes:
        this.#hex(input, from, to);
        return;
      case OP.decoded: {
        const text = this.#decoders[no]?.(input.subarray(from, to)) ?? '';
        this.#at += this.#out.write(String(text), this.#at, 'latin1');
        return;
      }
      case OP.text:
      case undefined:
        this.#text(input, from, to);
    }
  }

  /** Cells are short: a loop is done before `copy` has begun. */
  #plain(input: Uint8Array, from: number, to: number): void {
    const out = this.#out;
    let at = this.#at;
    for (let i = from; i < to; i++) out[at++] = input[i] ?? 0;
    this.#at = at;
  }

  #text(input: Uint8Array, from: number, to: number): void {
    const out = this.#out;
    let at = this.#at;
    for (let i = from; i < to; i++) {
      const byte = input[i] ?? 0;
      const letter = ESCAPES[byte] ?? 0;
      if (letter === 0) {
        out[at++] = byte;
      } else {
        out[at++] = BACKSLASH;
        out[at++] = letter;
      }
    }
    this.#at = at;
  }

  #hex(input: Uint8Array, from: number, to: number): void {
    const out = this.#out;
    let at = this.#at;
    out[at++] = BACKSLASH;
    out[at++] = BACKSLASH;
    out[at++] = 0x78;
    for (let i = from; i < to; i++) {
      const byte = input[i] ?? 0;
      out[at++] = HEX[byte >> 4] ?? 0;
      out[at++] = HEX[byte & 15] ?? 0;
    }
    this.#at = at;
  }
}

function opOf(column: Column): Op {
  const { type } = column;
  switch (type.kind) {
    case 'integer':
      return OP.integer;
    case 'timestamp':
      return type.zoned ? OP.zoned : OP.plain;
    case 'float':
      return type.bits === 32 ? OP.decoded : OP.plain;
    case 'bits':
      return OP.decoded;
    case 'bytes':
      return OP.bytes;
    case 'decimal':
    case 'date':
    case 'time':
    case 'uuid':
      return OP.plain;
    case 'boolean':
    case 'text':
    case 'interval':
    case 'json':
    case 'other':
      return OP.text;
  }
}
