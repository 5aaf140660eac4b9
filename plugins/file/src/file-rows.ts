import type { Row } from '@millrace/sdk';
import { PluginError } from '@millrace/sdk';
import type { FileReaderConfig } from './file-config.js';
import { CsvLines } from './csv-lines.js';
import type { CsvColumn } from './csv-lines.js';
import { CsvSplitter } from './csv-splitter.js';
import type { CsvRow } from './csv-splitter.js';
import { jsonObjectCells } from './json-object.js';
import { readError, readTextBytes } from './read-bytes.js';

/** What is read in one go: `file` is a real path, `path` its name for messages. */
export interface FileInput {
  readonly file: string;
  readonly path: string;
  readonly config: FileReaderConfig;
  readonly signal: AbortSignal;
}

const MAX_ROW_BYTES = 16 * 1024 * 1024;
/** JSON lines: so many are looked at for the names of the columns. */
const NAMED_BY_LINES = 1000;
const BATCH_ROWS = 100;

/** CSV records as they stand in the file, the header included, some thousand at a time. */
async function* csvRecords(input: FileInput): AsyncGenerator<CsvRow[]> {
  const splitter = new CsvSplitter(input.config.delimiter, input.config.nullToken);
  try {
    for await (const bytes of readTextBytes(input.file, input.signal)) {
      yield splitter.push((bytes as Buffer).toString('utf8'));
    }
    yield splitter.end();
  } catch (error) {
    throw readError(error, input.path, input.signal);
  }
}

interface Line {
  readonly no: number;
  readonly cells: ReadonlyMap<string, string | null>;
}

async function* textLines(input: FileInput): AsyncGenerator<string> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of readTextBytes(input.file, input.signal)) {
    const bytes = chunk as Buffer;
    let from = 0;
    for (let to = bytes.indexOf(0x0a); to !== -1; to = bytes.indexOf(0x0a, from)) {
      const part = bytes.subarray(from, to);
      yield (held.length > 0 ? Buffer.concat([...held, part]) : part).toString('utf8');
      held = [];
      heldBytes = 0;
      from = to + 1;
    }
    held.push(bytes.subarray(from));
    heldBytes += bytes.length - from;
    if (heldBytes > MAX_ROW_BYTES) throw new PluginError('MR-D207', 'a line is longer than 16 MB');
  }
  const last = Buffer.concat(held).toString('utf8');
  if (last !== '') yield last;
}

async function* jsonLines(input: FileInput): AsyncGenerator<Line> {
  let no = 0;
  try {
    for await (const text of textLines(input)) {
      no += 1;
      const line = no === 1 ? text.replace(/^\uFEFF/, '') : text;
      if (line.trim() !== '') yield { no, cells: jsonObjectCells(line) };
    }
  } catch (error) {
    const isPlaced = !(error instanceof PluginError) || error.detail.startsWith('line ');
    const placed = isPlaced ? error : new PluginError(error.code, `line ${no}: ${error.detail}`);
    throw readError(placed, input.path, input.signal);
  }
}

function checkedNames(names: readonly (string | null)[], path: string): readonly string[] {
  const seen = new Set<string>();
  return names.map((name, i) => {
    if (name === null || name === '') {
      throw new PluginError('MR-D207', `${path}, line 1: column ${i + 1} has no name`);
    }
    if (seen.has(name)) {
      throw new PluginError('MR-D207', `${path}, line 1: the column ${name} is there twice`);
    }
    seen.add(name);
    return name;
  });
}

/** The names of the columns as the file has them; declared names win where the file has none. */
export async function columnNames(input: FileInput): Promise<readonly string[]> {
  const { config, path } = input;
  const declared = config.columns?.map((column) => column.name);
  if (config.format === 'jsonl') {
    if (declared) return declared;
    const names = new Set<string>();
    for await (const { no, cells } of jsonLines(input)) {
      for (const name of cells.keys()) names.add(name);
      if (no >= NAMED_BY_LINES) break;
    }
    return [...names];
  }
  for await (const [first] of csvRecords(input)) {
    if (first === undefined) continue;
    if (config.header) return checkedNames(first, path);
    return declared ?? first.map((_, i) => `column_${i + 1}`);
  }
  if (declared) return declared;
  throw new PluginError('MR-D207', `${path}: the file is empty, not even a header is there`);
}

/** The rows, many at a time, with their cells in the order of `names`; the header is none of them. */
export function fileRows(
  input: FileInput,
  names: readonly string[],
): AsyncGenerator<readonly Row[]> {
  return input.config.format === 'jsonl' ? jsonRows(input, names) : csvRows(input, names);
}

