import type { BrokenRecord, Row, Sink } from '@millrace/sdk';
import { PluginError } from '@millrace/sdk';
import type { BrokenLines } from './broken-lines.js';
import type { FileReaderConfig } from './file-config.js';
import { CsvLines } from './csv-lines.js';
import type { CsvColumn } from './csv-layout.js';
import { CsvSplitter } from './csv-splitter.js';
import type { CsvRow } from './csv-splitter.js';
import { jsonObjectCells } from './json-object.js';
import { OriginalLines, readError, textBlocks } from './text-blocks.js';
import { textEncoding } from './text-encoding.js';

/** What is read in one go: `file` is a real path, `path` its name for messages. */
export interface FileInput {
  readonly file: string;
  readonly path: string;
  readonly config: FileReaderConfig;
  readonly signal: AbortSignal;
}

/** Rows, and what of the file became none. */
export interface FileBatch<R = Row> {
  readonly rows: readonly R[];
  readonly broken: readonly BrokenRecord[];
}

/** JSON lines: so many are looked at for the names of the columns. */
const NAMED_BY_LINES = 1000;

/** Broken lines with their bytes, each a copy: what they are cut from is gone soon. */
function brokenRecords(
  found: readonly BrokenLines[],
  originals: OriginalLines,
  path: string,
): readonly BrokenRecord[] {
  return found.map(({ line, lines, code, reason }) => ({
    bytes: Uint8Array.from(originals.of(line, lines)),
    place: lines === 1 ? `${path}, line ${line}` : `${path}, lines ${line} to ${line + lines - 1}`,
    code,
    reason,
  }));
}

/** A broken record where there is nothing to keep it. */
export function refusal({ place, reason }: BrokenRecord): PluginError {
  return new PluginError('MR-D207', `${place}: ${reason}`);
}

/** CSV records as they stand in the file, the header included. */
async function* csvRecords(
  input: FileInput,
  splitter: CsvSplitter,
): AsyncGenerator<FileBatch<CsvRow>> {
  const { config, path, signal } = input;
  const encoding = textEncoding(config.encoding);
  const originals = new OriginalLines(encoding.lineFeed);
  const batch = (rows: readonly CsvRow[]): FileBatch<CsvRow> => {
    const broken = brokenRecords(splitter.takeBroken(), originals, path);
    originals.forget(splitter.line);
    return { rows, broken };
  };
  try {
    for await (const block of textBlocks(input.file, encoding, signal)) {
      originals.add(block);
      yield batch(splitter.push(block.text.toString('utf8'), block.bad));
    }
    yield batch(splitter.end());
  } catch (error) {
    throw readError(error, path, signal);
  }
}

interface JsonLine {
  readonly no: number;
  readonly cells: ReadonlyMap<string, string | null>;
}

/** `known`: other fields make a line broken; absent: there may be any. */
async function* jsonLines(
  input: FileInput,
  known?: ReadonlySet<string>,
): AsyncGenerator<FileBatch<JsonLine>> {
  const { config, path, signal } = input;
  const encoding = textEncoding(config.encoding);
  const asJson = new Set(
    config.columns?.filter(({ type }) => type === 'json').map(({ name }) => name),
  );
  try {
    for await (const block of textBlocks(input.file, encoding, signal)) {
      const originals = new OriginalLines(encoding.lineFeed);
      originals.add(block);
      const rows: JsonLine[] = [];
      const found: BrokenLines[] = [];
      const bad = new Map(block.bad.map((each) => [each.line, each]));
      for (const [i, written] of block.text.toString('utf8').split('\n').entries()) {
        const no = block.firstLine + i;
        const text = no === 1 ? written.replace(/^\uFEFF/, '') : written;
        const badLine = bad.get(no);
        if (badLine === undefined && text.trim() === '') continue;
        const cells = badLine ?? jsonCells(text, asJson, known);
        if ('reason' in cells) {
          found.push({ code: 'MR-D240', ...cells, line: no, lines: 1 });
        } else {
          rows.push({ no, cells });
        }
      }
      yield { rows, broken: brokenRecords(found, originals, path) };
    }
  } catch (error) {
    throw readError(error, path, signal);
  }
}

