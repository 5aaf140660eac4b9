import { PluginError, encodeCopyCell } from '@millrace/sdk';

const BACKSLASH = 0x5c;
const LETTER_N = 0x4e;
const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;
const BOM = Buffer.from('\uFEFF');
const MAX_ROW_BYTES = 16 * 1024 * 1024;
const SLACK_BYTES = 64 * 1024;

/** What a byte means in a cell: 0 stands for itself, any letter is written after a backslash. */
const ESCAPES = new Uint8Array(256);
for (const [byte, letter] of ['\bb', '\tt', '\vv', '\ff', '\rr', '\\\\', '\nn'])
  ESCAPES[(byte ?? '').charCodeAt(0)] = (letter ?? '').charCodeAt(0);

export interface CsvColumn {
  /** An empty cell is NULL, in quotes too: a number or a date has no empty text. */
  readonly isEmptyNull: boolean;
  /** Only rows whose cell is exactly this. */
  readonly wanted?: string;
}

export interface CsvLinesFormat {
  /** Of one byte. */
  readonly delimiter: string;
  readonly nullToken: string;
  readonly hasHeader: boolean;
}

/** How the first record settles the rest: the columns as they stand in the file, and those to give. */
export interface CsvLayout {
  readonly columns: readonly CsvColumn[];
  /** Places in the file, in the order of the lines' fields. */
  readonly order: readonly number[];
}

/** What `#field` found behind a cell. */
const MORE = 0;
const ROW_END = 1;
const CUT = 2;

/**
 * Turns CSV bytes into lines of COPY text, piece by piece, without a value for any cell; rules and words
 * are those of `CsvSplitter`. The bytes are UTF-8. Throws MR-D207 with the line, never with its text.
 */
export class CsvLines {
  readonly #format: CsvLinesFormat;
  readonly #delimiter: number;
  readonly #nullToken: Buffer;
  readonly #layoutOf: (first: readonly (string | null)[]) => CsvLayout;
  #layout: CsvLayout | undefined;
  #wanted: readonly (Buffer | undefined)[] = [];
  /** By place in the file. */
  #isEmptyNull: readonly boolean[] = [];
  #isInOrder = true;
  #hasFilter = false;
  #input: Buffer = Buffer.alloc(0);
  #at = 0;
  #isFirst = true;
  #line = 1;
  /** Line feeds within the cells of the row that is being cut. */
  #innerLines = 0;
  #cells: number | undefined;
  /** Where each field of the row ends in the output. */
  #ends: number[] = [];
  #out: Buffer;
  #outAt = 0;
  #rows = 0;

  constructor(
    format: CsvLinesFormat,
    chunkBytes: number,
    layoutOf: (first: readonly (string | null)[]) => CsvLayout,
  ) {
    this.#format = format;
    this.#delimiter = format.delimiter.charCodeAt(0);
    this.#nullToken = Buffer.from(format.nullToken);
    this.#layoutOf = layoutOf;
    this.#out = Buffer.allocUnsafe(chunkBytes + SLACK_BYTES);
  }

  get bytes(): number {
    return this.#outAt;
  }