async function* jsonRows(
  input: FileInput,
  names: readonly string[],
): AsyncGenerator<readonly Row[]> {
  const known = new Set(names);
  let rows: Row[] = [];
  for await (const { no, cells } of jsonLines(input)) {
    const extra = [...cells.keys()].find((name) => !known.has(name));
    if (extra !== undefined) {
      const help = 'declare the columns to have it';
      throw new PluginError(
        'MR-D207',
        `${input.path}, line ${no}: unknown field ${extra}; ${help}`,
      );
    }
    rows.push(names.map((name) => cells.get(name) ?? null));
    if (rows.length >= BATCH_ROWS) {
      yield rows;
      rows = [];
    }
  }
  yield rows;
}

async function* csvRows(
  input: FileInput,
  names: readonly string[],
): AsyncGenerator<readonly Row[]> {
  let order: readonly number[] | undefined;
  let isFirst = true;
  for await (const records of csvRecords(input)) {
    const [first] = records;
    if (isFirst && first !== undefined) {
      isFirst = false;
      order = orderOfFirst(first, names, input);
      if (input.config.header) records.shift();
    }
    const places = order;
    yield places === undefined
      ? records
      : records.map((record) => places.map((at) => record[at] ?? null));
  }
}

/**
 * Where the first record of a file has each of `names`; `undefined`: in their order. Throws MR-D108 or
 * MR-D207 for a file that is not the one `names` were read from.
 */
function orderOfFirst(
  first: readonly (string | null)[],
  names: readonly string[],
  { config, path }: FileInput,
): readonly number[] | undefined {
  if (config.header) return orderOf(checkedNames(first, path), names, path);
  if (first.length === names.length) return undefined;
  const counts = `${first.length} cells and ${names.length} columns`;
  throw new PluginError('MR-D207', `${path}, line 1: ${counts}`);
}

function placesOf(
  first: readonly (string | null)[],
  names: readonly string[],
  input: FileInput,
): readonly number[] {
  return orderOfFirst(first, names, input) ?? names.map((_, i) => i);
}

/** What of a CSV file is wanted as lines of COPY text. */
export interface LinesWanted {
  /** As `columnNames` gave them. */
  readonly names: readonly string[];
  /** By place in `names`. */
  readonly columns: readonly CsvColumn[];
  /** Places in `names`, in the order of a line's fields. */
  readonly order: readonly number[];
  readonly chunkBytes: number;
}

/** The rows of a CSV file as lines of COPY text; the header is none of them. */
export async function* csvLines(
  input: FileInput,
  { names, columns, order, chunkBytes }: LinesWanted,
): AsyncGenerator<{ readonly data: Buffer; readonly rows: number }> {
  const { delimiter, nullToken, header } = input.config;
  let first: readonly (string | null)[] | undefined;
  const lines = new CsvLines({ delimiter, nullToken, hasHeader: header }, chunkBytes, (cells) => {
    first = cells;
    const places = placesOf(cells, names, input);
    const none: CsvColumn = { isEmptyNull: false };
    return {
      columns: cells.map((_, place) => columns[places.indexOf(place)] ?? none),
      order: order.map((at) => places[at] ?? at),
    };
  });
  try {
    for await (const bytes of readTextBytes(input.file, input.signal)) {
      const piece = bytes as Buffer;
      // A slow limit wants small chunks.
      for (let at = 0; at < piece.length; at += chunkBytes) {
        lines.push(piece.subarray(at, at + chunkBytes));
        const full = lines.bytes >= chunkBytes ? lines.take() : undefined;
        if (full !== undefined) yield full;
      }
    }
    lines.end();
  } catch (error) {
    // A first record that does not fit is named with the path already.
    if (first !== undefined) placesOf(first, names, input);
    throw readError(error, input.path, input.signal);
  }
  const last = lines.take();
  if (last !== undefined) yield last;
}

function orderOf(
  inFile: readonly string[],
  names: readonly string[],
  path: string,
): readonly number[] | undefined {
  const missing = names.filter((name) => !inFile.includes(name));
  if (missing.length > 0) {
    const has = `it has ${inFile.join(', ')}`;
    throw new PluginError('MR-D108', `${path} has no column ${missing.join(', ')}; ${has}`);
  }
  const isSame = names.length === inFile.length && names.every((name, i) => name === inFile[i]);
  return isSame ? undefined : names.map((name) => inFile.indexOf(name));
}
