import { CONTROLS } from './copy-control.js';
import type { FieldForm, FieldWriter } from './field-form.js';
import { doubleText } from './row-encoder.js';

const QUOTE = 0x27;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const LETTER_B = 0x62;
const LETTER_T = 0x74;
const LETTER_X = 0x78;

const text: FieldWriter = (out, begin, bytes, from, to) => {
  let at = begin;
  out[at++] = QUOTE;
  for (let i = from; i < to; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === BACKSLASH) {
      const letter = bytes[++i] ?? 0;
      const control = CONTROLS.get(letter);
      if (control === undefined) out[at++] = BACKSLASH;
      out[at++] = control ?? letter;
    } else if (byte === QUOTE) {
      out[at++] = QUOTE;
      out[at++] = QUOTE;
    } else if (byte === 0) {
      out[at++] = BACKSLASH;
      out[at++] = ZERO;
    } else {
      out[at++] = byte;
    }
  }
  out[at++] = QUOTE;
  return at;
};

/** The field is `\\x` and hex digits. */
const bytes: FieldWriter = (out, at, input, from, to) => {
  out[at] = LETTER_X;
  return quoted(out, at + 1, input, from + 3, to);
};

const bits: FieldWriter = (out, at, input, from, to) => {
  out[at] = LETTER_B;
  return quoted(out, at + 1, input, from, to);
};

function quoted(out: Buffer, at: number, input: Buffer, from: number, to: number): number {
  out[at] = QUOTE;
  const end = at + 1 + input.copy(out, at + 1, from, to);
  out[end] = QUOTE;
  return end + 1;
}

const WRITERS: Readonly<Record<FieldForm['kind'], FieldWriter>> = {
  text,
  bytes,
  bits,
  boolean: (out, at, input, from) => {
    out[at] = input[from] === LETTER_T ? ZERO + 1 : ZERO;
    return at + 1;
  },
  year: (out, at, input, from, to) =>
    at + out.write(`'${input.toString('latin1', from, to).padStart(4, '0')}'`, at, 'latin1'),
  float: (out, at, input, from, to) =>
    at + out.write(`'${doubleText(input.toString('latin1', from, to))}'`, at, 'latin1'),
};

/** Writes fields as literals of SQL. */
export function literalWriterOf({ kind }: FieldForm): FieldWriter {
  return WRITERS[kind];
}
