import { isUtf8 } from 'node:buffer';
import type { Column } from '@millrace/sdk';
import { COPY_ESCAPES, CopyTextDecoder, PluginError, SlabPool } from '@millrace/sdk';
import type { FileWriterConfig } from './file-config.js';
import { lineEndOf, WITHOUT_QUOTES } from './format-rows.js';
import type { EncodedRows, RefusedRow } from './row-encoder.js';
import { hasWhiteSpaceAtEnds, WHITE_SPACE_EDGES } from './white-space.js';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const BACKSLASH = 0x5c;
const LETTER_N = 0x4e;
const LETTER_T = 0x74;
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');
/** Of a larger cell the memory is not kept for the next ones. */
const KEPT_CELL_BYTES = 1024 * 1024;
/** Beside twice its bytes a field takes no more: quotes, and the word of a boolean. */
const MOST_AROUND_FIELD = 16;

/** What a byte behind a backslash stands for. */
const MEANINGS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const meaning = COPY_ESCAPES[String.fromCharCode(byte)];
  return meaning === undefined ? byte : meaning.charCodeAt(0);
});

/** How the bytes of a cell are written: behind which other one (0: none), and as which. */
interface Spelling {
  readonly before: Uint8Array;
  readonly letter: Uint8Array;
}

/** Pairs of a byte and what is written for it. */
function spelling(marks: readonly (readonly [string, string])[]): Spelling {
  const before = new Uint8Array(256);
  const letter = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const [byte, written] of marks) {
    before[byte.charCodeAt(0)] = written.charCodeAt(0);
    letter[byte.charCodeAt(0)] = written.charCodeAt(1);
  }
  return { before, letter };
}

/** The text that is written as the token; `undefined`: none is. */
function textWrittenAs(token: string, escape: string): Buffer | undefined {
  if (escape === '') return Buffer.from(token);
  const text = token.replaceAll(escape + escape, escape);
  return text.replaceAll(escape, escape + escape) === token ? Buffer.from(text) : undefined;
}

/**
 * Turns lines of COPY text into lines of CSV, bytes to bytes, as `RowEncoder` writes the rows that they are. Of
 * UTF-8 and one separating byte alone.
 */
export class LineEncoder {
  readonly #columns: readonly Column[];
  readonly #decoder: CopyTextDecoder;
  readonly #slabs = new SlabPool();
  readonly #delimiter: number;
  /** -1 where no cell is quoted. */
  readonly #quote: number;
  readonly #hasEscape: boolean;
  readonly #quoteAll: boolean;
  readonly #null: Buffer;
  /** Text that has to be told from NULL. */
  readonly #nullText: Buffer | undefined;
  readonly #lineEnd: Buffer;
  /** 1: a cell with this byte needs quotes, or an escape in their place. */
  readonly #marks = new Uint8Array(256);
  /** 1: a field up to this byte may be written as it stands. */
  readonly #stops = new Uint8Array(256);
  /** Of the byte at an end of a field, 1: it may call for quotes as the first one, 2: as the last one. */
  readonly #edges = new Uint8Array(256);
  /** 1: no field of the column may be written as it stands. */
  readonly #isSpelled: Uint8Array;
  readonly #isBoolean: readonly boolean[];
  readonly #bare: Spelling;
  /** Of cells that need quotes. */
  readonly #marked: Spelling;
  #out: Buffer = Buffer.alloc(0);
  #cell: Buffer = Buffer.alloc(0);

  constructor(config: FileWriterConfig, columns: readonly Column[]) {
    const { delimiter, quote, escape, nullToken, quoteAll } = config;
    this.#columns = columns;
    this.#decoder = new CopyTextDecoder(columns);
    this.#delimiter = delimiter.charCodeAt(0);
    this.#quote = quote === '' ? -1 : quote.charCodeAt(0);
    this.#hasEscape = escape !== '';
    this.#quoteAll = quoteAll && quote !== '';
    this.#null = Buffer.from(nullToken);
    this.#nullText = textWrittenAs(nullToken, escape);
    this.#lineEnd = Buffer.from(lineEndOf(config));
    this.#isBoolean = columns.map((c) => c.type.kind === 'boolean' && c.unchecked !== true);
    this.#isSpelled = Uint8Array.from(this.#isBoolean, (is) => (is || this.#quoteAll ? 1 : 0));
    for (const mark of `${quote}${delimiter}\r\n`) this.#marks[mark.charCodeAt(0)] = 1;
    for (const stop of `${quote}${delimiter}\r\n\t\\`) this.#stops[stop.charCodeAt(0)] = 1;
    if (quote === '') this.#edges[BYTE_ORDER_MARK[0] ?? 0] = 1;
    else this.#edges.set(WHITE_SPACE_EDGES);
    const own: (readonly [string, string])[] = escape === '' ? [] : [[escape, escape + escape]];
    this.#bare = spelling(own);
    this.#marked =
      quote === ''
        ? spelling([...own, [delimiter, escape + delimiter], ['\n', '\\n'], ['\r', '\\r']])
        : spelling([...own, [quote, (escape === '' ? quote : escape) + quote]]);
  }

