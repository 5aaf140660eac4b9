import type {
  BrokenRecord,
  Column,
  Finding,
  JobContext,
  ReaderJob,
  ReaderTask,
  ReadStats,
  Row,
  Sink,
  Slice,
  TableSchema,
} from '@millrace/sdk';
import { defineReader, PluginError } from '@millrace/sdk';
import { z } from 'zod';
import { isOneByte } from './csv-layout.js';
import type { FileColumnType, FileReaderConfig, FileSourceConfig } from './file-config.js';
import { fileReaderConfig, logicalTypeOf } from './file-config.js';
import { existingFile, matchingFiles } from './file-path.js';
import type { FileInput } from './file-rows.js';
import { columnNames, csvLines, fileRows, refusal } from './file-rows.js';

/** The columns of a file: the names it has, with the types that are declared. */
export function fileSchema(
  config: Pick<FileReaderConfig, 'path' | 'columns'>,
  names: readonly string[],
): TableSchema {
  const declared = new Map((config.columns ?? []).map((column) => [column.name, column.type]));
  const missing = [...declared.keys()].filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new PluginError(
      'MR-D108',
      `${config.path} has no column ${missing.join(', ')}; it has ${names.join(', ')}`,
    );
  }
  const columns = names.map((name): Column => {
    const type = declared.get(name) ?? 'text';
    return { name, nativeType: type, type: logicalTypeOf(type), nullable: true, unchecked: true };
  });
  return { table: config.path, columns, primaryKey: [] };
}

interface Condition {
  readonly at: number;
  readonly value: string;
}

function conditionsOf(config: FileReaderConfig, names: readonly string[]): readonly Condition[] {
  return Object.entries(config.where ?? {}).map(([name, value]) => {
    const at = names.indexOf(name);
    if (at === -1) {
      const has = `the file has ${names.join(', ')}`;
      throw new PluginError('MR-D108', `the filter names the column ${name}; ${has}`);
    }
    return { at, value };
  });
}

/** Bytes become bytes: what needs a value of a cell is left to the row lane. */
function hasLines(config: FileReaderConfig): boolean {
  if (config.format !== 'csv' || !isOneByte(config.delimiter)) return false;
  // An empty text in quotes is found by a filter, and is NULL in a line when the column is no text.
  return Object.values(config.where ?? {}).every((value) => value !== '');
}

function add(stats: { rows: number; bytes: number }, more: ReadStats): void {
  stats.rows += more.rows;
  stats.bytes += more.bytes;
}

const sliceBounds = z.object({ path: z.string() });

/** Keeps what is no row where there is a place for it; MR-D207 where there is none. */
async function giveBroken(out: Sink, broken: readonly BrokenRecord[]): Promise<ReadStats> {
  const stats = { rows: 0, bytes: 0 };
  for (const record of broken) {
    if (out.broken === undefined) throw refusal(record);
    await out.broken(record);
    stats.rows += 1;
    stats.bytes += record.bytes.length;
  }
  return stats;
}

class FileReaderJob implements ReaderJob {
  readonly #config: FileReaderConfig;
  readonly #ctx: JobContext<FileSourceConfig>;
  #names: readonly string[] = [];
  #files: readonly string[] = [];

  constructor(config: FileReaderConfig, ctx: JobContext<FileSourceConfig>) {
    this.#config = config;
    this.#ctx = ctx;
  }

