import type { Column, DirtyRecord, Row } from '@millrace/sdk';
import { endsEarly } from './csv-layout.js';
import type { FileWriterConfig } from './file-config.js';

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** What ends a line of the file. */
export function lineEndOf({ lineEnding }: Pick<FileWriterConfig, 'lineEnding'>): string {
  return lineEnding === 'crlf' ? '\r\n' : '\n';
}

function textOf(cell: string | Uint8Array): string {
  return typeof cell === 'string' ? cell : `\\x${Buffer.from(cell).toString('hex')}`;
}

/** Where a cell of this text needs quotes. */
type NeedsQuotes = (text: string, isLast: boolean) => boolean;

function quoteRule({ quote, delimiter }: FileWriterConfig): NeedsQuotes {
  const literal = (char: string): string => char.replace(/[\\\]^-]/, '\\$&');
  // White space at the ends is taken for none by some who read such a file.
  const ends = quote === '' ? '' : '|^\\s|\\s$';
  const isOfOne = delimiter.length === 1;
  const marks = `${literal(quote)}\\r\\n${isOfOne ? literal(delimiter) : ''}`;
  const special = new RegExp(`[${marks}]|^\\uFEFF${ends}`);
  if (isOfOne) return (text) => special.test(text);
  return (text, isLast) =>
    special.test(text) || (isLast ? text.includes(delimiter) : endsEarly(text, delimiter));
}

/** `undefined` for a cell that only quotes could carry, where there are none. */
function csvCell(
  text: string,
  { quote, nullToken, quoteAll, escape, delimiter }: FileWriterConfig,
  isSpecial: boolean,
): string | undefined {
  const own = escape === '' ? text : text.replaceAll(escape, escape + escape);
  // Quoted where it would be read as something else: also text that looks like the NULL token.
  const needsQuotes = own === nullToken || isSpecial;
  if (quote !== '') {
    if (!quoteAll && !needsQuotes) return own;
    const mark = escape === '' ? quote + quote : escape + quote;
    return `${quote}${own.replaceAll(quote, mark)}${quote}`;
  }
  if (!needsQuotes) return own;
  if (escape === '' || own === nullToken || text.startsWith('\uFEFF')) return undefined;
  const first = delimiter.charAt(0);
  return own
    .replaceAll(first, escape + first)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\r', String.raw`\r`);
}

function csvLine(
  cells: Row,
  config: FileWriterConfig,
  needsQuotes: NeedsQuotes,
): string | undefined {
  const line: string[] = [];
  for (const [i, cell] of cells.entries()) {
    if (cell === null) {
      line.push(config.nullToken);
      continue;
    }
    const own = textOf(cell);
    const text = csvCell(own, config, needsQuotes(own, i === cells.length - 1));
    if (text === undefined) return undefined;
    line.push(text);
  }
  return line.join(config.delimiter) + lineEndOf(config);
}

/** Writes a cell as JSON; `undefined`: it has no form that is read as the same cell. */
type JsonForm = (text: string) => string | undefined;

function jsonForm({ type }: Column): JsonForm {
  switch (type.kind) {
    case 'integer':
    case 'decimal':
    case 'float':
      return (text) => (JSON_NUMBER.test(text) ? text : JSON.stringify(text));
    case 'boolean':
      return (text) => (text === 'true' || text === 'false' ? text : JSON.stringify(text));
    case 'json':
      return (text) => {
        // A transform may have made it, or nobody looked at it: what is none would break the line.
        if (text.trim() === 'null' || !isJson(text)) return undefined;
        // A line break in valid JSON can only be white space.
        return text.replaceAll(/[\r\n]+/g, ' ');
      };
    case 'text':
    case 'bytes':
    case 'bits':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'interval':
    case 'uuid':
    case 'other':
      return (text) => JSON.stringify(text);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Why a row is refused where there are no quotes. */
export const WITHOUT_QUOTES: NoForm = {
  code: 'MR-D242',
  reason: 'a cell that needs quotes, and the file has none',
};

function notOfLine(column: string, text: string): NoForm {
  const reason =
    text.trim() === 'null' ? 'a null of JSON, which a line has for NULL alone' : 'not valid JSON';
  return { code: 'MR-D242', reason, column };
}

/** Why a row has no form in the file. */
export type NoForm = Pick<DirtyRecord, 'code' | 'reason' | 'column'>;

export interface RowFormatter {
  /** `undefined`: its names have no form in the file. */
  readonly header: string | undefined;
  format(row: Row): string | NoForm;
}

/** Makes the text of a row; `names` are the target's columns, `sources` the types of their values. */
export function rowFormatter(
  config: FileWriterConfig,
  names: readonly string[],
  sources: readonly Column[],
): RowFormatter {
  if (config.format === 'jsonl') return { header: '', format: jsonLine(config, names, sources) };
  const needsQuotes = quoteRule(config);
  return {
    header: config.header ? csvLine(names, config, needsQuotes) : '',
    format: (row) => csvLine(row, config, needsQuotes) ?? WITHOUT_QUOTES,
  };
}

function jsonLine(
  config: FileWriterConfig,
  names: readonly string[],
  sources: readonly Column[],
): RowFormatter['format'] {
  const end = lineEndOf(config);
  const fields = names.map((name, i) => {
    const source = sources[i];
    const form: JsonForm = source === undefined ? JSON.stringify : jsonForm(source);
    return { name, key: JSON.stringify(name), form };
  });
  return (row) => {
    const line: string[] = [];
    for (const [i, { name, key, form }] of fields.entries()) {
      const cell = row[i] ?? null;
      const text = cell === null ? null : textOf(cell);
      const value = text === null ? 'null' : form(text);
      if (value === undefined) return notOfLine(name, text ?? '');
      line.push(`${key}:${value}`);
    }
    return `{${line.join(',')}}${end}`;
  };
}
