import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type {
  Acked,
  Chunk,
  FinalizeStats,
  Finding,
  Row,
  Slice,
  TableSchema,
  TargetPlan,
  WriteContext,
  WriterJob,
  WriterPreview,
  WriterTask,
} from '@millrace/sdk';
import { defineWriter } from '@millrace/sdk';
import type { FileSourceConfig, FileWriterConfig } from './file-config.js';
import { fileWriterConfig } from './file-config.js';
import { FileLedger } from './file-ledger.js';
import { writableFile } from './file-path.js';
import { rowFormatter } from './format-rows.js';
import { RowEncoder } from './row-encoder.js';
import { textEncoding } from './text-encoding.js';

const compress = promisify(gzip);

interface Part {
  readonly file: string;
  readonly rows: number;
}

/** Each slice into a part beside the target; `finalize` joins them and renames over the target. */
class FileWriterJob implements WriterJob {
  readonly #config: FileWriterConfig;
  readonly #ctx: WriteContext<FileSourceConfig>;
  readonly #target: string;
  readonly #ledger: FileLedger;
  readonly #encoder: RowEncoder;
  readonly #parts = new Map<number, Part>();

  constructor(config: FileWriterConfig, ctx: WriteContext<FileSourceConfig>, target: string) {
    this.#config = config;
    this.#ctx = ctx;
    this.#target = target;
    this.#ledger = new FileLedger(ctx.dataSource.config.root, config.path, ctx.identity);
    const { columns } = ctx.mapping;
    const names = columns.map((column) => column.target);
    const sources = columns.map((column) => column.source);
    const formatter = rowFormatter(config, names, sources);
    this.#encoder = new RowEncoder(formatter, textEncoding(config.encoding), names);
  }

