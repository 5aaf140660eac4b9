import type { BrokenLines } from './broken-lines.js';
import { BrokenRecords, MAX_RECORD_BYTES, REASONS } from './broken-lines.js';
import { ESCAPED_NULL, isBlank, trimmedEnd, unescaper } from './csv-escape.js';
import type { CsvFormat } from './csv-layout.js';
import type { BadLine } from './text-blocks.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

export type CsvRow = (string | null)[];

/** A record that is broken, and where to go on behind it. */
interface Break {
  readonly reason: string;
  readonly resumeAt: number;
}

/**
 * Cuts CSV text (RFC 4180) into rows, piece by piece. Written by hand because csv-parse tells a quoted
 * empty text from an empty cell only through its `cast` callback, which makes it ten times slower, and
 * cannot go on behind a line that is broken.
 */
export class CsvSplitter {
  readonly #format: CsvFormat;
  /** Its first character. */
  readonly #delimiter: number;
  /** NaN where no cell is quoted: equal to nothing. */
  readonly #quote: number;
  /** NaN where there is none. */
  readonly #escape: number;
  readonly #unescapePlain = unescaper('');
  readonly #unescapeQuoted: (raw: string) => string;
  readonly #broken = new BrokenRecords();
  #text = '';
  #at = 0;
  /** Of the row that is being cut. */
  #line = 1;
  /** Of a record; those of the first one count where it is not known. */
  #cells: number | undefined;
  #isFirst = true;
  #isFirstBroken = false;

  constructor(format: CsvFormat, cells?: number) {
    this.#format = format;
    this.#delimiter = format.delimiter.charCodeAt(0);
    this.#quote = format.quote.charCodeAt(0);
    this.#escape = format.escape.charCodeAt(0);
    this.#unescapeQuoted = unescaper(format.quote);
    this.#cells = cells;
  }

  /** The one that is cut next. */
  get line(): number {
    return this.#line;
  }

  /** The first record of all was none. */
  get isFirstBroken(): boolean {
    return this.#isFirstBroken;
  }

  /** The rows that are complete now. `bad`: lines of this piece that are no text. */
  push(piece: string, bad: readonly BadLine[] = []): CsvRow[] {
    this.#broken.expect(bad);
    return this.#cut(piece, false);
  }

  /** The last row, when it has no line end. */
  end(): CsvRow[] {
    return this.#cut('', true);
  }

  /** Those since the last call. */
  takeBroken(): readonly BrokenLines[] {
    return this.#broken.take();
  }