  /** The lines since the last call; `undefined` when there are none. */
  take(): { readonly data: Buffer; readonly rows: number } | undefined {
    const rows = this.#rows;
    if (rows === 0) return undefined;
    const data = Buffer.from(this.#out.subarray(0, this.#outAt));
    this.#outAt = 0;
    this.#rows = 0;
    return { data, rows };
  }

  push(piece: Buffer): void {
    this.#cut(piece, false);
  }

  /** The last row, when it has no line end. */
  end(): void {
    this.#cut(Buffer.alloc(0), true);
  }

  #cut(piece: Buffer, isLast: boolean): void {
    const rest = this.#input.subarray(this.#at);
    this.#input = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    this.#at = 0;
    if (this.#isFirst) {
      if (this.#input.length < BOM.length && !isLast) return;
      this.#isFirst = false;
      if (this.#input.subarray(0, BOM.length).equals(BOM)) this.#at = BOM.length;
    }
    // Every byte may need a backslash, and a short NULL token two bytes.
    this.#reserve((this.#input.length - this.#at) * 3 + SLACK_BYTES);
    while (this.#at < this.#input.length && this.#row(isLast));
    if (this.#input.length - this.#at > MAX_ROW_BYTES) {
      this.#fail('a row is longer than 16 MB; is a quote left open?');
    }
  }

  /** Cuts one row; `false`, and everything is as it was, when its end has not come yet. */
  #row(isLast: boolean): boolean {
    const start = this.#outAt;
    const from = this.#at;
    this.#innerLines = 0;
    let cells = 0;
    for (;;) {
      if (cells > 0) this.#out[this.#outAt++] = TAB;
      const found =
        this.#input[this.#at] === QUOTE ? this.#quoted(cells, isLast) : this.#plain(cells, isLast);
      if (found === CUT) {
        this.#at = from;
        this.#outAt = start;
        return false;
      }
      this.#ends[cells++] = this.#outAt;
      if (found === ROW_END) break;
    }
    this.#line += 1 + this.#innerLines;
    this.#cells ??= cells;
    if (cells !== this.#cells) {
      this.#fail(`it has ${cells} cells instead of ${this.#cells}`, this.#line - 1);
    }
    this.#finishRow(start);
    return true;
  }

  #finishRow(start: number): void {
    if (this.#layout === undefined) {
      this.#begin(start);
      if (this.#format.hasHeader) {
        this.#outAt = start;
        return;
      }
      // Only now it is known which columns have no empty text: the first row is cut again.
      this.#firstRowAgain(start);
      return;
    }
    if (this.#hasFilter && !this.#isWanted(start)) {
      this.#outAt = start;
      return;
    }
    if (!this.#isInOrder) this.#reorder(start);
    this.#out[this.#outAt++] = NEWLINE;
    this.#rows += 1;
  }

  #begin(start: number): void {
    const first = this.#fields(start).map((field) => cellOf(field));
    const layout = this.#layoutOf(first);
    this.#layout = layout;
    this.#isEmptyNull = layout.columns.map((c) => c.isEmptyNull);
    this.#wanted = layout.columns.map(({ wanted }) =>
      wanted === undefined ? undefined : Buffer.from(encodeCopyCell(wanted)),
    );
    this.#hasFilter = this.#wanted.some((w) => w !== undefined);
    const { order } = layout;
    this.#isInOrder = order.length === first.length && order.every((at, i) => at === i);
  }

