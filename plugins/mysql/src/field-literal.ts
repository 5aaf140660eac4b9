import { compileFieldCheck, partitionField } from '@millrace/sdk';
import type { FieldCheck } from '@millrace/sdk';

import { trustedField } from './load-columns.js';
import { doubleText, rulesOf } from './row-encoder.js';
import type { ColumnPair } from './writer-target.js';

/**
 * Writes the field of a COPY line, which is not NULL, as a literal of MySQL to `out` and gives the position
 * behind it; -1 when only the row rules know what becomes of it. `out` has {@link literalSpace} left.
 */
export type LiteralWriter = (
  out: Buffer,
  at: number,
  bytes: Buffer,
  from: number,
  to: number,
) => number;

const QUOTE = 0x27;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const LETTER_B = 0x62;
const LETTER_T = 0x74;
const LETTER_X = 0x78;
/** What a string of MySQL does not know as escapes: it would drop the backslash and keep the letter. */
const CONTROLS: ReadonlyMap<number, number> = new Map([
  [0x66, 0x0c],
  [0x76, 0x0b],
]);
const LONGEST_DOUBLE = 32;

/** So many bytes the literal of a field of that length may take. */
export function literalSpace(fieldBytes: number): number {
  return fieldBytes * 2 + LONGEST_DOUBLE;
}

/**
 * How fields of this pair become literals, so that a strict INSERT stores what it stores of a row.
 * `undefined`: only the row lane can tell.
 */
export function literalWriterOf(pair: ColumnPair): LiteralWriter | undefined {
  const { target, partition } = pair;
  const write = plainWriterOf(pair);
  if (write === undefined || partition === undefined) return write;
  return looked(partitionField(rulesOf(pair).check, target, partition), write);
}

function plainWriterOf(pair: ColumnPair): LiteralWriter | undefined {
  const { source, target } = pair;
  const [from, to] = [source.type, target.type];
  if (from.kind === 'float' && to.kind === 'float' && to.bits === 32 && source.unchecked !== true) {
    return from.bits === 32 ? float : undefined;
  }
  if (trustedField(pair) === undefined) {
    const check = compileFieldCheck(source, target, 'mysql');
    return check === undefined ? undefined : looked(check, quoted);
  }
  if (/^year\b/i.test(target.nativeType)) return year;
  if (from.kind === 'boolean') return bool;
  if (to.kind === 'bytes') return bytesOf;
  if (to.kind === 'bits') return bitsOf;
  // A year of five digits or an era would be read as another date.
  if (to.kind === 'date' || to.kind === 'timestamp') return instant(pair);
  return quoted;
}

function looked(check: FieldCheck, write: LiteralWriter): LiteralWriter {
  return (out, at, bytes, from, to) =>
    check(bytes, from, to) ? write(out, at, bytes, from, to) : -1;
}

function instant({ source, target }: ColumnPair): LiteralWriter | undefined {
  const text = { ...source, type: { kind: 'text' } } as const;
  const check = compileFieldCheck(text, target, 'mysql');
  if (check === undefined) return undefined;
  const write = looked(check, quoted);
  const isZoned = source.type.kind === 'timestamp' && source.type.zoned;
  if (!isZoned) return write;
  return (out, at, bytes, from, to) => {
    const isUtc = bytes[to - 3] === 0x2b && bytes[to - 2] === ZERO && bytes[to - 1] === ZERO;
    return isUtc ? write(out, at, bytes, from, to - 3) : -1;
  };
}

const quoted: LiteralWriter = (out, begin, bytes, from, to) => {
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

const bool: LiteralWriter = (out, at, bytes, from) => {
  out[at] = bytes[from] === LETTER_T ? ZERO + 1 : ZERO;
  return at + 1;
};

/** As text, 0 would be 2000. */
const year: LiteralWriter = (out, at, bytes, from, to) =>
  at + out.write(`'${bytes.toString('latin1', from, to).padStart(4, '0')}'`, at, 'latin1');

/** The field is `\\x` and hex digits. */
const bytesOf: LiteralWriter = (out, at, bytes, from, to) => {
  out[at] = LETTER_X;
  out[at + 1] = QUOTE;
  const end = at + 2 + bytes.copy(out, at + 2, from + 3, to);
  out[end] = QUOTE;
  return end + 1;
};

const bitsOf: LiteralWriter = (out, at, bytes, from, to) => {
  out[at] = LETTER_B;
  out[at + 1] = QUOTE;
  const end = at + 2 + bytes.copy(out, at + 2, from, to);
  out[end] = QUOTE;
  return end + 1;
};

/** NaN and Infinity are left to the row rules, which refuse them. */
const float: LiteralWriter = (out, at, bytes, from, to) => {
  const text = bytes.toString('latin1', from, to);
  if (!Number.isFinite(Number(text))) return -1;
  return at + out.write(`'${doubleText(text)}'`, at, 'latin1');
};