/** The cells of a line, or why it has none. */
function jsonCells(
  text: string,
  asJson: ReadonlySet<string>,
  known: ReadonlySet<string> | undefined,
): JsonLine['cells'] | { readonly reason: string } {
  try {
    const cells = jsonObjectCells(text, asJson);
    const extra = known && [...cells.keys()].find((name) => !known.has(name));
    return extra === undefined
      ? cells
      : { reason: `unknown field ${extra}; declare the columns to have it` };
  } catch (error) {
    if (error instanceof PluginError) return { reason: error.detail };
    throw error;
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
  if (config.format === 'jsonl') return declared ?? (await jsonNames(input));
  if (!config.header && declared !== undefined) return declared;
  const splitter = new CsvSplitter(config);
  for await (const { rows, broken } of csvRecords(input, splitter)) {
    const [first] = rows;
    const [earliest] = broken;
    // Without a known number of cells only what cannot be cut at all is broken before the first record.
    if (earliest !== undefined && splitter.isFirstBroken) throw refusal(earliest);
    if (first === undefined) continue;
    return config.header ? checkedNames(first, path) : first.map((_, i) => `column_${i + 1}`);
  }
  throw new PluginError('MR-D207', `${path}: the file is empty, not even a header is there`);
}

async function jsonNames(input: FileInput): Promise<readonly string[]> {
  const names = new Set<string>();
  for await (const { rows, broken } of jsonLines(input)) {
    for (const { no, cells } of rows) {
      if (no > NAMED_BY_LINES) return [...names];
      for (const name of cells.keys()) names.add(name);
    }
    // A file of another format has no line that is an object.
    const [first] = broken;
    if (names.size === 0 && first !== undefined) throw refusal(first);
  }
  return [...names];
}

/** The rows, many at a time, with their cells in the order of `names`; the header is none of them. */
export function fileRows(input: FileInput, names: readonly string[]): AsyncGenerator<FileBatch> {
  return input.config.format === 'jsonl' ? jsonRows(input, names) : csvRows(input, names);
}

async function* jsonRows(input: FileInput, names: readonly string[]): AsyncGenerator<FileBatch> {
  for await (const { rows, broken } of jsonLines(input, new Set(names))) {
    yield { rows: rows.map(({ cells }) => names.map((name) => cells.get(name) ?? null)), broken };
  }
}

async function* csvRows(input: FileInput, names: readonly string[]): AsyncGenerator<FileBatch> {
  const { config, path } = input;
  let order: readonly number[] | undefined;
  let isBegun = !config.header;
  const splitter = new CsvSplitter(config, config.header ? undefined : names.length);
  for await (const { rows: records, broken } of csvRecords(input, splitter)) {
    const [first] = records;
    const [earliest] = broken;
    if (!isBegun && earliest !== undefined && splitter.isFirstBroken) throw refusal(earliest);
    let rows: readonly CsvRow[] = records;
    if (!isBegun && first !== undefined) {
      isBegun = true;
      order = orderOf(checkedNames(first, path), names, path);
      rows = records.slice(1);
    }
    const places = order;
    yield {
      rows:
        places === undefined ? rows : rows.map((record) => places.map((at) => record[at] ?? null)),
      broken,
    };
  }
}

/** What of a CSV file is wanted as lines of COPY text. */
export interface LinesWanted {
  /** As `columnNames` gave them. */
  readonly names: readonly string[];
  /** By place in `names`. */
  readonly columns: readonly CsvColumn[];
  /** Places in `names`, in the order of a line's fields. */
  readonly order: readonly number[];
  readonly aim: Pick<Sink, 'chunkBytes'>;
}

/** Lines of COPY text, and what of the file became none. */
export interface LinesBatch {
  readonly lines: { readonly data: Buffer; readonly rows: number } | undefined;
  readonly broken: readonly BrokenRecord[];
}

/** The rows of a CSV file as lines of COPY text; the header is none of them. */
export async function* csvLines(
  input: FileInput,
  { names, columns, order, aim }: LinesWanted,
): AsyncGenerator<LinesBatch> {
  const { config, path, signal } = input;
  let header: readonly (string | null)[] | undefined;
  const placesOf = (): readonly number[] => {
    const own = names.map((_, i) => i);
    return header === undefined ? own : (orderOf(checkedNames(header, path), names, path) ?? own);
  };
  const format = { ...config, hasHeader: config.header };
  const cutter = new CsvLines(format, aim.chunkBytes, (found) => {
    header = found;
    const places = placesOf();
    const none: CsvColumn = { isEmptyNull: false };
    return {
      columns: (found ?? names).map((_, place) => columns[places.indexOf(place)] ?? none),
      order: order.map((at) => places[at] ?? at),
    };
  });
  const encoding = textEncoding(config.encoding);
  const originals = new OriginalLines(encoding.lineFeed);
  try {
    for await (const block of textBlocks(input.file, encoding, signal)) {
      originals.add(block);
      // A slow limit wants small chunks.
      let piece = block.text.subarray(0, 0);
      for (let at = 0; at < block.text.length; at += piece.length) {
        piece = block.text.subarray(at, at + aim.chunkBytes);
        cutter.push(piece, at === 0 ? block.bad : []);
        const lines = cutter.bytes >= aim.chunkBytes ? cutter.take() : undefined;
        const broken = brokenRecords(cutter.takeBroken(), originals, path);
        if (lines !== undefined || broken.length > 0) yield { lines, broken };
      }
      originals.forget(cutter.line);
    }
    cutter.end();
  } catch (error) {
    // A header that does not fit is named with the path already.
    if (header !== undefined) placesOf();
    throw readError(error, path, signal);
  }
  yield {
    lines: cutter.take(),
    broken: brokenRecords(cutter.takeBroken(), originals, path),
  };
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