  async #input(path: string, signal: AbortSignal) {
    const file = await existingFile(this.#ctx.dataSource.config.root, path);
    return { file, path, config: this.#config, signal };
  }

  async describe(): Promise<TableSchema> {
    this.#files = await matchingFiles(this.#ctx.dataSource.config.root, this.#config.path);
    const [first = this.#config.path] = this.#files;
    this.#names = await columnNames(await this.#input(first, this.#ctx.signal));
    const schema = fileSchema(this.#config, this.#names);
    conditionsOf(this.#config, this.#names);
    return schema;
  }

  check(): Promise<readonly Finding[]> {
    return Promise.resolve([]);
  }

  async *slices(): AsyncGenerator<Slice> {
    for (const [no, path] of this.#files.entries()) yield { no, bounds: { path }, label: path };
  }

  open(): Promise<ReaderTask> {
    return Promise.resolve({
      lanes: hasLines(this.#config) ? ['pg-copy-text', 'rows'] : ['rows'],
      read: async (slice: Slice, out: Sink, signal: AbortSignal) => {
        const input = await this.#input(sliceBounds.parse(slice.bounds).path, signal);
        return out.lane === 'rows' ? this.#read(input, out) : this.#readLines(input, out);
      },
      close: () => Promise.resolve(),
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** An empty number or date of CSV can only mean that there is none; JSON has a null of its own. */
  #isEmptyNull(type: FileColumnType = 'text'): boolean {
    return this.#config.format === 'csv' && type !== 'text';
  }

  async #readLines(input: FileInput, out: Sink): Promise<ReadStats> {
    const types = new Map((this.#config.columns ?? []).map((c) => [c.name, c.type]));
    const names = this.#names;
    const where = new Map(conditionsOf(this.#config, names).map((c) => [c.at, c.value]));
    const columns = names.map((name, i) => {
      const wanted = where.get(i);
      const isEmptyNull = this.#isEmptyNull(types.get(name));
      return { isEmptyNull, ...(wanted === undefined ? {} : { wanted }) };
    });
    const stats = { rows: 0, bytes: 0 };
    const wanted = { names, columns, order: out.columns, aim: out };
    for await (const { lines, broken } of csvLines(input, wanted)) {
      add(stats, await giveBroken(out, broken));
      if (lines === undefined) continue;
      const { data, rows: rowCount } = lines;
      add(stats, { rows: rowCount, bytes: data.length });
      await out.write({ lane: 'pg-copy-text', data, rowCount, byteCount: data.length });
    }
    return stats;
  }

  async #read(input: FileInput, out: Sink): Promise<ReadStats> {
    const conditions = conditionsOf(this.#config, this.#names);
    const types = new Map((this.#config.columns ?? []).map((c) => [c.name, c.type]));
    const isEmptyNull = this.#names.map((name) => this.#isEmptyNull(types.get(name)));
    const hasEmptyNull = isEmptyNull.includes(true);
    const stats = { rows: 0, bytes: 0 };
    let rows: Row[] = [];
    let byteCount = 0;
    const send = async (): Promise<void> => {
      const chunk = { lane: 'rows', rows, rowCount: rows.length, byteCount } as const;
      stats.rows += rows.length;
      stats.bytes += byteCount;
      rows = [];
      byteCount = 0;
      await out.write(chunk);
    };
    for await (const batch of fileRows(input, this.#names)) {
      add(stats, await giveBroken(out, batch.broken));
      for (const cells of batch.rows) {
        if (!conditions.every(({ at, value }) => cells[at] === value)) continue;
        const row = hasEmptyNull
          ? cells.map((cell, i) => (cell === '' && isEmptyNull[i] === true ? null : cell))
          : cells;
        rows.push(row);
        for (const cell of row) byteCount += (cell?.length ?? 0) + 1;
        if (byteCount >= out.chunkBytes) await send();
      }
    }
    if (rows.length > 0) await send();
    return stats;
  }
}

export const fileReader = defineReader<FileReaderConfig, FileSourceConfig>({
  type: 'file',
  title: 'File',
  config: fileReaderConfig,
  configVersion: 1,
  examples: [
    { path: 'orders/${bizdate}.csv' },
    { path: 'orders/*.csv', delimiter: '|', encoding: 'gb18030' },
    { path: 'events.jsonl.gz', format: 'jsonl', columns: [{ name: 'id', type: 'integer' }] },
  ],
  open: (config, ctx) => Promise.resolve(new FileReaderJob(config, ctx)),
});