  /** Throws MR-D250 for text that is not UTF-8. */
  encode(data: Uint8Array, rowCount: number): EncodedRows {
    const lines = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    // A value that is no UTF-8 would become another one on its way through a string.
    if (!isUtf8(lines)) throw new PluginError('MR-D250', 'the source sent text that is not UTF-8');
    const around = this.#columns.length * (MOST_AROUND_FIELD + this.#null.length);
    // Chunks are of nearly the same size: of some larger ones each can be filled again.
    const slab = this.#slabs.take(2 ** Math.ceil(Math.log2(lines.length * 2 + rowCount * around)));
    this.#out = slab;
    const refused: RefusedRow[] = [];
    const end = this.#lines(lines, (from, to) => {
      const [cells = []] = this.#decoder.push(lines.subarray(from, to));
      refused.push({ cells, ...WITHOUT_QUOTES });
    });
    if (this.#cell.length > KEPT_CELL_BYTES) this.#cell = Buffer.alloc(0);
    const release = (): void => this.#slabs.giveBack(slab);
    return { bytes: slab.subarray(0, end), refused, release };
  }

  /** Gives the place behind them. One flat loop: with one more for each field they took twice as long. */
  #lines(lines: Buffer, refuse: (from: number, to: number) => void): number {
    const [out, stops, edges, isSpelled] = [this.#out, this.#stops, this.#edges, this.#isSpelled];
    const [delimiter, lineEnd] = [this.#delimiter, this.#lineEnd];
    const nullBytes = this.#nullText?.length ?? -1;
    let at = 0;
    let start = 0;
    let lineStart = 0;
    let no = 0;
    let field = 0;
    let line = 0;
    for (let i = 0; i < lines.length; i++) {
      let byte = lines[i] ?? 0;
      if (stops[byte] === 0) {
        out[at++] = byte;
        continue;
      }
      const isAsItStands =
        (byte === TAB || byte === LINE_FEED) &&
        isSpelled[no] === 0 &&
        at - start !== nullBytes &&
        ((edges[out[start] ?? 0] ?? 0) & 1) === 0 &&
        ((edges[out[at - 1] ?? 0] ?? 0) & 2) === 0;
      if (!isAsItStands) {
        while (byte !== TAB && byte !== LINE_FEED) byte = lines[++i] ?? LINE_FEED;
        at = this.#field(no, lines, field, i, start);
        if (at === -1) {
          i = lines.indexOf(LINE_FEED, i);
          byte = LINE_FEED;
          refuse(line, i + 1);
        }
      }
      if (byte === TAB) {
        out[at++] = delimiter;
        no += 1;
      } else {
        if (at === -1) at = lineStart;
        else for (const each of lineEnd) out[at++] = each;
        no = 0;
        line = i + 1;
        lineStart = at;
      }
      field = i + 1;
      start = at;
    }
    return at;
  }

  /** Writes a field that has to be looked at; gives the place behind it, -1 when it has no form in the file. */
  #field(no: number, lines: Buffer, from: number, to: number, at: number): number {
    if (to - from === 2 && lines[from] === BACKSLASH && lines[from + 1] === LETTER_N) {
      return at + this.#null.copy(this.#out, at);
    }
    if (this.#isBoolean[no] === true) {
      const word = to - from === 1 && lines[from] === LETTER_T ? TRUE : FALSE;
      return this.#put(word, 0, word.length, at);
    }
    for (let i = from; i < to; i++) {
      if (lines[i] !== BACKSLASH) continue;
      const length = this.#unescape(lines, from, to);
      return this.#put(this.#cell, 0, length, at);
    }
    return this.#put(lines, from, to, at);
  }

  /** Makes the cell of a field; gives its length. */
  #unescape(lines: Buffer, from: number, to: number): number {
    if (this.#cell.length < to - from) this.#cell = Buffer.allocUnsafe((to - from) * 2);
    const cell = this.#cell;
    let length = 0;
    for (let i = from; i < to; i++) {
      const byte = lines[i] ?? 0;
      cell[length++] = byte === BACKSLASH ? (MEANINGS[lines[++i] ?? 0] ?? 0) : byte;
    }
    return length;
  }

  #put(cell: Buffer, from: number, to: number, at: number): number {
    const isNullText = this.#isNullText(cell, from, to);
    if (!this.#quoteAll && !isNullText && !this.#isMarked(cell, from, to)) {
      return this.#spell(cell, from, to, at, this.#bare);
    }
    const out = this.#out;
    if (this.#quote === -1) {
      if (!this.#hasEscape || isNullText || beginsWithByteOrderMark(cell, from, to)) return -1;
      return this.#spell(cell, from, to, at, this.#marked);
    }
    out[at] = this.#quote;
    const end = this.#spell(cell, from, to, at + 1, this.#marked);
    out[end] = this.#quote;
    return end + 1;
  }

  #isNullText(cell: Buffer, from: number, to: number): boolean {
    const text = this.#nullText;
    if (text === undefined || to - from !== text.length) return false;
    return text.compare(cell, from, to) === 0;
  }

  /** It would be read as something else than a cell of these bytes. */
  #isMarked(cell: Buffer, from: number, to: number): boolean {
    if (this.#quote === -1) {
      if (beginsWithByteOrderMark(cell, from, to)) return true;
    } else if (hasWhiteSpaceAtEnds(cell, from, to)) {
      return true;
    }
    const marks = this.#marks;
    for (let i = from; i < to; i++) if (marks[cell[i] ?? 0] === 1) return true;
    return false;
  }

  #spell(cell: Buffer, from: number, to: number, at: number, { before, letter }: Spelling): number {
    const out = this.#out;
    let end = at;
    for (let i = from; i < to; i++) {
      const byte = cell[i] ?? 0;
      const mark = before[byte] ?? 0;
      if (mark !== 0) out[end++] = mark;
      out[end++] = letter[byte] ?? 0;
    }
    return end;
  }
}

function beginsWithByteOrderMark(cell: Buffer, from: number, to: number): boolean {
  return to - from >= 3 && BYTE_ORDER_MARK.compare(cell, from, from + 3) === 0;
}
