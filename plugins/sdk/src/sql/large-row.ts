import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';

/** What is kept of a row that is too large to be held. */
export interface LargeRow {
  /** On the wire. */
  readonly bytes: number;
  /** SHA-256 of all of them, hexadecimal. */
  readonly digest: string;
  /** The first of them, {@link LARGE_ROW_HEAD} at most. */
  readonly head: Uint8Array;
  /** Which row of its source it is, as far as the head tells: `id = 17`. */
  readonly key?: string;
}

export const LARGE_ROW_HEAD = 1024 * 1024;

/** Takes a row piece by piece as it comes, and holds its first megabyte alone. */
export class LargeRowBytes {
  readonly #hash: Hash = createHash('sha256');
  readonly #head: Uint8Array[] = [];
  #headBytes = 0;
  #bytes = 0;

  add(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.#bytes += piece.length;
    const missing = LARGE_ROW_HEAD - this.#headBytes;
    if (missing <= 0 || piece.length === 0) return;
    // The piece lies in a buffer that is filled again.
    const kept = Uint8Array.prototype.slice.call(piece, 0, missing);
    this.#head.push(kept);
    this.#headBytes += kept.length;
  }

  /** `keyOf` reads the key from the head. Call it once. */
  end(keyOf?: (head: Buffer) => string | undefined): LargeRow {
    const head = Buffer.concat(this.#head);
    const key = keyOf?.(head);
    const row = { bytes: this.#bytes, digest: this.#hash.digest('hex'), head };
    return key === undefined ? row : { ...row, key };
  }
}

/** `a = 1, b = x` of the columns of the key; `undefined` when one of them is not there. */
export function largeRowKey(
  key: readonly string[],
  textOf: (column: string) => string | undefined,
): string | undefined {
  const parts = key.map((column) => {
    const text = textOf(column);
    return text === undefined ? undefined : `${column} = ${text}`;
  });
  return key.length === 0 || parts.includes(undefined) ? undefined : parts.join(', ');
}
