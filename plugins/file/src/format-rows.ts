import type { Cell, Column, Row } from '@millrace/sdk';
import type { FileWriterConfig } from './file-config.js';

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

function textOf(cell: string | Uint8Array): string {
  return typeof cell === 'string' ? cell : `\\x${Buffer.from(cell).toString('hex')}`;
}

function csvCell(text: string, { quote, nullToken, quoteAll }: FileWriterConfig, special: RegExp) {
  // Quoted where it would be read as something else: also text that looks like the NULL token.
  if (!quoteAll && text !== nullToken && !special.test(text)) return text;
  return `${quote}${text.replaceAll(quote, quote + quote)}${quote}`;
}

/** `undefined` for a cell that only quotes could carry, where there are none. */
function csvLine(cells: Row, config: FileWriterConfig, special: RegExp): string | undefined {
  const line: string[] = [];
  for (const cell of cells) {
    const text = cell === null ? config.nullToken : textOf(cell);
    if (cell === null) line.push(text);
    else if (config.quote !== '') line.push(csvCell(text, config, special));
    else if (text === config.nullToken || special.test(text)) return undefined;
    else line.push(text);
  }
  return `${line.join(config.delimiter)}\n`;
}

function jsonValue(cell: Cell, column: Column | undefined): string {
  if (cell === null) return 'null';
  const text = textOf(cell);
  const kind = column?.type.kind;
  const isNumeric = kind === 'integer' || kind === 'decimal' || kind === 'float';
  if (isNumeric && JSON_NUMBER.test(text)) return text;
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text;
  // A line break in valid JSON can only be white space.
  if (kind === 'json') return text.replaceAll(/[\r\n]+/g, ' ');
  return JSON.stringify(text);
}

export interface RowFormatter {
  /** `undefined`: its names have no form in the file. */
  readonly header: string | undefined;
  /** `undefined`: it has no form in the file. */
  format(row: Row): string | undefined;
}

/** Makes the text of a row; `names` are the target's columns, `sources` the types of their values. */
export function rowFormatter(
  config: FileWriterConfig,
  names: readonly string[],
  sources: readonly Column[],
): RowFormatter {
  if (config.format === 'jsonl') {
    const keys = names.map((name) => JSON.stringify(name));
    const object = (row: Row): string =>
      `{${row.map((cell, i) => `${keys[i]}:${jsonValue(cell, sources[i])}`).join(',')}}\n`;
    return { header: '', format: object };
  }
  const literal = (char: string): string => char.replace(/[\\\]^-]/, '\\$&');
  // White space at the ends is taken for none by some who read such a file.
  const marks = `${literal(config.quote)}\\r\\n${literal(config.delimiter)}`;
  const ends = config.quote === '' ? '' : '|^\\s|\\s$';
  const special = new RegExp(`[${marks}]|^\\uFEFF${ends}`);
  return {
    header: config.header ? csvLine(names, config, special) : '',
    format: (row) => csvLine(row, config, special),
  };
}
