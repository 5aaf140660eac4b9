import { PluginError, encodeCopyCell, withRoom } from '@millrace/sdk';
import type { BrokenLines } from './broken-lines.js';
import { BrokenRecords, MAX_RECORD_BYTES, REASONS } from './broken-lines.js';
import { ESCAPES, MEANINGS, cellOf } from './copy-field.js';
import { endWithoutBlanks, isBlank } from './csv-escape.js';
import type { CsvLayout, CsvLinesFormat } from './csv-layout.js';
import type { BadLine } from './text-blocks.js';
import { countLines } from './text-blocks.js';

const BACKSLASH = 0x5c;
const LETTER_N = 0x4e;
const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BOM = Buffer.from('\uFEFF');
const SLACK_BYTES = 64 * 1024;

/** What `#field` found behind a cell. */
const MORE = 0;
const ROW_END = 1;
const CUT = 2;
const BROKEN = 3;

/**
 * Turns CSV bytes into lines of COPY text, piece by piece, without a value for any cell; rules and words
 * are those of `CsvSplitter`. The bytes are UTF-8. Throws MR-D207 for a header that is none.
 */
export class CsvLines {
  readonly #format: CsvLinesFormat;
  readonly #delimiter: number;
  readonly #nullToken: Buffer;
  /** -1 where no cell is quoted. */
  readonly #quote: number;
  /** -1 where there is none. */
  readonly #escape: number;
  readonly #layoutOf: (header: readonly (string | null)[] | undefined) => CsvLayout;
  readonly #broken = new BrokenRecords();
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
  #reason = '';
  /** Where to go on behind a broken record. */
  #resumeAt = 0;
  /** Where each field of the row ends in the output. */
  #ends: number[] = [];
  #out: Buffer;
  #outAt = 0;
  #rows = 0;

  constructor(
    format: CsvLinesFormat,
    chunkBytes: number,
    layoutOf: (header: readonly (string | null)[] | undefined) => CsvLayout,
  ) {
    this.#format = format;
    this.#delimiter = format.delimiter.charCodeAt(0);
    this.#nullToken = Buffer.from(format.nullToken);
    this.#quote = format.quote === '' ? -1 : format.quote.charCodeAt(0);
    this.#escape = format.escape === '' ? -1 : format.escape.charCodeAt(0);
    this.#layoutOf = layoutOf;
    this.#out = Buffer.allocUnsafe(chunkBytes + SLACK_BYTES);
  }

