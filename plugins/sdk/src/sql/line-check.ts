import type { Cell, Row } from '../chunk.js';
import type { Column } from '../table.js';
import { CopyTextDecoder, encodeCopyCell } from './copy-text.js';
import type { FieldCheck } from './field-check.js';
import { SlabPool } from './slab-pool.js';
import type { CellCheck } from './value-check.js';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const BACKSLASH = 0x5c;
const LETTER_N = 0x4e;

/** A column of the mapping, as the lines of the text lane are looked at. */
export interface LineColumn {
  readonly source: Column;
  readonly target: Column;
  /** The server refuses aloud whatever it cannot hold unchanged: its fields need not be looked at. */
  readonly isTrusted: boolean;
  /** Looked at all the same, for a rule the server does not know. */
  readonly isWatched?: boolean;
  /** How a field is looked at without a value; absent on a column that is not trusted: see {@link LineCheck}. */
  readonly field: FieldCheck | undefined;
  /** The row rules: the cell as the target takes it, and why it cannot be held. */
  readonly convert: ((cell: Cell) => Cell) | undefined;
  readonly check: CellCheck;
}

export interface RefusedLine {
  readonly cells: Row;
  readonly column: string;
  readonly reason: string;
}

export interface CheckedLines {
  readonly data: Buffer;
  readonly count: number;
  readonly refused: readonly RefusedLine[];
  /** The cells as they came, of lines that were written differently, by their number in `data`. */
  readonly originals: ReadonlyMap<number, Row>;
  /** Numbers in `data` of lines that only the row rules let pass: the server may still refuse them. */
  readonly doubtful: readonly number[];
  /** Once nobody has a part of `data`; absent where it is what was given. Without a call it is garbage. */
  readonly release?: () => void;
}

/**
 * Holds the rules of the row lane over lines of the text lane. Fields are looked at as bytes; a line with
 * one that is not plainly good becomes a row for the row rules, which let it pass, write it differently or
 * refuse it. The lines keep their order.
 */
export class LineCheck {
  /** Some column is not trusted: every line has to be looked at. */
  readonly isNeeded: boolean;
  /** `false`: some column can only be judged by the row lane. */
  readonly isPossible: boolean;
  readonly #columns: readonly LineColumn[];
  readonly #decoder: CopyTextDecoder;
  /** By place of the column; `undefined`: not looked at. */
  readonly #needed: readonly (FieldCheck | undefined)[];
  readonly #known: readonly (FieldCheck | undefined)[];
  readonly #nullable: readonly boolean[];
  readonly #slabs = new SlabPool();

  constructor(columns: readonly LineColumn[]) {
    this.#columns = columns;
    this.#decoder = new CopyTextDecoder(columns.map((c) => c.source));
    this.#nullable = columns.map((c) => c.target.nullable);
    this.#needed = columns.map((c) => (c.isTrusted && c.isWatched !== true ? undefined : c.field));
    this.#known = columns.map(
      (c) => (isSureOf(c) ? undefined : c.field) ?? (c.target.nullable ? undefined : () => true),
    );
    this.isNeeded = columns.some((c) => !c.isTrusted || c.isWatched === true);
    this.isPossible = columns.every((c) => c.isTrusted || c.field !== undefined);
  }

  /** Looks at the columns that are not trusted; with `all` at every column there is a check for. */
  check(data: Uint8Array, count: number, which: 'needed' | 'all'): CheckedLines {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const fields = which === 'all' ? this.#known : this.#needed;
    const parts: Buffer[] = [];
    const refused: RefusedLine[] = [];
    const originals = new Map<number, Row>();
    const doubtful: number[] = [];
    let [kept, no] = [0, 0];
    for (let at = 0; at < bytes.length;) {
      const end = this.#goodEnd(bytes, at, fields);
      if (end > 0) {
        at = end;
        no += 1;
        continue;
      }
      const settled = this.#settle(bytes.subarray(at, -end));
      if (settled !== 'as it is') {
        parts.push(bytes.subarray(kept, at));
        if ('reason' in settled) refused.push(settled);
        else {
          parts.push(settled.line);
          originals.set(no, settled.cells);
        }
        kept = -end;
      }
      if (settled === 'as it is') doubtful.push(no);
      if (settled === 'as it is' || 'line' in settled) no += 1;
      at = -end;
    }
    if (kept === 0) return { data: bytes, count, refused, originals, doubtful };
    parts.push(bytes.subarray(kept));
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    // Chunks are of nearly the same size: of some larger ones each can be filled again.
    const slab = this.#slabs.take(2 ** Math.ceil(Math.log2(length + 1)));
    let at = 0;
    for (const part of parts) at += part.copy(slab, at);
    const release = (): void => this.#slabs.giveBack(slab);
    return { data: slab.subarray(0, at), count: no, refused, originals, doubtful, release };
  }

  /** Where the line ends; negative when one of its fields is not plainly good. */
  #goodEnd(bytes: Buffer, line: number, fields: readonly (FieldCheck | undefined)[]): number {
    let [no, from, at] = [0, line, line];
    let isGood = true;
    for (;;) {
      const byte = bytes[at++];
      if (byte !== TAB && byte !== LINE_FEED && byte !== undefined) continue;
      const field = fields[no];
      if (isGood && field !== undefined) {
        const to = at - 1;
        const isNull = to - from === 2 && bytes[from] === BACKSLASH && bytes[from + 1] === LETTER_N;
        isGood = isNull ? this.#nullable[no] === true : field(bytes, from, to);
      }
      if (byte !== TAB) return isGood ? at : -at;
      no += 1;
      from = at;
    }
  }

  #settle(line: Buffer): 'as it is' | { readonly line: Buffer; readonly cells: Row } | RefusedLine {
    const cells = this.#decoder.push(line)[0] ?? [];
    const changed = new Map<number, Cell>();
    for (const [i, column] of this.#columns.entries()) {
      const given = cells[i] ?? null;
      const cell = column.convert === undefined ? given : column.convert(given);
      const reason = column.check(cell);
      if (reason !== undefined) return { cells, column: column.target.name, reason };
      // The server converts the field of a trusted column by itself.
      if (cell !== given && !column.isTrusted) changed.set(i, cell);
    }
    if (changed.size === 0) return 'as it is';
    const fields = line.toString('latin1', 0, line.length - 1).split('\t');
    const written = fields.map((field, i) => {
      const cell = changed.get(i);
      return cell === undefined ? field : Buffer.from(encodeCopyCell(cell)).toString('latin1');
    });
    return { line: Buffer.from(`${written.join('\t')}\n`, 'latin1'), cells };
  }
}

/** The field of a value of the same type: NULL alone can be wrong with it. */
function isSureOf({ source, target, isTrusted, isWatched }: LineColumn): boolean {
  return isTrusted && isWatched !== true && source.nativeType === target.nativeType;
}
