import { isAtLeast } from '../../domain/log/line-level.js';
import { visibleBytes } from '../../domain/log/visible-bytes.js';
import {
  expressionOf,
  type Found,
  type LogHit,
  type LogSearch,
  lowered,
  needleOf,
} from './log-search.js';

const NEWLINE = 10;
const RETURN = 13;
/** Of one listed line: its text, what is looked at for ranges, and how many. */
const MAX_TEXT = 500;
const MAX_LINE = 65_536;
const MAX_RANGES = 100;

/**
 * Searches one run log that comes in pieces cut anywhere. A plain text is looked for in the bytes, so that
 * a line becomes a string only when it is listed; an expression needs the string of each line.
 */
export class LogScanner {
  readonly #search: LogSearch;
  readonly #expression: RegExp | undefined;
  readonly #needle: Buffer;
  /** What stands behind the last end of line. */
  #rest: Buffer[] = [];
  #line = 0;
  #listed = 0;
  #hits: LogHit[] = [];
  #count = 0;

  /** Refuses a search that cannot be done. */
  constructor(search: LogSearch) {
    this.#search = search;
    this.#expression = expressionOf(search);
    this.#needle = needleOf(search) ?? Buffer.alloc(0);
  }

  /** `newlines`: ends of lines in `pieces`, which the index of the log knows already. */
  scan(pieces: readonly Buffer[], newlines: number): Found {
    const bytes = Buffer.concat([...this.#rest, ...pieces]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    this.#rest = end < bytes.length ? [bytes.subarray(end)] : [];
    if (end > 0) this.#scanLines(bytes.subarray(0, end));
    this.#line += newlines;
    return this.#take(newlines);
  }

  /** Chunks with `lines` ends of lines that hold nothing: the line they begin in and that they end in too. */
  skip(lines: number): Found {
    this.#rest = [];
    this.#line += lines;
    return this.#take(lines);
  }

  /** The last line may have no end. */
  end(): Found {
    const bytes = Buffer.concat(this.#rest.splice(0));
    if (bytes.length === 0) return this.#take(0);
    // With an end: one of nothing but escape sequences is a line too.
    this.#scanLines(Buffer.concat([bytes, Buffer.of(NEWLINE)]));
    return this.#take(1);
  }

  #take(lines: number): Found {
    const found = { hits: this.#hits, count: this.#count, lines };
    this.#hits = [];
    this.#count = 0;
    return found;
  }

  #scanLines(bytes: Buffer): void {
    const visible = visibleBytes(bytes);
    const block = Buffer.from(visible.buffer, visible.byteOffset, visible.length);
    if (this.#expression === undefined) this.#scanBytes(block);
    else this.#scanStrings(block.toString('utf8'), this.#expression);
  }

  #scanBytes(block: Buffer): void {
    const { level, isCaseSensitive, limit } = this.#search;
    const text = isCaseSensitive ? block : lowerAscii(block);
    let line = this.#line;
    let counted = 0;
    for (let at = text.indexOf(this.#needle); at !== -1;) {
      const end = endOfLine(text, at);
      if (level !== undefined || this.#listed < limit) {
        const start = text.lastIndexOf(NEWLINE, at) + 1;
        const content = withoutReturn(block.toString('utf8', start, end));
        if (level === undefined || isAtLeast(content, level)) {
          if (this.#listed < limit) {
            line += newlinesIn(text, counted, start);
            counted = start;
          }
          this.#add(line, content);
        }
      } else this.#count++;
      at = end + 1 < text.length ? text.indexOf(this.#needle, end + 1) : -1;
    }
  }

  #scanStrings(text: string, expression: RegExp): void {
    const { level } = this.#search;
    let line = this.#line;
    for (let at = 0; at < text.length; line++) {
      const newline = text.indexOf('\n', at);
      const end = newline === -1 ? text.length : newline;
      const content = withoutReturn(text.slice(at, end));
      if ((level === undefined || isAtLeast(content, level)) && expression.test(content))
        this.#add(line, content);
      at = end + 1;
    }
  }

  #add(line: number, content: string): void {
    this.#count++;
    if (this.#listed >= this.#search.limit) return;
    this.#listed++;
    this.#hits.push({ line, ranges: this.#rangesOf(content), text: content.slice(0, MAX_TEXT) });
  }

  #rangesOf(content: string): [number, number][] {
    const ranges: [number, number][] = [];
    const text = content.slice(0, MAX_LINE);
    if (this.#expression !== undefined) {
      const every = new RegExp(this.#expression.source, `${this.#expression.flags}g`);
      for (const { 0: found, index } of text.matchAll(every)) {
        if (found.length > 0) ranges.push([index, index + found.length]);
        if (ranges.length === MAX_RANGES) break;
      }
      return ranges;
    }
    const needle = this.#needle.toString('utf8');
    const folded = this.#search.isCaseSensitive ? text : lowered(text);
    let at = folded.indexOf(needle);
    while (at !== -1 && ranges.length < MAX_RANGES) {
      ranges.push([at, at + needle.length]);
      at = folded.indexOf(needle, at + needle.length);
    }
    return ranges;
  }
}

function endOfLine(text: Uint8Array, at: number): number {
  const end = text.indexOf(NEWLINE, at);
  return end === -1 ? text.length : end;
}

function newlinesIn(text: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) if (text[at] === NEWLINE) count++;
  return count;
}

function withoutReturn(line: string): string {
  return line.charCodeAt(line.length - 1) === RETURN ? line.slice(0, -1) : line;
}

const LOWER = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 65 && byte <= 90 ? byte + 32 : byte,
);

function lowerAscii(text: Buffer): Buffer {
  const lower = Buffer.allocUnsafe(text.length);
  for (let at = 0; at < text.length; at++) lower[at] = LOWER[text[at] ?? 0] ?? 0;
  return lower;
}