  /** The one that is cut next. */
  get line(): number {
    return this.#line;
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

  /** Those since the last call. */
  takeBroken(): readonly BrokenLines[] {
    return this.#broken.take();
  }

  /** `bad`: lines of this piece, or of those behind it, that are no text. */
  push(piece: Buffer, bad: readonly BadLine[] = []): void {
    this.#broken.expect(bad);
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
    this.#out = withRoom(this.#out, this.#outAt, (this.#input.length - this.#at) * 3 + SLACK_BYTES);
    if (!this.#format.hasHeader) this.#layout ??= this.#begin(undefined);
    for (;;) {
      while (this.#at < this.#input.length && this.#row(isLast));
      if (this.#input.length - this.#at <= MAX_RECORD_BYTES) return;
      // A quote is left open: the record ends with the line of it, and the next one is cut.
      this.#row(true);
    }
  }

  /** Cuts one row; `false`, and everything is as it was, when its end has not come yet. */
  #row(isLast: boolean): boolean {
    const start = this.#outAt;
    const from = this.#at;
    if (this.#format.skipEmptyRecords) {
      const end = this.#input[from] === RETURN ? from + 1 : from;
      if (end >= this.#input.length && !isLast) return false;
      if (this.#input[end] === NEWLINE) {
        this.#line += 1;
        this.#at = end + 1;
        return true;
      }
    }
    const trims = this.#format.trimWhitespace;
    this.#innerLines = 0;
    let cells = 0;
    for (;;) {
      if (cells > 0) this.#out[this.#outAt++] = TAB;
      if (trims) this.#at = this.#behindBlanks(this.#at);
      const found =
        this.#input[this.#at] === this.#quote
          ? this.#quoted(cells, isLast)
          : this.#plain(cells, isLast);
      if (found === CUT) {
        this.#at = from;
        this.#outAt = start;
        return false;
      }
      if (found === BROKEN) {
        this.#breakOff(from, start);
        return true;
      }
      this.#ends[cells++] = this.#outAt;
      if (found === ROW_END) break;
    }
    const lines = 1 + this.#innerLines;
    const line = this.#line;
    this.#line += lines;
    this.#finishRow(start, cells, line, lines);
    return true;
  }

  /** What lies between `from` and the place to go on is no record. */
  #breakOff(from: number, start: number): void {
    const to = this.#resumeAt;
    const ends = countLines(this.#input, from, to);
    const lines = this.#input[to - 1] === NEWLINE ? ends : ends + 1;
    this.#refuse(this.#line, lines, this.#reason);
    this.#line += lines;
    this.#at = to;
    this.#outAt = start;
  }

  #refuse(line: number, lines: number, reason: string): void {
    if (this.#layout !== undefined) {
      this.#broken.add(line, lines, reason);
      return;
    }
    const why = this.#broken.badWithin(line, lines)?.reason ?? reason;
    throw new PluginError('MR-D207', `line ${line}: ${why}`);
  }

  #finishRow(start: number, cells: number, line: number, lines: number): void {
    const isBad = this.#broken.hasBad && this.#broken.badWithin(line, lines) !== undefined;
    const wanted = this.#layout?.columns.length ?? cells;
    if (isBad || cells !== wanted) {
      this.#refuse(line, lines, REASONS.cells(cells, wanted));
      this.#outAt = start;
      return;
    }
    if (this.#layout === undefined) {
      this.#layout = this.#begin(this.#fields(start, cells).map((field) => cellOf(field)));
      this.#outAt = start;
      return;
    }
    if (this.#hasFilter && !this.#isWanted(start)) {
      this.#outAt = start;
      return;
    }
    if (!this.#isInOrder) this.#reorder(start, cells);
    this.#out[this.#outAt++] = NEWLINE;
    this.#rows += 1;
  }

  #begin(header: readonly (string | null)[] | undefined): CsvLayout {
    const layout = this.#layoutOf(header);
    this.#isEmptyNull = layout.columns.map((c) => c.isEmptyNull);
    this.#wanted = layout.columns.map(({ wanted }) =>
      wanted === undefined ? undefined : Buffer.from(encodeCopyCell(wanted)),
    );
    this.#hasFilter = this.#wanted.some((w) => w !== undefined);
    const { order, columns } = layout;
    this.#isInOrder = order.length === columns.length && order.every((at, i) => at === i);
    return layout;
  }

  /** Copies: what is written next lies over them. */
  #fields(start: number, cells: number): readonly Buffer[] {
    return Array.from({ length: cells }, (_, i) => Buffer.from(this.#field(start, i)));
  }

  #field(start: number, i: number): Buffer {
    return this.#out.subarray(i === 0 ? start : (this.#ends[i - 1] ?? 0) + 1, this.#ends[i]);
  }

  #isWanted(start: number): boolean {
    return this.#wanted.every(
      (wanted, i) => wanted === undefined || wanted.equals(this.#field(start, i)),
    );
  }

  #reorder(start: number, cells: number): void {
    const fields = this.#fields(start, cells);
    this.#outAt = start;
    for (const [i, at] of (this.#layout?.order ?? []).entries()) {
      if (i > 0) this.#out[this.#outAt++] = TAB;
      this.#outAt += fields[at]?.copy(this.#out, this.#outAt) ?? 0;
    }
  }

  #behindBlanks(from: number): number {
    let at = from;
    for (let byte = this.#input[at]; byte !== undefined && isBlank(byte); byte = this.#input[at]) {
      if (byte === this.#delimiter) break;
      at += 1;
    }
    return at;
  }