  /** Temporary files of this target begin like this; those of the same instance are ours to remove. */
  get #prefix(): string {
    return `.${basename(this.#target)}.millrace-${this.#ctx.identity.instanceId}-`;
  }

  #temporary(name: string): string {
    const { fence } = this.#ctx.identity;
    return join(dirname(this.#target), `${this.#prefix}${fence}.${name}`);
  }

  describe(): Promise<TableSchema> {
    const columns = this.#ctx.mapping.columns.map(({ source, target }) => {
      return { ...source, name: target, nullable: true, generated: false };
    });
    return Promise.resolve({ table: this.#config.path, columns, primaryKey: [] });
  }

  async check(): ReturnType<WriterJob['check']> {
    const verdicts = this.#ctx.mapping.columns.map(({ source, target }) => {
      return { source: source.name, target, verdict: 'exact' } as const;
    });
    const findings: Finding[] = [];
    if (this.#encoder.header === undefined) {
      const message = `a name of a column has no form in ${this.#config.encoding}, in the header`;
      findings.push({ level: 'error', code: 'MR-D242', message });
    }
    return { verdicts, findings };
  }

  preview(): Promise<WriterPreview> {
    const label = `${this.#config.path} is replaced by a renamed file`;
    return Promise.resolve({
      plan: { strategy: 'staging', label },
      lanes: ['rows'],
      look: (row) => {
        const [refused] = this.#encoder.encode([row]).refused;
        return refused === undefined ? { row } : refused;
      },
    });
  }

  async prepare(): Promise<TargetPlan | { readonly published: FinalizeStats }> {
    const rowsPublished = await this.#ledger.publishedRows();
    if (rowsPublished !== undefined) return { published: { rowsDeleted: 0, rowsPublished } };
    await mkdir(dirname(this.#target), { recursive: true });
    await this.#removeTemporaries();
    await this.#ledger.note();
    return { strategy: 'staging', label: `${this.#config.path} is replaced by a renamed file` };
  }

  open(): Promise<WriterTask> {
    return Promise.resolve(
      new FileWriterTask(
        (sliceNo) => this.#temporary(`slice-${sliceNo}`),
        (rows, sliceNo) => this.#encode(rows, sliceNo),
        (sliceNo, part) => this.#parts.set(sliceNo, part),
        () => this.#ctx.crashPoint('writer:chunk-written'),
      ),
    );
  }

  /** The bytes of those rows that have a form in the file; the others are dirty. */
  async #encode(rows: readonly Row[], sliceNo: number): Promise<Encoded> {
    const { bytes, refused } = this.#encoder.encode(rows);
    for (const record of refused) await this.#ctx.quarantine({ ...record, sliceNo });
    return { bytes: await this.#compress(bytes), rows: rows.length - refused.length };
  }

  async finalize(): Promise<FinalizeStats> {
    await this.#ledger.publishedRows();
    const joined = this.#temporary('joined');
    const parts = [...this.#parts].toSorted(([a], [b]) => a - b).map(([, part]) => part);
    const out = await open(joined, 'w');
    try {
      const begin = this.#config.byteOrderMark ? this.#encoder.byteOrderMark : Buffer.alloc(0);
      const head = Buffer.concat([begin, this.#encoder.header ?? Buffer.alloc(0)]);
      if (head.length > 0) await out.write(await this.#compress(head));
      for (const part of parts) {
        for await (const bytes of createReadStream(part.file)) await out.write(bytes as Buffer);
      }
      await out.sync();
    } finally {
      await out.close();
    }
    await this.#ctx.crashPoint('writer:before-commit');
    this.#ctx.signal.throwIfAborted();
    await rename(joined, this.#target);
    await this.#ctx.crashPoint('writer:before-ledger');
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    await this.#ledger.note({ rows });
    await this.#ctx.crashPoint('writer:after-commit');
    await this.#removeTemporaries();
    return { rowsDeleted: 0, rowsPublished: rows };
  }

  abort(): Promise<void> {
    return this.#removeTemporaries();
  }

  // Members of gzip one after the other are one gzip file.
  async #compress(bytes: Buffer): Promise<Buffer> {
    return this.#target.endsWith('.gz') ? compress(bytes) : bytes;
  }

  /** Of this attempt and of older ones of its instance; a newer one's are left alone. */
  async #removeTemporaries(): Promise<void> {
    const folder = dirname(this.#target);
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

/** None where the folder was not made yet. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

interface Encoded {
  readonly bytes: Buffer;
  readonly rows: number;
}

class FileWriterTask implements WriterTask {
  readonly lanes = ['rows'] as const;
  readonly #fileOf: (sliceNo: number) => string;
  readonly #encode: (rows: readonly Row[], sliceNo: number) => Promise<Encoded>;
  readonly #onCommit: (sliceNo: number, part: Part) => void;
  readonly #onChunk: () => Promise<void>;
  #handle: FileHandle | undefined;
  #sliceNo = 0;
  #rows = 0;
  #bytes = 0;

  constructor(
    fileOf: (sliceNo: number) => string,
    encode: (rows: readonly Row[], sliceNo: number) => Promise<Encoded>,
    onCommit: (sliceNo: number, part: Part) => void,
    onChunk: () => Promise<void>,
  ) {
    this.#fileOf = fileOf;
    this.#encode = encode;
    this.#onCommit = onCommit;
    this.#onChunk = onChunk;
  }

  async begin(slice: Slice): Promise<'fresh'> {
    await this.close();
    this.#sliceNo = slice.no;
    this.#rows = 0;
    this.#bytes = 0;
    this.#handle = await open(this.#fileOf(slice.no), 'w');
    return 'fresh';
  }

  async write(chunk: Chunk): Promise<void> {
    if (chunk.lane !== 'rows') throw new Error(`the file writer has no lane ${chunk.lane}`);
    const { bytes, rows } = await this.#encode(chunk.rows, this.#sliceNo);
    await this.#handle?.write(bytes);
    this.#rows += rows;
    this.#bytes += bytes.length;
    await this.#onChunk();
  }

  async flush(): Promise<Acked> {
    await this.close();
    return { rows: this.#rows, bytes: this.#bytes };
  }

  async commit(): Promise<void> {
    this.#onCommit(this.#sliceNo, { file: this.#fileOf(this.#sliceNo), rows: this.#rows });
  }

  async rollback(): Promise<void> {
    await this.close();
    await rm(this.#fileOf(this.#sliceNo), { force: true });
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}

export const fileWriter = defineWriter<FileWriterConfig, FileSourceConfig>({
  type: 'file',
  title: 'File',
  modes: ['truncate'],
  config: fileWriterConfig,
  configVersion: 1,
  examples: [
    { path: 'export/${bizdate}.csv' },
    { path: 'for-excel.csv', encoding: 'utf-16le', byteOrderMark: true, delimiter: '\t' },
    { path: 'all.jsonl.gz', format: 'jsonl' },
  ],
  open: async (config, ctx) => {
    const target = await writableFile(ctx.dataSource.config.root, config.path);
    return new FileWriterJob(config, ctx, target);
  },
});
