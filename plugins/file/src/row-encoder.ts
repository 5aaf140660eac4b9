import type { DirtyRecord, Row } from '@millrace/sdk';
import type { NoForm, RowFormatter } from './format-rows.js';
import type { TextEncoding } from './text-encoding.js';

export type RefusedRow = Omit<DirtyRecord, 'sliceNo'>;

/** The bytes of those rows that have a form in the file, and the others. */
export interface EncodedRows {
  readonly bytes: Buffer;
  readonly refused: readonly RefusedRow[];
  /** Once nobody has a part of `bytes`; absent where they are not written over. */
  readonly release?: () => void;
}

/** Rows as bytes of a file; what has no form in its format and encoding is refused, never replaced. */
export class RowEncoder {
  readonly #formatter: RowFormatter;
  readonly #encoding: TextEncoding;
  readonly #columns: readonly string[];

  constructor(formatter: RowFormatter, encoding: TextEncoding, columns: readonly string[]) {
    this.#formatter = formatter;
    this.#encoding = encoding;
    this.#columns = columns;
  }

  /** `undefined`: the names have no form in it. */
  get header(): Buffer | undefined {
    const { header } = this.#formatter;
    return header === undefined ? undefined : this.#encoding.encode(header);
  }

  /** Empty where the encoding has none. */
  get byteOrderMark(): Buffer {
    const { name } = this.#encoding;
    return (name.startsWith('utf-') && this.#encoding.encode('\uFEFF')) || Buffer.alloc(0);
  }

  encode(rows: readonly Row[]): EncodedRows {
    const texts = rows.map((row) => this.#formatter.format(row));
    const isWhole = texts.every((text) => typeof text === 'string');
    const whole = isWhole ? this.#encoding.encode(texts.join('')) : undefined;
    if (whole !== undefined) return { bytes: whole, refused: [] };
    const parts: Buffer[] = [];
    const refused: RefusedRow[] = [];
    for (const [i, cells] of rows.entries()) {
      const text = texts[i] ?? '';
      if (typeof text === 'object') {
        refused.push({ cells, ...text });
        continue;
      }
      const bytes = this.#encoding.encode(text);
      if (bytes === undefined) refused.push({ cells, ...this.#notOfEncoding(cells) });
      else parts.push(bytes);
    }
    return { bytes: Buffer.concat(parts), refused };
  }

  #notOfEncoding(cells: Row): NoForm {
    const at = cells.findIndex(
      (cell) => typeof cell === 'string' && this.#encoding.encode(cell) === undefined,
    );
    const column = this.#columns[at];
    const reason = `a character that has no form in ${this.#encoding.name}`;
    return { code: 'MR-D242', reason, ...(column === undefined ? {} : { column }) };
  }
}
