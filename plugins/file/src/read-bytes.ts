import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PluginError } from '@millrace/sdk';

const NEWLINE = 0x0a;

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

/** How many bytes at the end are the beginning of a character whose rest is still to come. */
function openTailOf(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}

/**
 * Lets only UTF-8 through, chunk by chunk. A decoder would put U+FFFD in the place of what it cannot
 * read and change the value in silence.
 */
class Utf8Check extends Transform {
  #tail: Buffer = Buffer.alloc(0);
  #lines = 0;

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null, data?: Buffer) => void,
  ): void {
    const bytes = this.#tail.length > 0 ? Buffer.concat([this.#tail, chunk]) : chunk;
    const whole = bytes.subarray(0, bytes.length - openTailOf(bytes));
    this.#tail = bytes.subarray(whole.length);
    if (!isUtf8(whole)) {
      done(this.#error(whole));
      return;
    }
    this.#lines += countLines(whole);
    done(null, whole);
  }

  override _flush(done: (error?: Error | null) => void): void {
    done(this.#tail.length > 0 ? this.#error(this.#tail) : null);
  }

  #error(bytes: Buffer): PluginError {
    let line = this.#lines + 1;
    let from = 0;
    for (let to = bytes.indexOf(NEWLINE); to !== -1; to = bytes.indexOf(NEWLINE, from)) {
      if (!isUtf8(bytes.subarray(from, to))) break;
      from = to + 1;
      line += 1;
    }
    return new PluginError('MR-D207', `line ${line}: not UTF-8`);
  }
}

/** The file's text as bytes: unpacked where the name ends in .gz, and surely UTF-8. */
export function readTextBytes(file: string, signal: AbortSignal): Readable {
  const check = new Utf8Check();
  const source = createReadStream(file, { highWaterMark: 256 * 1024, signal });
  const ignore = (): void => undefined;
  if (file.endsWith('.gz')) pipeline(source, createGunzip(), check, ignore);
  else pipeline(source, check, ignore);
  return check;
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
