import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';

/** None of them has a state that outlives a character, and in each a line feed is a line feed. */
export const ENCODINGS = [
  'utf-8',
  'utf-16le',
  'utf-16be',
  'gb18030',
  'gbk',
  'big5',
  'shift_jis',
  'euc-jp',
  'euc-kr',
  'iso-8859-1',
  'iso-8859-2',
  'iso-8859-15',
  'windows-1250',
  'windows-1251',
  'windows-1252',
  'koi8-r',
] as const;
export type EncodingName = (typeof ENCODINGS)[number];

/** As the bytes come, a line feed is one byte, or one of two with the zero before or behind it. */
export type LineFeed = 'byte' | 'little endian' | 'big endian';

export interface TextEncoding {
  readonly name: EncodingName;
  readonly lineFeed: LineFeed;
  /** Whole characters; `undefined` where the bytes are none of this encoding. */
  decode(bytes: Buffer): string | undefined;
  /** With U+FFFD in the place of what is no character. */
  decodeLoosely(bytes: Buffer): string;
  /** `undefined` where a character has no form in it. */
  encode(text: string): Buffer | undefined;
}

/** Half of a surrogate pair, which no encoding has a form for. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const UTF8: TextEncoding = {
  name: 'utf-8',
  lineFeed: 'byte',
  decode: (bytes) => (isUtf8(bytes) ? bytes.toString('utf8') : undefined),
  decodeLoosely: (bytes) => bytes.toString('utf8'),
  encode: (text) => (LONE_SURROGATE.test(text) ? undefined : Buffer.from(text, 'utf8')),
};

/**
 * By the tables of iconv-lite: Node's TextDecoder reads the euro sign of windows-1252 as a control
 * character, and Shift_JIS's tilde as an overline. What does not come back as it went has no form, since
 * some tables take a yen sign for a backslash.
 */
function byTable(name: EncodingName, lineFeed: LineFeed): TextEncoding {
  const decodeLoosely = (bytes: Buffer): string => iconv.decode(bytes, name, { stripBOM: false });
  const encode = (text: string): Buffer => iconv.encode(text, name, { addBOM: false });
  return {
    name,
    lineFeed,
    decode: (bytes) => {
      const text = decodeLoosely(bytes);
      const isOdd = lineFeed !== 'byte' && bytes.length % 2 !== 0;
      if (isOdd || LONE_SURROGATE.test(text)) return undefined;
      // The character U+FFFD itself has a form in some.
      return !text.includes('\uFFFD') || encode(text).equals(bytes) ? text : undefined;
    },
    decodeLoosely,
    encode: (text) => {
      const bytes = encode(text);
      return !LONE_SURROGATE.test(text) && decodeLoosely(bytes) === text ? bytes : undefined;
    },
  };
}

export function textEncoding(name: EncodingName): TextEncoding {
  if (name === 'utf-8') return UTF8;
  if (name === 'utf-16le') return byTable(name, 'little endian');
  return byTable(name, name === 'utf-16be' ? 'big endian' : 'byte');
}

const NEWLINE = 0x0a;

/** Where the line that begins at `from` ends, its line feed included; -1 without one. */
export function lineEnd(bytes: Buffer, from: number, lineFeed: LineFeed): number {
  for (let at = bytes.indexOf(NEWLINE, from); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (lineFeed === 'byte') return at + 1;
    const isLow = (at - from) % 2 === (lineFeed === 'little endian' ? 0 : 1);
    const other = lineFeed === 'little endian' ? at + 1 : at - 1;
    if (isLow && bytes[other] === 0) return Math.max(at, other) + 1;
  }
  return -1;
}

/** Where the last whole line ends, its line feed included; 0 without one. Lines begin at 0. */
export function lastLineEnd(bytes: Buffer, lineFeed: LineFeed): number {
  if (lineFeed === 'byte') return bytes.lastIndexOf(NEWLINE) + 1;
  const [zero, low] = lineFeed === 'little endian' ? [1, 0] : [0, 1];
  for (let at = bytes.length - (bytes.length % 2) - 2; at >= 0; at -= 2) {
    if (bytes[at + low] === NEWLINE && bytes[at + zero] === 0) return at + 2;
  }
  return 0;
}
