import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type {
  Chunk,
  FinalizeStats,
  Finding,
  Lane,
  TableSchema,
  TargetPlan,
  WriteContext,
  WriterJob,
  WriterPreview,
  WriterTask,
} from '@millrace/sdk';
import { defineWriter, PluginError } from '@millrace/sdk';
import { appendedPath } from './appended-path.js';
import { isOneByte } from './csv-layout.js';
import type { FileSourceConfig, FileWriterConfig } from './file-config.js';
import { fileWriterConfig } from './file-config.js';
import type { Move } from './file-ledger.js';
import { FileLedger, fileState } from './file-ledger.js';
import type { Part } from './file-part.js';
import { PartWriter } from './file-part.js';
import { writableFile } from './file-path.js';
import { FilePublisher } from './file-publisher.js';
import { fileVerdict } from './file-verdict.js';
import { rowFormatter } from './format-rows.js';
import { LineEncoder } from './line-encoder.js';
import type { EncodedRows } from './row-encoder.js';
import { RowEncoder } from './row-encoder.js';
import { ledgerLine, namesIn, TargetFiles } from './target-files.js';
import { textEncoding } from './text-encoding.js';

const compress = promisify(gzip);

const JOINED_BYTES = 1024 * 1024;

/** The file of a run: `path` as the user knows it, `full` where it really is. */
interface Target {
  readonly path: string;
  readonly full: string;
}

/**
 * Each slice into a part beside the target; `finalize` joins them and renames over the target. Or each writer into
 * one part of it, and all of them take their places then.
 */
class FileWriterJob implements WriterJob {
  readonly #config: FileWriterConfig;
  readonly #ctx: WriteContext<FileSourceConfig>;
  readonly #target: Target;
  readonly #files: TargetFiles;
  readonly #ledger: FileLedger;
  readonly #publisher: FilePublisher;
  readonly #encoder: RowEncoder;
  /** Absent: only the row lane writes such a file. */
  readonly #lines: LineEncoder | undefined;
  /** By slice, or by writer. */
  readonly #parts = new Map<number, Part>();
  /** Its files are taking their places: a later attempt goes on with it. */
  #isPublishing = false;

  constructor(config: FileWriterConfig, ctx: WriteContext<FileSourceConfig>, target: Target) {
    this.#config = config;
    this.#ctx = ctx;
    this.#target = target;
    this.#files = new TargetFiles(target.full, config.parts);
    this.#ledger = new FileLedger(ctx.dataSource.config.root, target.path, ctx.identity);
    this.#publisher = new FilePublisher(this.#files, this.#ledger, ctx);
    const { columns } = ctx.mapping;
    const names = columns.map((column) => column.target);
    const sources = columns.map((column) => column.source);
    const formatter = rowFormatter(config, names, sources);
    this.#encoder = new RowEncoder(formatter, textEncoding(config.encoding), names);
    this.#lines = hasLines(config) ? new LineEncoder(config, sources) : undefined;
  }

