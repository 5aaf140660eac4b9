const ESC = 0x1b;
const BEL = 0x07;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * UTF-8 text without its ANSI escape sequences (ECMA-48: control sequences, operating system commands and
 * short escapes). A sequence never goes over the end of its line: one that is broken off ends there.
 */
export function visibleBytes(text: Uint8Array): Uint8Array {
  if (!text.includes(ESC)) return text;
  const visible = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length;) {
    const byte = text[at] ?? 0;
    if (byte === ESC) at = endOfSequence(text, at);
    else {
      visible[length++] = byte;
      at++;
    }
  }
  return visible.subarray(0, length);
}

function endOfSequence(text: Uint8Array, start: number): number {
  const kind = text[start + 1] ?? NEWLINE;
  if (kind === CLOSE_BRACKET) return endOfCommand(text, start + 2);
  let at = start + 1;
  if (kind === OPEN_BRACKET) at = skip(text, at + 1, 0x30, 0x3f);
  at = skip(text, at, 0x20, 0x2f);
  const final = text[at] ?? NEWLINE;
  const lowest = kind === OPEN_BRACKET ? 0x40 : 0x30;
  return final >= lowest && final <= 0x7e ? at + 1 : at;
}

function endOfCommand(text: Uint8Array, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === NEWLINE) return at;
    if (text[at] === BEL) return at + 1;
    if (text[at] === ESC) return text[at + 1] === BACKSLASH ? at + 2 : at;
  }
  return text.length;
}

function skip(text: Uint8Array, start: number, low: number, high: number): number {
  let at = start;
  for (let byte = text[at]; byte !== undefined && byte >= low && byte <= high; byte = text[at])
    at++;
  return at;
}
