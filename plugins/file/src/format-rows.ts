import type { Cell, Column, Row } from '@millrace/sdk';
import type { FileWriterConfig } from './file-config.js';

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** What ends a line of the file. */
export function lineEndOf({ lineEnding }: Pick<FileWriterConfig, 'lineEnding'>): string {
  return lineEnding === 'crlf' ? '\r\n' : '\n';
}

function textOf(cell: string | Uint8Array): string {
  return typeof cell === 'string' ? cell : `\\x${Buffer.from(cell).toString('hex')}`;
}

/** `undefined` for a cell that only quotes could carry, where there are none. */
function csvCell(
  text: string,
  { quote, nullToken, quoteAll, escape, delimiter }: FileWriterConfig,
  special: RegExp,
): string | undefined {
  const own = escape === '' ? text : text.replaceAll(escape, escape + escape);
  // Quoted where it would be read as something else: also text that looks like the NULL token.
  const needsQuotes = own === nullToken || special.test(text);
  if (quote !== '') {
    if (!quoteAll && !needsQuotes) return own;
    const mark = escape === '' ? quote + quote : escape + quote;
    return `${quote}${own.replaceAll(quote, mark)}${quote}`;
  }
  if (!needsQuotes) return own;
  if (escape === '' || own === nullToken || text.startsWith('\uFEFF')) return undefined;
  return own
    .replaceAll(delimiter, escape + delimiter)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\r', String.raw`\r`);
}

function csvLine(cells: Row, config: FileWriterConfig, special: RegExp): string | undefined {
  const line: string[] = [];
  for (const cell of cells) {
    const text = cell === null ? config.nullToken : csvCell(textOf(cell), config, special);
    if (text === undefined) return undefined;
    line.push(text);
  }
  return line.join(config.delimiter) + lineEndOf(config);
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
    const end = lineEndOf(config);
    const object = (row: Row): string =>
      `{${row.map((cell, i) => `${keys[i]}:${jsonValue(cell, sources[i])}`).join(',')}}${end}`;
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
