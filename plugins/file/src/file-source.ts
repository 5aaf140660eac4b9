import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  BrowseAnswer,
  BrowseRequest,
  ConnectivityStep,
  InteractiveContext,
} from '@millrace/sdk';
import { defineDataSource, PluginError } from '@millrace/sdk';
import type { FileReaderConfig, FileSourceConfig } from './file-config.js';
import { fileReaderConfig, fileSourceConfig } from './file-config.js';
import { existingFile, isPresent } from './file-path.js';
import { fileSchema } from './file-reader.js';
import { columnNames, fileRows } from './file-rows.js';

const MAX_DEPTH = 8;
const CELL_CHARACTERS = 1000;

async function* testPath(config: FileSourceConfig): AsyncGenerator<ConnectivityStep> {
  const startedMs = performance.now();
  const step = (
    status: ConnectivityStep['status'],
    detail: string,
    code?: string,
  ): ConnectivityStep => ({
    step: 'path',
    status,
    detail,
    ...(code === undefined ? {} : { code }),
    elapsedMs: performance.now() - startedMs,
  });
  const canDo = (mode: number): Promise<boolean> =>
    access(config.root, mode).then(
      () => true,
      () => false,
    );
  try {
    if (!(await stat(config.root)).isDirectory()) {
      yield step('failed', `${config.root} is not a folder`, 'MR-D206');
      return;
    }
  } catch (error) {
    yield step('failed', error instanceof Error ? error.message : String(error), 'MR-D206');
    return;
  }
  if (!(await canDo(constants.R_OK | constants.X_OK))) {
    yield step('failed', `${config.root} cannot be read`, 'MR-D106');
  } else if (await canDo(constants.W_OK)) {
    yield step('ok', `${config.root} can be read and written`);
  } else {
    yield step('warning', `${config.root} can be read but not written`, 'MR-D106');
  }
}

async function listFiles(
  root: string,
  like: string | undefined,
  limit: number,
): Promise<readonly { readonly name: string }[]> {
  const files: { name: string }[] = [];
  const wanted = like?.toLowerCase();
  const visit = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (files.length >= limit) return;
      if (entry.name.startsWith('.')) continue;
      const full = join(folder, entry.name);
      const name = relative(root, full);
      if (entry.isDirectory() && depth < MAX_DEPTH) await visit(full, depth + 1);
      else if (entry.isFile() && (wanted === undefined || name.toLowerCase().includes(wanted))) {
        files.push({ name });
      }
    }
  };
  await visit(root, 0);
  return files;
}

function guessedConfig(path: string): FileReaderConfig {
  const name = path.replace(/\.gz$/, '');
  const format = /\.(jsonl|ndjson)$/.test(name) ? 'jsonl' : 'csv';
  const delimiter = name.endsWith('.tsv') ? '\t' : ',';
  return fileReaderConfig.parse({ path, format, delimiter });
}

async function browse(
  config: FileSourceConfig,
  request: BrowseRequest,
  ctx: InteractiveContext,
): Promise<BrowseAnswer> {
  if (request.kind === 'schemas') return { kind: 'schemas', schemas: [] };
  if (request.kind === 'tables') {
    const tables = await listFiles(config.root, request.like, request.limit).catch(
      (error: unknown) => {
        throw new PluginError('MR-D206', String(error), { cause: error });
      },
    );
    return { kind: 'tables', tables };
  }
  const path = request.table;
  const file = await existingFile(config.root, path);
  const input = { file, path, config: guessedConfig(path), signal: ctx.signal };
  const names = await columnNames(input);
  if (request.kind === 'table') return { kind: 'table', schema: fileSchema({ path }, names) };
  const rows: (string | null)[][] = [];
  for await (const batch of fileRows(input, names)) {
    for (const row of batch.rows.slice(0, request.limit - rows.length)) {
      rows.push(
        row.map((cell) => (typeof cell === 'string' ? cell.slice(0, CELL_CHARACTERS) : null)),
      );
    }
    if (rows.length >= request.limit) break;
  }
  return { kind: 'sample', columns: names, rows };
}

/** A partition is a file or a folder below the table: `orders` and `ds=20261101`, or `out` and `orders.csv`. */
async function presentPartitions(
  { root }: FileSourceConfig,
  table: string,
  partitions: readonly string[],
  { signal }: InteractiveContext,
): Promise<readonly string[]> {
  const present: string[] = [];
  for (const partition of partitions) {
    signal.throwIfAborted();
    if (await isPresent(root, partition === '' ? table : join(table, partition)))
      present.push(partition);
  }
  return present;
}

function parseUrl(text: string): Partial<FileSourceConfig> {
  const isLocal = /^file:\/\/\/[^/]/.test(text);
  if (!isLocal || !URL.canParse(text)) {
    throw new PluginError(
      'MR-D111',
      `"${text}" is not a local folder, as file:///data/exchange is`,
    );
  }
  return { root: fileURLToPath(text) };
}

export const fileSource = defineDataSource<FileSourceConfig>({
  type: 'file',
  title: 'Files in a folder',
  description: 'CSV and JSON lines in a folder of the machine that the worker runs on.',
  config: fileSourceConfig,
  configVersion: 1,
  examples: [{ root: '/data/exchange' }],
  parseUrl,
  testConnectivity: (config) => testPath(config),
  browse,
  presentPartitions,
});
