/** The characters that `\s` means in a pattern. */
const WHITE_SPACE = /^\s$/u;

/** Of a byte of UTF-8, 1: white space may begin with it, 2: may end with it, 3: both. */
export const WHITE_SPACE_EDGES = new Uint8Array(256);

/** By the bytes of one as a number. */
const CODES = new Set<number>();
for (let code = 0; code < 0x1_00_00; code++) {
  const char = String.fromCharCode(code);
  if (!WHITE_SPACE.test(char)) continue;
  const bytes = Buffer.from(char);
  CODES.add(codeOf(bytes, 0, bytes.length));
  for (const [at, edge] of [
    [0, 1],
    [bytes.length - 1, 2],
  ] as const) {
    const byte = bytes[at] ?? 0;
    WHITE_SPACE_EDGES[byte] = (WHITE_SPACE_EDGES[byte] ?? 0) | edge;
  }
}

/** Is there white space at either end of the text from `from` to before `to`? */
export function hasWhiteSpaceAtEnds(bytes: Uint8Array, from: number, to: number): boolean {
  if (from >= to) return false;
  let first = from + 1;
  while (first < to && isContinuation(bytes[first])) first += 1;
  let last = to - 1;
  while (last > from && isContinuation(bytes[last])) last -= 1;
  return CODES.has(codeOf(bytes, from, first)) || CODES.has(codeOf(bytes, last, to));
}

function isContinuation(byte = 0): boolean {
  return (byte & 0xc0) === 0x80;
}

function codeOf(bytes: Uint8Array, from: number, to: number): number {
  let code = 0;
  for (let i = from; i < to; i++) code = code * 256 + (bytes[i] ?? 0);
  return code;
}