  #cut(piece: string, isLast: boolean): CsvRow[] {
    this.#text = this.#text.slice(this.#at) + piece;
    this.#at = 0;
    if (this.#isFirst && this.#text.length > 0) {
      this.#isFirst = false;
      if (this.#text.charCodeAt(0) === 0xfeff) this.#at = 1;
    }
    const rows: CsvRow[] = [];
    for (;;) {
      while (this.#at < this.#text.length && this.#row(isLast, rows));
      if (this.#text.length - this.#at <= MAX_RECORD_BYTES) return rows;
      // A quote is left open: the record ends with the line of it, and the next one is cut.
      this.#row(true, rows);
    }
  }

  /** Cuts one record, or leaves everything as it is when its end has not come yet. */
  #row(isLast: boolean, rows: CsvRow[]): boolean {
    const line = this.#line;
    const from = this.#at;
    if (this.#format.skipEmptyRecords) {
      const end = this.#text[from] === '\r' ? from + 1 : from;
      if (end >= this.#text.length && !isLast) return false;
      if (this.#text[end] === '\n') {
        this.#line += 1;
        this.#at = end + 1;
        return true;
      }
    }
    const row: CsvRow = [];
    const found = this.#record(row, isLast);
    if (found === undefined) return false;
    if (typeof found === 'object') {
      const ends = this.#lineEnds(from, found.resumeAt);
      const lines = this.#text.charCodeAt(found.resumeAt - 1) === NEWLINE ? ends : ends + 1;
      this.#add(line, lines, found.reason);
      this.#line += lines;
      this.#at = found.resumeAt;
      return true;
    }
    this.#line += found;
    this.#cells ??= row.length;
    const isBad = this.#broken.hasBad && this.#broken.badWithin(line, found) !== undefined;
    if (isBad || row.length !== this.#cells) {
      this.#add(line, found, REASONS.cells(row.length, this.#cells));
    } else {
      rows.push(row);
    }
    return true;
  }

  #add(line: number, lines: number, reason: string): void {
    if (line === 1) this.#isFirstBroken = true;
    this.#broken.add(line, lines, reason);
  }

  /** The lines of the record; `undefined` when its end has not come yet. */
  #record(row: CsvRow, isLast: boolean): number | Break | undefined {
    const text = this.#text;
    let at = this.#at;
    let lines = 1;
    const { trimWhitespace: trims, escape } = this.#format;
    for (;;) {
      let end: number;
      if (trims) at = this.#behindBlanks(at);
      if (text.charCodeAt(at) === this.#quote) {
        const close = this.#closingQuote(at + 1);
        if (close === -1 && !isLast) return undefined;
        const raw = text.slice(at + 1, close === -1 ? text.length : close);
        // Behind a line end it is rather the first quote of another cell: this one was left open.
        const breaksAt = raw.includes('\n') ? at : close === -1 ? text.length : close + 1;
        if (close === -1) return this.#endWithLine(REASONS.leftOpen, breaksAt, true);
        row.push(this.#quotedCell(raw));
        lines += this.#lineEnds(at, close);
        end = trims ? this.#behindBlanks(close + 1) : close + 1;
        if (text.charCodeAt(end) === RETURN && text.charCodeAt(end + 1) === NEWLINE) end += 1;
        const isCut = end >= text.length || (end === text.length - 1 && text[end] === '\r');
        if (isCut && !isLast) return undefined;
        if (!isLast && this.#mayBeDelimiter(end)) return undefined;
        const isEnd = end >= text.length || text.charCodeAt(end) === NEWLINE;
        if (!isEnd && !this.#isDelimiter(end)) {
          return this.#endWithLine(REASONS.quoteNotDoubled, breaksAt, isLast);
        }
      } else {
        end = this.#plainEnd(at);
        if (text.charCodeAt(end) === this.#quote) {
          return this.#endWithLine(REASONS.quoteInPlain, end, isLast);
        }
        if (end >= text.length && !isLast) return undefined;
        if (end > text.length) return this.#endWithLine(REASONS.escapesNothing, text.length, true);
        const isReturn = text.charCodeAt(end) === NEWLINE && text.charCodeAt(end - 1) === RETURN;
        const cell = text.slice(at, isReturn && end > at ? end - 1 : end);
        row.push(this.#plainCell(trims ? trimmedEnd(cell, escape) : cell));
        if (escape !== '') lines += this.#lineEnds(at, end);
      }
      if (this.#isDelimiter(end)) {
        at = end + this.#format.delimiter.length;
        continue;
      }
      this.#at = end + 1;
      return lines;
    }
  }

  #isDelimiter(at: number): boolean {
    if (this.#text.charCodeAt(at) !== this.#delimiter) return false;
    const { delimiter } = this.#format;
    return delimiter.length === 1 || this.#text.startsWith(delimiter, at);
  }

  /** The text ends within what begins as one. */
  #mayBeDelimiter(at: number): boolean {
    const { delimiter } = this.#format;
    const rest = this.#text.length - at;
    return rest < delimiter.length && delimiter.startsWith(this.#text.slice(at));
  }

  #behindBlanks(from: number): number {
    let at = from;
    while (isBlank(this.#text.charCodeAt(at)) && !this.#isDelimiter(at)) at += 1;
    return at;
  }

  #quotedCell(raw: string): string {
    const { quote, escape } = this.#format;
    if (escape !== '' && raw.includes(escape)) return this.#unescapeQuoted(raw);
    return raw.includes(quote) ? raw.replaceAll(quote + quote, quote) : raw;
  }

  #plainCell(raw: string): string | null {
    const { nullToken, escape } = this.#format;
    if (raw === nullToken) return null;
    if (escape === '' || !raw.includes(escape)) return raw;
    return raw === ESCAPED_NULL ? null : this.#unescapePlain(raw);
  }

  /** The record ends with the line that `at` is in. */
  #endWithLine(reason: string, at: number, isLast: boolean): Break | undefined {
    const end = this.#text.indexOf('\n', at);
    if (end === -1 && !isLast) return undefined;
    return { reason, resumeAt: end === -1 ? this.#text.length : end + 1 };
  }

  #lineEnds(from: number, to: number): number {
    let lines = 0;
    for (let at = this.#text.indexOf('\n', from); at !== -1 && at < to; lines += 1) {
      at = this.#text.indexOf('\n', at + 1);
    }
    return lines;
  }

  #closingQuote(from: number): number {
    if (this.#format.escape === '') return this.#closingQuoteAlone(from);
    const text = this.#text;
    for (let at = from; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === this.#escape) at = this.#escaped(at) - 1;
      else if (code !== this.#quote) continue;
      else if (text.charCodeAt(at + 1) === this.#quote) at += 1;
      else return at;
    }
    return -1;
  }

  #closingQuoteAlone(from: number): number {
    const { quote } = this.#format;
    const text = this.#text;
    for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + 2)) {
      if (text.charCodeAt(at + 1) !== this.#quote) return at;
    }
    return -1;
  }

  /** Behind what the escape at this place escapes; beyond the text where that has not come yet. */
  #escaped(at: number): number {
    const text = this.#text;
    if (at + 1 >= text.length) return text.length + 1;
    if (text.charCodeAt(at + 1) !== RETURN || text.charCodeAt(at + 2) !== NEWLINE) return at + 2;
    return at + 3;
  }

  /** At a delimiter, a line feed, a quote that has no place here, or the end; beyond it: see `#escaped`. */
  #plainEnd(from: number): number {
    const text = this.#text;
    let at = from;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE || code === this.#quote) return at;
      if (code === this.#delimiter && this.#isDelimiter(at)) return at;
      at = code === this.#escape ? this.#escaped(at) : at + 1;
    }
    return at;
  }
}
