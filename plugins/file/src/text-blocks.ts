import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ErrorCode } from '@millrace/sdk';
import { PluginError } from '@millrace/sdk';
import type { LineFeed, TextEncoding } from './text-encoding.js';
import { lastLineEnd, lineEnd } from './text-encoding.js';

const NEWLINE = 0x0a;
const READ_BYTES = 256 * 1024;
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** Why a line is no text. */
export interface BadLine {
  readonly line: number;
  readonly code: ErrorCode;
  readonly reason: string;
}

/** Lines of a file: whole ones, but for the last of the file. */
export interface TextBlock {
  /** In UTF-8. What stands in the place of a bad line has as many line feeds. */
  readonly text: Buffer;
  /** As they stand in the file. */
  readonly original: Buffer;
  /** From 1. */
  readonly firstLine: number;
  readonly lines: number;
  readonly bad: readonly BadLine[];
}

/** The lines of a file, unpacked where the name ends in .gz, some hundred thousand bytes at a time. */
export async function* textBlocks(
  file: string,
  encoding: TextEncoding,
  signal: AbortSignal,
): AsyncGenerator<TextBlock> {
  let held: Buffer = Buffer.alloc(0);
  let skipped = 0;
  let line = 1;
  const block = (original: Buffer): TextBlock => {
    const made = blockOf(original, line, encoding);
    line += made.lines;
    return made;
  };
  for await (const chunk of fileBytes(file, signal)) {
    const piece = chunk as Buffer;
    if (skipped > 0) {
      const end = lineEnd(piece, skipped % 2, encoding.lineFeed);
      skipped += end === -1 ? piece.length : end;
      if (end === -1) continue;
      yield oversized(line++, skipped);
      skipped = 0;
      held = piece.subarray(end);
    } else {
      held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    }
    const end = lastLineEnd(held, encoding.lineFeed);
    if (end > 0) yield block(held.subarray(0, end));
    held = held.subarray(end);
    if (held.length > MAX_LINE_BYTES) {
      skipped = held.length;
      held = Buffer.alloc(0);
    }
  }
  if (skipped > 0) yield oversized(line, skipped);
  if (held.length > 0) yield block(held);
}

function fileBytes(file: string, signal: AbortSignal): Readable {
  const source = createReadStream(file, { highWaterMark: READ_BYTES, signal });
  if (!file.endsWith('.gz')) return source;
  return pipeline(source, createGunzip({ chunkSize: READ_BYTES }), () => undefined);
}

function oversized(line: number, bytes: number): TextBlock {
  const reason = `a line of ${bytes} bytes; at most ${MAX_LINE_BYTES} are read`;
  const bad = [{ line, code: 'MR-D251', reason } as const];
  return { text: Buffer.from('\n'), original: Buffer.alloc(0), firstLine: line, lines: 1, bad };
}

function blockOf(original: Buffer, firstLine: number, encoding: TextEncoding): TextBlock {
  if (encoding.name === 'utf-8' && isUtf8(original)) {
    return { text: original, original, firstLine, lines: countLines(original), bad: [] };
  }
  const decoded = encoding.name === 'utf-8' ? undefined : encoding.decode(original);
  if (decoded !== undefined) {
    const text = Buffer.from(decoded, 'utf8');
    return { text, original, firstLine, lines: countLines(text), bad: [] };
  }
  return lineByLine(original, firstLine, encoding);
}

function lineByLine(original: Buffer, firstLine: number, encoding: TextEncoding): TextBlock {
  const parts: string[] = [];
  const bad: BadLine[] = [];
  let lines = 0;
  for (let from = 0; from < original.length; lines += 1) {
    const end = lineEnd(original, from, encoding.lineFeed);
    const bytes = original.subarray(from, end === -1 ? original.length : end);
    const text = encoding.decode(bytes);
    if (text === undefined) {
      const reason = `it is not ${encoding.name}`;
      bad.push({ line: firstLine + lines, code: 'MR-D241', reason });
    }
    parts.push(text ?? `${encoding.decodeLoosely(bytes).replaceAll('\n', '')}\n`);
    from = end === -1 ? original.length : end;
  }
  return { text: Buffer.from(parts.join(''), 'utf8'), original, firstLine, lines, bad };
}

export function countLines(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE, from); at !== -1 && at < to; lines += 1) {
    at = bytes.indexOf(NEWLINE, at + 1);
  }
  return lines;
}

/** Keeps the bytes of the lines that are still being cut, for those that turn out to be broken. */
export class OriginalLines {
  readonly #lineFeed: LineFeed;
  readonly #blocks: TextBlock[] = [];
  /** Lines are asked for in their order: where the last one began. */
  #seen: { readonly block: TextBlock; readonly line: number; readonly at: number } | undefined;

  constructor(lineFeed: LineFeed) {
    this.#lineFeed = lineFeed;
  }

  add(block: TextBlock): void {
    this.#blocks.push(block);
  }

  /** Lines before this one will not be asked for. */
  forget(before: number): void {
    for (let [first] = this.#blocks; first !== undefined; [first] = this.#blocks) {
      if (first.firstLine + first.lines > before || this.#blocks.length === 1) return;
      this.#blocks.shift();
    }
  }

  /** As they stand in the file, without the line feed of the last one. */
  of(line: number, count: number): Buffer {
    const parts = Array.from({ length: count }, (_, i) => this.#line(line + i));
    const bytes = Buffer.concat(parts);
    const width = this.#lineFeed === 'byte' ? 1 : 2;
    const last = parts.at(-1) ?? bytes;
    const hasEnd = last.length > 0 && lineEnd(last, 0, this.#lineFeed) === last.length;
    return hasEnd ? bytes.subarray(0, bytes.length - width) : bytes;
  }

  #line(line: number): Buffer {
    const block = this.#blocks.findLast(({ firstLine }) => firstLine <= line);
    if (block === undefined) return Buffer.alloc(0);
    const seen = this.#seen;
    const isBehind = seen?.block === block && seen.line <= line;
    let at = isBehind ? seen.at : 0;
    for (let no = isBehind ? seen.line : block.firstLine; no < line; no += 1) {
      const next = lineEnd(block.original, at, this.#lineFeed);
      at = next === -1 ? block.original.length : next;
    }
    this.#seen = { block, line, at };
    const end = lineEnd(block.original, at, this.#lineFeed);
    return block.original.subarray(at, end === -1 ? block.original.length : end);
  }
}

/** What went wrong while reading, in our codes: gzip errors are errors of the format. */
export function readError(error: unknown, path: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof PluginError) return new PluginError(error.code, `${path}, ${error.detail}`);
  // Known by their codes alone: errors of node:zlib are of another realm where code runs in a vm.
  if (typeof error !== 'object' || error === null || !('code' in error)) return error;
  const code = String(error.code);
  const message = 'message' in error ? String(error.message) : code;
  if (code.startsWith('Z_')) {
    return new PluginError('MR-D207', `${path}: gzip: ${message}`, { cause: error });
  }
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') {
    return new PluginError('MR-D206', `${path}: ${message}`, { cause: error });
  }
  return error;
}