  /** Temporary files of this target begin like this; those of the same instance are ours to remove. */
  get #prefix(): string {
    return `.${basename(this.#target.full)}.millrace-${this.#ctx.identity.instanceId}-`;
  }

  #temporary(name: string): string {
    const { fence } = this.#ctx.identity;
    return join(this.#files.folder, `${this.#prefix}${fence}.${name}`);
  }

  get #lanes(): readonly Lane[] {
    return this.#lines === undefined ? ['rows'] : ['pg-copy-text', 'rows'];
  }

  get #plan(): TargetPlan {
    const path = this.#config.parts ? `${this.#target.path}, in parts,` : this.#target.path;
    const label = {
      truncate: `${path} is replaced by a renamed file`,
      append: `${path} is added, or replaced by a rerun, as a renamed file`,
      'non-conflict': `${path} is made as a renamed file`,
    }[this.#config.mode];
    return { strategy: 'staging', label };
  }

  describe(): Promise<TableSchema> {
    const columns = this.#ctx.mapping.columns.map(({ source, target }) => {
      return { ...source, name: target, nullable: true, generated: false };
    });
    return Promise.resolve({ table: this.#target.path, columns, primaryKey: [] });
  }

  async check(): ReturnType<WriterJob['check']> {
    const verdicts = this.#ctx.mapping.columns.map(({ source, target }) => {
      return { source: source.name, target, ...fileVerdict(source, this.#config) };
    });
    const findings: Finding[] = [];
    if (this.#encoder.header === undefined) {
      const message = `a name of a column has no form in ${this.#config.encoding}, in the header`;
      findings.push({ level: 'error', code: 'MR-D242', message });
    }
    const conflict = await this.#conflict();
    if (conflict !== undefined) {
      findings.push({ level: 'error', code: conflict.code, message: conflict.detail });
    }
    return { verdicts, findings };
  }

  preview(): Promise<WriterPreview> {
    return Promise.resolve({
      plan: this.#plan,
      lanes: this.#lanes,
      look: (row) => {
        const [refused] = this.#encoder.encode([row]).refused;
        return refused === undefined ? { row } : refused;
      },
    });
  }

  async prepare(): Promise<TargetPlan | { readonly published: FinalizeStats }> {
    await this.#publisher.finishOlder();
    const rowsPublished = await this.#ledger.publishedRows();
    if (rowsPublished !== undefined) return { published: { rowsDeleted: 0, rowsPublished } };
    await mkdir(this.#files.folder, { recursive: true });
    await this.#removeTemporaries();
    await this.#ledger.begin();
    return this.#plan;
  }

  open(no: number): Promise<WriterTask> {
    const isOne = this.#config.parts;
    return Promise.resolve(
      new PartWriter({
        lanes: this.#lanes,
        fileOf: (sliceNo) => this.#temporary(isOne ? `part-${no}` : `slice-${sliceNo}`),
        isOne,
        head: () => this.#head(),
        encode: (chunk) => this.#encode(chunk),
        compress: (bytes) => this.#compress(bytes),
        quarantine: (record) => this.#ctx.quarantine(record),
        onCommit: (sliceNo, part) => void this.#parts.set(isOne ? no : sliceNo, part),
        onChunk: () => this.#ctx.crashPoint('writer:chunk-written'),
      }),
    );
  }

  async finalize(): Promise<FinalizeStats> {
    // A newer attempt may have been here meanwhile.
    await this.#ledger.publishedRows();
    const parts = [...this.#parts].toSorted(([a], [b]) => a - b).map(([, part]) => part);
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const files = this.#config.parts && parts.length > 0 ? parts.map((part) => [part]) : [parts];
    const moves: Move[] = [];
    for (const [no, each] of files.entries()) moves.push(await this.#join(each, no));
    await this.#ctx.crashPoint('writer:before-commit');
    this.#ctx.signal.throwIfAborted();
    const conflict = await this.#conflict();
    if (conflict !== undefined) throw conflict;
    const intended = await this.#ledger.intend(moves, rows, await this.#files.there());
    this.#isPublishing = true;
    await this.#publisher.finish(intended);
    await this.#ctx.crashPoint('writer:after-commit');
    await this.#removeTemporaries();
    return { rowsDeleted: 0, rowsPublished: rows };
  }

  async abort(): Promise<void> {
    if (!this.#isPublishing) await this.#removeTemporaries();
  }

  /** Why the file that is there must stay; `undefined`: there is none, or it may be replaced. */
  async #conflict(): Promise<PluginError | undefined> {
    if (this.#config.mode !== 'non-conflict') return undefined;
    const there = await this.#files.there();
    if (there.length === 0 || (await this.#ledger.hasPut(there))) return undefined;
    return new PluginError('MR-D244', `${this.#target.path} is there already`);
  }

  #encode(chunk: Chunk): EncodedRows {
    if (chunk.lane === 'rows') return this.#encoder.encode(chunk.rows);
    if (chunk.lane !== 'pg-copy-text' || this.#lines === undefined) {
      throw new PluginError('MR-D209', `this file is not written from the lane ${chunk.lane}`);
    }
    return this.#lines.encode(chunk.data, chunk.rowCount);
  }

  async #head(): Promise<Buffer> {
    const begin = this.#config.byteOrderMark ? this.#encoder.byteOrderMark : Buffer.alloc(0);
    return await this.#compress(Buffer.concat([begin, this.#encoder.header ?? Buffer.alloc(0)]));
  }

  /** Makes one file of the parts; the one that begins as the file does is not copied. */
  async #join([first, ...others]: readonly Part[], no: number): Promise<Move> {
    const joined = this.#temporary(`joined-${no}`);
    const isBegun = first?.hasHead === true;
    if (isBegun) await rename(first.file, joined);
    const out = await open(joined, isBegun ? 'a' : 'w');
    try {
      if (!isBegun) await out.appendFile(await this.#head());
      const rest = isBegun || first === undefined ? others : [first, ...others];
      for (const { file } of rest) {
        for await (const bytes of createReadStream(file, { highWaterMark: JOINED_BYTES })) {
          await out.appendFile(bytes as Buffer);
        }
      }
      await out.sync();
    } finally {
      await out.close();
    }
    const to = this.#files.nameOf(no);
    const line = ledgerLine(to, (await fileState(joined)) ?? '');
    return { from: basename(joined), to, line };
  }

  // Members of gzip one after the other are one gzip file.
  async #compress(bytes: Buffer): Promise<Buffer> {
    return this.#target.full.endsWith('.gz') ? compress(bytes) : bytes;
  }

  /** Of this attempt and of older ones of its instance; a newer one's are left alone. */
  async #removeTemporaries(): Promise<void> {
    const { folder } = this.#files;
    const prefix = this.#prefix;
    for (const name of await namesIn(folder)) {
      const fence = name.startsWith(prefix) ? /^(\d+)\./.exec(name.slice(prefix.length)) : null;
      if (fence?.[1] === undefined) continue;
      if (BigInt(fence[1]) <= BigInt(this.#ctx.identity.fence)) {
        await rm(join(folder, name), { force: true });
      }
    }
  }
}

/** Bytes become bytes: what needs a value of a cell is left to the row lane. */
function hasLines({ format, encoding, delimiter, nullToken }: FileWriterConfig): boolean {
  const isOfOneByte = isOneByte(delimiter);
  const hasNull = textEncoding(encoding).encode(nullToken) !== undefined;
  return format === 'csv' && encoding === 'utf-8' && isOfOneByte && hasNull;
}

export const fileWriter = defineWriter<FileWriterConfig, FileSourceConfig>({
  type: 'file',
  title: 'File',
  modes: ['truncate', 'append', 'non-conflict'],
  rerunReplaces: true,
  config: fileWriterConfig,
  configVersion: 1,
  examples: [
    { path: 'export/${bizdate}.csv' },
    { path: 'for-excel.csv', encoding: 'utf-16le', byteOrderMark: true, delimiter: '\t' },
    { path: 'all.jsonl.gz', format: 'jsonl', parts: true },
    { path: 'ds=${bizdate}/part.csv', mode: 'append', lineEnding: 'crlf' },
  ],
  open: async (config, ctx) => {
    const path = config.mode === 'append' ? appendedPath(config.path, ctx.identity) : config.path;
    const full = await writableFile(ctx.dataSource.config.root, path);
    return new FileWriterJob(config, ctx, { path, full });
  },
});
