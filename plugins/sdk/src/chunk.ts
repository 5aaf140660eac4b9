import type { ErrorCode } from './error.js';
import type { LargeRow } from './sql/large-row.js';
import type { SlabPool } from './sql/slab-pool.js';

/**
 * One cell on the row lane. `null` is SQL NULL. A string is the canonical text of the column's logical
 * type: integers and decimals as digits, floats shortest-exact (`NaN`, `Infinity`, `-Infinity`), boolean
 * `true`/`false`, date `YYYY-MM-DD`, time `[-]HH:MM:SS[.f]`, timestamp `YYYY-MM-DD HH:MM:SS[.f]` (zoned
 * ones are UTC and end in `+00`), bits as `0`/`1`, json and other as the server printed them. Bytes
 * columns are Uint8Array. Never a JavaScript number or Date: both change values.
 */
export type Cell = string | Uint8Array | null;
export type Row = readonly Cell[];

/**
 * How the rows of a chunk are encoded. `rows` is the lane every reader and writer has; the others are
 * wire bytes cut at row boundaries, chosen when both ends name the same one.
 * - `pg-copy-text`: lines as PostgreSQL's COPY writes them, each ended by a line feed. A field is the
 *   cell's canonical text, but `t`/`f` for a boolean and `\\x` with hex digits for bytes.
 * - `pg-copy-binary`: rows one behind the other as COPY BINARY writes them, without its header and trailer. Only
 *   between equal types.
 */
export type Lane = 'rows' | 'pg-copy-text' | 'pg-copy-binary' | 'csv';

export type Chunk =
  | {
      readonly lane: 'rows';
      readonly rows: readonly Row[];
      readonly rowCount: number;
      readonly byteCount: number;
    }
  | {
      readonly lane: Exclude<Lane, 'rows'>;
      readonly data: Uint8Array;
      readonly rowCount: number;
      readonly byteCount: number;
      /**
       * Of a chunk whose rows are all stored and of whose `data` nobody has a part: its reader may fill it again.
       * Without a call it is garbage.
       */
      readonly release?: () => void;
    };

/** A piece of the source that is no row: a line of a file with too many cells, or not of its encoding. */
export interface BrokenRecord {
  /** As they stand in the source. */
  readonly bytes: Uint8Array;
  /** `orders.csv, line 7`. */
  readonly place: string;
  readonly code: ErrorCode;
  readonly reason: string;
}

/** Where a reader puts chunks. `write` resolves when there is credit for the next one: await it. */
export interface Sink {
  readonly lane: Lane;
  /** Aim for chunks of about this size. It follows the limits: look at it again for each chunk. */
  readonly chunkBytes: number;
  /** Where the `data` of chunks may come from. Absent: each chunk has its own. */
  readonly slabs?: SlabPool;
  /**
   * On a wire lane: the columns a row has, as indexes into the source's schema, in the order of the
   * mapping. On the row lane every column comes, and the engine puts the cells in their places.
   */
  readonly columns: readonly number[];
  write(chunk: Chunk): Promise<void>;
  /** Absent: rows of any size. */
  readonly large?: LargeRows;
  /**
   * Keeps what is no row as a dirty record; the reader counts it as read. Await it. Absent: there is no place
   * for it, and the reader fails.
   */
  broken?(record: BrokenRecord): Promise<void>;
}

/**
 * A row of more bytes on the wire is not read into memory: the reader leaves it out, says so here at once,
 * and counts it as read.
 */
export interface LargeRows {
  readonly maxBytes: number;
  /** Resolves when it is kept: until then no more rows are to be read, since each has a megabyte. */
  refuse(row: LargeRow): Promise<void>;
}