  #firstRowAgain(start: number): void {
    const fields = this.#fields(start).map((field, i) =>
      field.length === 0 && this.#isEmptyNull[i] === true ? Buffer.from(String.raw`\N`) : field,
    );
    this.#outAt = start;
    for (const [i, field] of fields.entries()) {
      if (i > 0) this.#out[this.#outAt++] = TAB;
      this.#outAt += field.copy(this.#out, this.#outAt);
      this.#ends[i] = this.#outAt;
    }
    this.#finishRow(start);
  }

  /** Copies: what is written next lies over them. */
  #fields(start: number): readonly Buffer[] {
    return Array.from({ length: this.#cells ?? 0 }, (_, i) => Buffer.from(this.#field(start, i)));
  }

  #field(start: number, i: number): Buffer {
    return this.#out.subarray(i === 0 ? start : (this.#ends[i - 1] ?? 0) + 1, this.#ends[i]);
  }

  #isWanted(start: number): boolean {
    return this.#wanted.every(
      (wanted, i) => wanted === undefined || wanted.equals(this.#field(start, i)),
    );
  }

  #reorder(start: number): void {
    const fields = this.#fields(start);
    this.#outAt = start;
    for (const [i, at] of (this.#layout?.order ?? []).entries()) {
      if (i > 0) this.#out[this.#outAt++] = TAB;
      this.#outAt += fields[at]?.copy(this.#out, this.#outAt) ?? 0;
    }
  }

  #plain(no: number, isLast: boolean): number {
    const [input, out, delimiter] = [this.#input, this.#out, this.#delimiter];
    const from = this.#at;
    const start = this.#outAt;
    let at = from;
    let to = start;
    let byte = 0;
    for (; at < input.length; at++) {
      byte = input[at] ?? 0;
      if (byte === delimiter || byte === NEWLINE) break;
      const letter = ESCAPES[byte] ?? 0;
      if (letter !== 0) {
        out[to++] = BACKSLASH;
        out[to++] = letter;
      } else if (byte === QUOTE) {
        this.#fail('a quote inside of a cell that is not quoted');
      } else {
        out[to++] = byte;
      }
    }
    const isCut = at >= input.length;
    if (isCut && !isLast) return CUT;
    const isRowEnd = isCut || byte === NEWLINE;
    let end = at;
    if (!isCut && isRowEnd && at > from && input[at - 1] === RETURN) {
      end -= 1;
      to -= 2;
    }
    this.#outAt = this.#isNull(no, from, end) ? this.#null(start) : to;
    this.#at = at + 1;
    return isRowEnd ? ROW_END : MORE;
  }

  #isNull(no: number, from: number, to: number): boolean {
    if (from === to && this.#isEmptyNull[no] === true) return true;
    const token = this.#nullToken;
    if (to - from !== token.length) return false;
    for (let i = 0; i < token.length; i++) if (this.#input[from + i] !== token[i]) return false;
    return true;
  }

  #null(start: number): number {
    this.#out[start] = BACKSLASH;
    this.#out[start + 1] = LETTER_N;
    return start + 2;
  }

  #quoted(no: number, isLast: boolean): number {
    const [input, out] = [this.#input, this.#out];
    const start = this.#outAt;
    const from = this.#at + 1;
    let at = from;
    let to = start;
    let lines = 0;
    for (;;) {
      if (at >= input.length) {
        if (isLast) this.#fail('a quoted cell does not end');
        return CUT;
      }
      const byte = input[at++] ?? 0;
      if (byte === QUOTE) {
        if (input[at] !== QUOTE) break;
        at += 1;
        out[to++] = QUOTE;
        continue;
      }
      const letter = ESCAPES[byte] ?? 0;
      if (letter === 0) {
        out[to++] = byte;
        continue;
      }
      if (byte === NEWLINE) lines += 1;
      out[to++] = BACKSLASH;
      out[to++] = letter;
    }
    if (input[at] === RETURN && input[at + 1] === NEWLINE) at += 1;
    const isCut = at >= input.length || (at === input.length - 1 && input[at] === RETURN);
    if (isCut && !isLast) return CUT;
    const next = input[at];
    if (next !== undefined && next !== NEWLINE && next !== this.#delimiter) {
      this.#fail('a quote inside of a quoted cell is not doubled');
    }
    this.#innerLines += lines;
    this.#outAt = to === start && this.#isEmptyNull[no] === true ? this.#null(start) : to;
    this.#at = at + 1;
    return next === this.#delimiter ? MORE : ROW_END;
  }

  #reserve(bytes: number): void {
    const needed = this.#outAt + bytes;
    if (needed <= this.#out.length) return;
    const old = this.#out;
    this.#out = Buffer.allocUnsafe(Math.max(needed, old.length * 2));
    old.copy(this.#out, 0, 0, this.#outAt);
  }

  #fail(detail: string, line = this.#line): never {
    throw new PluginError('MR-D207', `line ${line}: ${detail}`);
  }
}

const LETTERS: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function cellOf(field: Buffer): string | null {
  const text = field.toString('utf8');
  if (text === String.raw`\N`) return null;
  return text.replace(/\\(.)/gs, (_, c: string) => LETTERS[c] ?? c);
}
