import type { Cell, Column, Row } from '@millrace/sdk';
import type { FileWriterConfig } from './file-config.js';

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

function textOf(cell: string | Uint8Array): string {
  return typeof cell === 'string' ? cell : `\\x${Buffer.from(cell).toString('hex')}`;
}

function csvLine(cells: Row, config: FileWriterConfig, special: RegExp): string {
  const line = cells.map((cell) => {
    if (cell === null) return config.nullToken;
    const text = textOf(cell);
    // Quoted where it would be read as something else: also text that looks like the NULL token.
    return text === config.nullToken || special.test(text)
      ? `"${text.replaceAll('"', '""')}"`
      : text;
  });
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

/** Makes the text of rows; `names` are the target's columns, `sources` the types of their values. */
export function rowFormatter(
  config: FileWriterConfig,
  names: readonly string[],
  sources: readonly Column[],
): { readonly header: string; format(rows: readonly Row[]): string } {
  if (config.format === 'jsonl') {
    const keys = names.map((name) => JSON.stringify(name));
    const object = (row: Row): string =>
      `{${row.map((cell, i) => `${keys[i]}:${jsonValue(cell, sources[i])}`).join(',')}}\n`;
    return { header: '', format: (rows) => rows.map(object).join('') };
  }
  const delimiter = config.delimiter.replace(/[\\\]^-]/, '\\$&');
  const special = new RegExp(`["\\r\\n${delimiter}]|^\\s|\\s$|^\\uFEFF`);
  return {
    header: config.header ? csvLine(names, config, special) : '',
    format: (rows) => rows.map((row) => csvLine(row, config, special)).join(''),
  };
}
