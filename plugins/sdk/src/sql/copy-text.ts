import type { Cell, Row } from '../chunk.js';
import { PluginError } from '../error.js';
import type { Column } from '../table.js';

/** Letters that mean a character behind a backslash, in a field of a COPY line; any other stands for itself. */
export const COPY_ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const NAMES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/**
 * Turns lines of the lane `pg-copy-text` into rows of the columns they were made of; keeps the beginning
 * of a row that is cut. Throws MR-D250 for text that is not UTF-8.
 */
export class CopyTextDecoder {
  readonly #convert: readonly ((text: string) => Cell)[];
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #rest: Buffer[] = [];

  constructor(columns: readonly Column[]) {
    this.#convert = columns.map((c) => converterOf(c));
  }

  push(bytes: Buffer): readonly Row[] {
    const end = bytes.lastIndexOf(10);
    if (end < 0) {
      this.#rest.push(bytes);
      return [];
    }
    const head = bytes.subarray(0, end);
    const whole = this.#rest.length === 0 ? head : Buffer.concat([...this.#rest, head]);
    this.#rest = end + 1 < bytes.length ? [bytes.subarray(end + 1)] : [];
    return this.#text(whole)
      .split('\n')
      .map((line) => this.#row(line));
  }

  #row(line: string): Row {
    // A table without columns gives empty lines.
    if (this.#convert.length === 0) return [];
    return line.split('\t').map((field, i) => {
      if (field === '\\N') return null;
      return (this.#convert[i] ?? unescape)(field);
    });
  }

  #text(bytes: Buffer): string {
    try {
      return this.#utf8.decode(bytes);
    } catch (cause) {
      throw new PluginError('MR-D250', 'the source sent text that is not UTF-8', { cause });
    }
  }
}

/** Rows as `COPY … FROM STDIN` (text) reads them. */
export function encodeCopyText(rows: readonly Row[]): Buffer {
  let text = '';
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      if (i > 0) text += '\t';
      text += encodeCopyCell(row[i] ?? null);
    }
    text += '\n';
  }
  return Buffer.from(text, 'utf8');
}

/** The field of a cell; a boolean as the cell has it. */
export function encodeCopyCell(cell: Cell): string {
  if (cell === null) return '\\N';
  if (typeof cell !== 'string') {
    return `\\\\x${Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString('hex')}`;
  }
  return /[\\\b\f\n\r\t\v]/.test(cell)
    ? cell.replace(/[\\\b\f\n\r\t\v]/g, (c) => NAMES[c] ?? c)
    : cell;
}

function converterOf(column: Column): (text: string) => Cell {
  const { kind } = column.type;
  if (kind === 'boolean' && column.unchecked !== true) {
    return (text) => (text === 't' ? 'true' : 'false');
  }
  // The field is `\\x…`: an escaped backslash before the hex digits.
  if (kind === 'bytes') return (text) => Buffer.from(text.slice(3), 'hex');
  return unescape;
}

function unescape(field: string): string {
  return field.includes('\\')
    ? field.replace(/\\(.)/gs, (_, c: string) => COPY_ESCAPES[c] ?? c)
    : field;
}
