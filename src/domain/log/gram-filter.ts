import { visibleBytes } from './visible-bytes.js';

const GRAM_BYTES = 5;
const FILTER_BITS = 65_536;
/** Of a line that goes over the end of a chunk. */
const MAX_BEGUN_BYTES = 16_384;
const NEWLINE = 10;
const LOWER = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 65 && byte <= 90 ? byte + 32 : byte,
);

/**
 * Says of each chunk of a run log which runs of five bytes its lines have: 64 Kbit, a bit for each hash of
 * a run (Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors", 1970, with one hash
 * function). A search leaves out chunks that cannot hold what it looks for. Five bytes, because three
 * digits are in every chunk of a log with times and numbers.
 *
 * It is of the visible text, ASCII letters without regard to case, and of whole lines: what a chunk ends
 * with belongs to the filter of the next one too.
 */
export class GramFilters {
  /** The line that is not at its end; `undefined` where it is too long to carry along. */
  #begun: Uint8Array | undefined = new Uint8Array(0);

  /** The filter of the next chunk (8,192 bytes); `undefined` where it is not `wanted` or there is none. */
  next(chunk: Uint8Array, wanted: boolean): Uint8Array | undefined {
    const lines = this.#begun === undefined ? undefined : joined(this.#begun, chunk);
    const end = chunk.lastIndexOf(NEWLINE);
    const begun = end === -1 ? lines : chunk.subarray(end + 1);
    this.#begun = begun !== undefined && begun.length <= MAX_BEGUN_BYTES ? begun : undefined;
    return wanted && lines !== undefined ? filterOf(visibleBytes(lines)) : undefined;
  }
}

/**
 * The bits (numbered as PostgreSQL's `get_bit` does) that the filter of a chunk with `text` in one of its
 * lines has; none where the text is too short to tell.
 */
export function gramBitsOf(text: Uint8Array): number[] {
  const bits = new Set<number>();
  eachBit(text, (bit) => bits.add(bit));
  return [...bits];
}

function joined(begun: Uint8Array, chunk: Uint8Array): Uint8Array {
  const whole = new Uint8Array(begun.length + chunk.length);
  whole.set(begun);
  whole.set(chunk, begun.length);
  return whole;
}

function filterOf(text: Uint8Array): Uint8Array {
  const filter = new Uint8Array(FILTER_BITS / 8);
  eachBit(text, (bit) => {
    filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
  });
  return filter;
}

/** A local name: under a test runner's own global object each look at `Math` is a call, and this is one per byte. */
const { imul } = Math;

/** One byte after the other: each is looked at once, which is what makes it as fast as it is. */
function eachBit(text: Uint8Array, take: (bit: number) => void): void {
  let four = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = LOWER[text[at] ?? 0] ?? 0;
    // Multiplicative hashing (Knuth, TAOCP 6.4): the upper half is the well-mixed one.
    const hash = imul(four ^ imul(byte, 0x85eb_ca6b), 0x9e37_79b1) >>> 16;
    if (at >= GRAM_BYTES - 1) take(hash);
    four = (four >>> 8) | (byte << 24);
  }
}
