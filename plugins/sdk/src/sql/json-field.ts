const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const BLANK = 0x20;
const COMMA = 0x2c;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const LETTERS = { a: 0x61, n: 0x6e, r: 0x72, t: 0x74, z: 0x7a } as const;

/** A double keeps so many characters of a number exactly. */
const MOST_NUMBER_CHARS = 15;
/** And so many of its exponent, without the sign. */
const MOST_EXPONENT_DIGITS = 2;
/** What is larger than these is left to the row rules. */
const MOST_DEPTH = 64;
const MOST_KEYS = 64;

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Hashes of the keys of the objects that are open, one object behind the other. */
const hashes = new Int32Array(MOST_DEPTH * MOST_KEYS);
/** Where the keys of each open object begin. */
const begins = new Int32Array(MOST_DEPTH);

type NumberCheck = (bytes: Uint8Array, from: number, to: number) => boolean;

/**
 * Look at a field of a COPY line that is to become JSON, escapes and all, without a value for it. `true`: it
 * has no key twice and no number that the server would keep otherwise without a word. Whether it is JSON at
 * all the server says aloud. `false`: the row rules have to be asked.
 */
export function isPlainMysqlJson(bytes: Uint8Array, from: number, to: number): boolean {
  return isPlain(bytes, from, to, isDouble);
}

export function isPlainJsonb(bytes: Uint8Array, from: number, to: number): boolean {
  return isPlain(bytes, from, to, hasNoSignOfZero);
}

function isPlain(bytes: Uint8Array, from: number, to: number, isKept: NumberCheck): boolean {
  let depth = 0;
  let keys = 0;
  for (let at = from; at < to;) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      const end = stringEnd(bytes, at + 1, to);
      if (end === -1) return false;
      if (bytes[spaceEnd(bytes, end + 1, to)] === COLON) {
        const first = begins[depth - 1] ?? 0;
        if (depth === 0 || keys - first === MOST_KEYS) return false;
        const hash = keyHash(bytes, at + 1, end);
        // Of two keys with escapes only the row rules know whether they are one.
        if (hash === undefined || isAmong(hash, first, keys)) return false;
        hashes[keys++] = hash;
      }
      at = end + 1;
    } else if (byte === OPEN) {
      if (depth === MOST_DEPTH) return false;
      begins[depth++] = keys;
      at += 1;
    } else if (byte === CLOSE) {
      if (depth === 0) return false;
      keys = begins[--depth] ?? 0;
      at += 1;
    } else if (isOfNumber(byte)) {
      const end = numberEnd(bytes, at, to);
      if (!isKept(bytes, at, end)) return false;
      at = end;
    } else if (isBetween(byte)) {
      at += 1;
    } else {
      const end = spaceEnd(bytes, at, to);
      if (end === at) return false;
      at = end;
    }
  }
  return true;
}

/** Where the string ends whose first byte is at `at`; -1: it has no end, or holds what JSON does not allow. */
function stringEnd(bytes: Uint8Array, at: number, to: number): number {
  for (let i = at; i < to; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === QUOTE) return i;
    if (byte !== BACKSLASH) continue;
    // A line writes a backslash twice; a control character, of which it writes a letter, is no JSON here.
    if (bytes[i + 1] !== BACKSLASH) return -1;
    i += bytes[i + 2] === BACKSLASH ? 3 : 2;
  }
  return -1;
}

function spaceEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to) {
    if (bytes[at] === BLANK) at += 1;
    else if (bytes[at] === BACKSLASH && isLineSpace(bytes[at + 1])) at += 2;
    else break;
  }
  return at;
}

function isLineSpace(letter: number | undefined): boolean {
  return letter === LETTERS.n || letter === LETTERS.r || letter === LETTERS.t;
}

function isOfNumber(byte: number): boolean {
  return isDigit(byte) || byte === MINUS;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

/** With point and exponent; what is no number at all is no JSON either. */
function numberEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from + 1;
  for (; at < to; at++) {
    const byte = bytes[at] ?? 0;
    const isSign = byte === MINUS || byte === PLUS;
    const isMore = isDigit(byte) || byte === POINT || isLetterE(byte);
    if (!isMore && !(isSign && isLetterE(bytes[at - 1] ?? 0))) break;
  }
  return at;
}

function isLetterE(byte: number): boolean {
  return byte === 0x65 || byte === 0x45;
}

function isDouble(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from > MOST_NUMBER_CHARS) return false;
  if (isMinusZero(bytes, from) && (bytes[from + 2] !== POINT || !isDigit(bytes[from + 3] ?? 0))) {
    return false;
  }
  let at = from;
  while (at < to && !isLetterE(bytes[at] ?? 0)) at += 1;
  at += 1;
  if (bytes[at] === MINUS || bytes[at] === PLUS) at += 1;
  return to - at <= MOST_EXPONENT_DIGITS;
}

function hasNoSignOfZero(bytes: Uint8Array, from: number, to: number): boolean {
  if (!isMinusZero(bytes, from)) return true;
  if (bytes[from + 2] !== POINT) return false;
  let at = from + 3;
  while (at < to && bytes[at] === ZERO) at += 1;
  return at < to && isDigit(bytes[at] ?? 0);
}

function isMinusZero(bytes: Uint8Array, from: number): boolean {
  return bytes[from] === MINUS && bytes[from + 1] === ZERO;
}

/** Of what stands between strings, numbers and objects: `true`, `false`, `null` and lists. */
function isBetween(byte: number): boolean {
  if (byte === COMMA || byte === COLON || byte === OPEN_LIST || byte === CLOSE_LIST) return true;
  return byte >= LETTERS.a && byte <= LETTERS.z;
}

function keyHash(bytes: Uint8Array, from: number, to: number): number | undefined {
  let hash = FNV_BASIS;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === BACKSLASH) return undefined;
    hash = Math.imul(hash ^ byte, FNV_PRIME);
  }
  return hash | 0;
}

function isAmong(hash: number, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (hashes[i] === hash) return true;
  return false;
}