  #plain(no: number, isLast: boolean): number {
    const [input, out, delimiter, quote] = [this.#input, this.#out, this.#delimiter, this.#quote];
    const escape = this.#escape;
    const from = this.#at;
    const start = this.#outAt;
    let at = from;
    let to = start;
    let byte = 0;
    let lines = 0;
    for (; at < input.length; at++) {
      byte = input[at] ?? 0;
      if (byte === delimiter || byte === NEWLINE) break;
      if (byte === escape) {
        const width = this.#escapedBytes(at, isLast);
        if (width === 0) return CUT;
        if (width < 0) return this.#endWithLine(REASONS.escapesNothing, at, true);
        for (let i = 1; i <= width; i++) {
          if (input[at + i] === NEWLINE) lines += 1;
          to = this.#put(MEANINGS[input[at + i] ?? 0] ?? 0, to);
        }
        at += width;
        continue;
      }
      const letter = ESCAPES[byte] ?? 0;
      if (letter !== 0) {
        out[to++] = BACKSLASH;
        out[to++] = letter;
      } else if (byte === quote) {
        return this.#endWithLine(REASONS.quoteInPlain, at, isLast);
      } else {
        out[to++] = byte;
      }
    }
    const isCut = at >= input.length;
    if (isCut && !isLast) return CUT;
    this.#innerLines += lines;
    const isRowEnd = isCut || byte === NEWLINE;
    let end = at;
    if (!isCut && isRowEnd && at > from && input[at - 1] === RETURN) {
      end -= 1;
      to -= 2;
    }
    if (this.#format.trimWhitespace) {
      const { escape: mark } = this.#format;
      const solid = endWithoutBlanks((i) => input[i] ?? 0, from, end, mark);
      // A tab is written as two bytes.
      while (end > solid) to -= input[--end] === TAB ? 2 : 1;
    }
    this.#outAt = this.#isNull(no, from, end) ? this.#null(start) : to;
    this.#at = at + 1;
    return isRowEnd ? ROW_END : MORE;
  }

  /** How many bytes the escape at this place escapes; 0: they have not come yet, -1: there are none. */
  #escapedBytes(at: number, isLast: boolean): number {
    const input = this.#input;
    const rest = input.length - at - 1;
    if (rest <= 0) return isLast ? -1 : 0;
    if (input[at + 1] !== RETURN) return 1;
    if (rest === 1) return isLast ? 1 : 0;
    return input[at + 2] === NEWLINE ? 2 : 1;
  }

  /** Writes a byte of a cell and gives the place behind it. */
  #put(byte: number, to: number): number {
    const letter = ESCAPES[byte] ?? 0;
    if (letter === 0) {
      this.#out[to] = byte;
      return to + 1;
    }
    this.#out[to] = BACKSLASH;
    this.#out[to + 1] = letter;
    return to + 2;
  }

  #isNull(no: number, from: number, to: number): boolean {
    if (from === to && this.#isEmptyNull[no] === true) return true;
    const input = this.#input;
    const isEscaped = to - from === 2 && input[from] === this.#escape;
    if (isEscaped && input[from + 1] === LETTER_N) return true;
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
    const [input, out, quote] = [this.#input, this.#out, this.#quote];
    const start = this.#outAt;
    const from = this.#at + 1;
    let at = from;
    let to = start;
    let lines = 0;
    for (;;) {
      if (at >= input.length) {
        return isLast ? this.#endWithLine(REASONS.leftOpen, lines > 0 ? from : at, true) : CUT;
      }
      const byte = input[at++] ?? 0;
      if (byte === this.#escape) {
        const width = this.#escapedBytes(at - 1, isLast);
        if (width === 0) return CUT;
        for (let i = 0; i < width; i++) {
          if (input[at + i] === NEWLINE) lines += 1;
          to = this.#put(MEANINGS[input[at + i] ?? 0] ?? 0, to);
        }
        at += Math.max(width, 0);
        continue;
      }
      if (byte === quote) {
        if (input[at] !== quote) break;
        at += 1;
        out[to++] = quote;
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
    if (this.#format.trimWhitespace) at = this.#behindBlanks(at);
    if (input[at] === RETURN && input[at + 1] === NEWLINE) at += 1;
    const isCut = at >= input.length || (at === input.length - 1 && input[at] === RETURN);
    if (isCut && !isLast) return CUT;
    const next = input[at];
    if (next !== undefined && next !== NEWLINE && next !== this.#delimiter) {
      // Behind a line end it is rather the first quote of another cell: the one before was left open.
      return this.#endWithLine(REASONS.quoteNotDoubled, lines > 0 ? from : at, isLast);
    }
    this.#innerLines += lines;
    this.#outAt = to === start && this.#isEmptyNull[no] === true ? this.#null(start) : to;
    this.#at = at + 1;
    return next === this.#delimiter ? MORE : ROW_END;
  }

  /** The record ends with the line that `at` is in. */
  #endWithLine(reason: string, at: number, isLast: boolean): number {
    const end = this.#input.indexOf(NEWLINE, at);
    if (end === -1 && !isLast) return CUT;
    this.#reason = reason;
    this.#resumeAt = end === -1 ? this.#input.length : end + 1;
    return BROKEN;
  }
}
