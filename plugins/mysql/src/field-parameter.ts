import { ESCAPED } from './copy-control.js';
import type { FieldForm, FieldWriter } from './field-form.js';
import { doubleText } from './row-encoder.js';

const BACKSLASH = 0x5c;
const ZERO = 0x30;
const LETTER_T = 0x74;
const IS_VALUE = 0;
/** A cell of fewer bytes has its length in one, before it. */
const ONE_BYTE_LENGTHS = 0xfb;
/** The types of parameters: text that the server reads as it reads a literal, and bytes. */
const VAR_STRING = 0xfd;
const BLOB = 0xfc;

const text: FieldWriter = (out, begin, input, from, to) => {
  let at = headOf(out, begin, to - from);
  const start = at;
  for (let i = from; i < to; i++) {
    const byte = input[i] ?? 0;
    out[at++] = byte === BACKSLASH ? (ESCAPED[input[++i] ?? 0] ?? 0) : byte;
  }
  return ended(out, begin, start, at);
};

/** The field is `\\x` and hex digits. */
const bytes: FieldWriter = (out, begin, input, from, to) => {
  const start = headOf(out, begin, (to - from - 3) / 2);
  return ended(
    out,
    begin,
    start,
    start + out.write(input.toString('latin1', from + 3, to), start, 'hex'),
  );
};

const bits: FieldWriter = (out, begin, input, from, to) => {
  const length = Math.ceil((to - from) / 8);
  const start = headOf(out, begin, length);
  out.fill(0, start, start + length);
  for (let i = to - 1, no = 0; i >= from; i--, no++) {
    const byte = start + length - 1 - (no >> 3);
    if (input[i] !== ZERO) out[byte] = (out[byte] ?? 0) | (1 << (no & 7));
  }
  return ended(out, begin, start, start + length);
};

function latin1(out: Buffer, begin: number, cell: string): number {
  const start = headOf(out, begin, cell.length);
  return ended(out, begin, start, start + out.write(cell, start, 'latin1'));
}

const WRITERS: Readonly<Record<FieldForm['kind'], FieldWriter>> = {
  text,
  bytes,
  bits,
  boolean: (out, at, input, from) => latin1(out, at, input[from] === LETTER_T ? '1' : '0'),
  year: (out, at, input, from, to) =>
    latin1(out, at, input.toString('latin1', from, to).padStart(4, '0')),
  float: (out, at, input, from, to) =>
    latin1(out, at, doubleText(input.toString('latin1', from, to))),
};

/** Writes fields as parameters of a prepared statement that is executed for many rows. */
export function parameterWriterOf({ kind }: FieldForm): FieldWriter {
  return WRITERS[kind];
}

export function parameterTypeOf({ kind }: FieldForm): number {
  return kind === 'bytes' || kind === 'bits' ? BLOB : VAR_STRING;
}

/** Gives the position of the cell, before which its length stands in as many bytes as `most` needs. */
function headOf(out: Buffer, begin: number, most: number): number {
  out[begin] = IS_VALUE;
  if (most < ONE_BYTE_LENGTHS) return begin + 2;
  out[begin + 1] = most > 0xff_ff_ff ? 0xfe : most > 0xff_ff ? 0xfd : 0xfc;
  return begin + (most > 0xff_ff_ff ? 10 : most > 0xff_ff ? 5 : 4);
}

/** Writes the length of the cell, which is not known before its escapes are: it may be shorter than was made room for. */
function ended(out: Buffer, begin: number, start: number, end: number): number {
  const bytesOfLength = start - begin - 2;
  if (bytesOfLength === 0) out[begin + 1] = end - start;
  else out.writeUIntLE(end - start, begin + 2, Math.min(bytesOfLength, 6));
  if (bytesOfLength === 8) out.writeUInt16LE(0, begin + 8);
  return end;
}
