import { describe, expect, test } from '@jest/globals';
import type {
  AttemptIdentity,
  Chunk,
  Column,
  FinalizeStats,
  ReaderPlugin,
  Row,
  Slice,
  TargetPlan,
  WriteContext,
  WriterJob,
  WriterPlugin,
  WriterTask,
} from '@millrace/sdk';
import { defineReader, defineWriter, PluginError } from '@millrace/sdk';
import { z } from 'zod';
import { makeRunContext } from '../../plugins/testkit/src/run-context.js';
import { runSyncJob } from './run-sync-job.js';

/** What a partition remembers beside its rows. */
interface PartitionMark {
  readonly fence: bigint;
  readonly published?: { readonly run: string; readonly rows: number };
}

interface UploadSession {
  readonly path: string;
  readonly isOverwrite: boolean;
  readonly blocks: Map<number, readonly Row[]>;
}

/**
 * A service as MaxCompute Tunnel or a multipart upload is one: no transactions. Blocks are uploaded into a session,
 * many at a time, and one commit of their numbers shows them all; partitions are paths, with properties.
 */
class UploadService {
  readonly partitions = new Map<string, readonly Row[]>();
  readonly marks = new Map<string, PartitionMark>();
  readonly sessions = new Map<number, UploadSession>();
  /** Blocks under way at the same time, at most. */
  mostUploads = 0;
  losesAnswer = false;
  #lastSession = 0;
  #uploads = 0;

  open(path: string, isOverwrite: boolean): number {
    this.sessions.set(++this.#lastSession, { path, isOverwrite, blocks: new Map() });
    return this.#lastSession;
  }

  /** A block that is uploaded once more takes the place of the one before. */
  async upload(session: number, block: number, rows: readonly Row[]): Promise<number> {
    this.#uploads += 1;
    this.mostUploads = Math.max(this.mostUploads, this.#uploads);
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.#uploads -= 1;
    this.#of(session).blocks.set(block, rows);
    return rows.length;
  }

  async commit(session: number, blocks: readonly number[]): Promise<void> {
    const { path, isOverwrite, blocks: uploaded } = this.#of(session);
    const rows = blocks.map((no) => uploaded.get(no));
    if (rows.length !== uploaded.size || rows.includes(undefined)) {
      throw new PluginError('MR-D220', `the session has other blocks than ${blocks.join(', ')}`);
    }
    const before = isOverwrite ? [] : (this.partitions.get(path) ?? []);
    this.partitions.set(path, [...before, ...rows.flatMap((each) => each ?? [])]);
    this.sessions.delete(session);
    if (this.losesAnswer) throw new PluginError('MR-D104', 'the connection was reset');
  }

  drop(session: number): void {
    this.sessions.delete(session);
  }

  #of(session: number): UploadSession {
    const found = this.sessions.get(session);
    if (found === undefined) throw new Error(`no session ${session}`);
    return found;
  }
}

const writerConfig = z.object({
  mode: z.enum(['append', 'partition-overwrite']).default('partition-overwrite'),
  replace: z.object({ kind: z.literal('partition'), values: z.record(z.string(), z.string()) }),
});
type WriterConfig = z.output<typeof writerConfig>;

const COLUMNS: readonly Column[] = ['id', 'name'].map((name) => {
  return { name, nativeType: 'string', type: { kind: 'text' }, nullable: true };
});
const LABEL = 'the blocks of an upload session are committed at the end';

class SessionWriterJob implements WriterJob {
  readonly #service: UploadService;
  readonly #config: WriterConfig;
  readonly #ctx: WriteContext;
  readonly #path: string;
  readonly #blocks = new Map<number, number>();
  #session: number | undefined;

  constructor(service: UploadService, config: WriterConfig, ctx: WriteContext) {
    this.#service = service;
    this.#config = config;
    this.#ctx = ctx;
    const { values } = config.replace;
    this.#path = Object.entries(values)
      .map(([column, value]) => `${column}=${value}`)
      .join('/');
  }

  get #run(): string {
    return `${this.#ctx.identity.instanceId}:${this.#ctx.identity.runNumber}`;
  }

  /** MR-D203 when a newer attempt has been here. */
  #mark(published?: PartitionMark['published']): void {
    const fence = BigInt(this.#ctx.identity.fence);
    if ((this.#service.marks.get(this.#path)?.fence ?? 0n) > fence) {
      throw new PluginError('MR-D203', `a newer attempt than ${fence} has been here`);
    }
    const mark = published === undefined ? { fence } : { fence, published };
    this.#service.marks.set(this.#path, mark);
  }

  // The columns of the partition are in its path and not in its rows.
  async describe() {
    return { table: `t/${this.#path}`, columns: COLUMNS, primaryKey: [] };
  }

  async check() {
    return { verdicts: [], findings: [] };
  }

  async prepare(): Promise<TargetPlan | { readonly published: FinalizeStats }> {
    const { published } = this.#service.marks.get(this.#path) ?? {};
    if (published?.run === this.#run) {
      return { published: { rowsDeleted: 0, rowsPublished: published.rows } };
    }
    this.#mark();
    const isOverwrite = this.#config.mode === 'partition-overwrite';
    this.#session = this.#service.open(this.#path, isOverwrite);
    return { strategy: 'staging', label: LABEL };
  }

  async open(): Promise<WriterTask> {
    const session = this.#session ?? 0;
    let rows: Row[] = [];
    let slice = 0;
    return {
      lanes: ['rows'],
      begin: async ({ no }: Slice) => {
        slice = no;
        rows = [];
        return 'fresh';
      },
      write: async (chunk: Chunk) => {
        if (chunk.lane === 'rows') rows.push(...chunk.rows);
      },
      flush: async () => ({
        rows: await this.#service.upload(session, slice, rows),
        bytes: 0,
      }),
      commit: async () => void this.#blocks.set(slice, rows.length),
      rollback: async () => undefined,
      close: async () => undefined,
    };
  }

  async finalize(): Promise<FinalizeStats> {
    this.#mark();
    const before = this.#service.partitions.get(this.#path)?.length ?? 0;
    await this.#service.commit(this.#session ?? 0, [...this.#blocks.keys()]);
    const rows = [...this.#blocks.values()].reduce((sum, each) => sum + each, 0);
    this.#mark({ run: this.#run, rows });
    const isOverwrite = this.#config.mode === 'partition-overwrite';
    return { rowsDeleted: isOverwrite ? before : 0, rowsPublished: rows };
  }

  async abort(): Promise<void> {
    if (this.#session !== undefined) this.#service.drop(this.#session);
  }
}

function sessionWriter(service: UploadService): WriterPlugin {
  return defineWriter<WriterConfig, unknown>({
    type: 'uploads',
    title: 'Uploads',
    modes: ['append', 'partition-overwrite'],
    config: writerConfig,
    configVersion: 1,
    examples: [],
    open: async (config, ctx) => new SessionWriterJob(service, config, ctx),
  });
}

function reader(slices: number, failAt?: number): ReaderPlugin {
  return defineReader({
    type: 'made',
    title: 'Made',
    config: z.object({}),
    configVersion: 1,
    examples: [],
    open: async () => ({
      describe: async () => ({ table: 'src', columns: COLUMNS, primaryKey: [] }),
      check: async () => [],
      async *slices(): AsyncGenerator<Slice> {
        for (let no = 0; no < slices; no++) yield { no, bounds: no, label: `part ${no}` };
      },
      open: async () => ({
        lanes: ['rows'] as const,
        read: async ({ no }: Slice, out: { write(chunk: Chunk): Promise<void> }) => {
          if (no === failAt) throw new PluginError('MR-D104', 'the source is gone');
          const rows = Array.from({ length: 10 }, (_, i) => [`${no}-${i}`, 'new']);
          await out.write({ lane: 'rows', rows, rowCount: 10, byteCount: 100 });
          return { rows: 10, bytes: 100 };
        },
        close: async () => undefined,
      }),
      close: async () => undefined,
    }),
  });
}

interface Run {
  readonly identity?: Partial<AttemptIdentity>;
  readonly failAt?: number;
  readonly mode?: WriterConfig['mode'];
  readonly crashPoint?: (name: string) => Promise<void>;
}

const PATH = 'ds=20261120/region=cn';
const OTHER = 'ds=20261119/region=cn';
const OLD: readonly Row[] = [['old', 'row']];

function serviceWithRows(): UploadService {
  const service = new UploadService();
  for (const path of [PATH, OTHER]) service.partitions.set(path, OLD);
  return service;
}

async function run(service: UploadService, { identity, failAt, mode, crashPoint }: Run = {}) {
  const context = makeRunContext({
    ...(identity === undefined ? {} : { identity }),
    ...(crashPoint === undefined ? {} : { crashPoint }),
  });
  const replace = { kind: 'partition', values: { ds: '20261120', region: 'cn' } };
  const dataSource = { name: 'd', type: 'uploads', config: {} };
  const result = await runSyncJob({
    reader: reader(12, failAt),
    readerConfig: {},
    source: dataSource,
    writer: sessionWriter(service),
    writerConfig: writerConfig.parse({ replace, ...(mode === undefined ? {} : { mode }) }),
    target: dataSource,
    channel: { concurrency: 3, dirtyLimit: { records: 0 } },
    onDirty: () => undefined,
    context,
  });
  return { result, log: context.log.lines.map(({ text }) => text) };
}

function expectEachRowOnce(service: UploadService, before: readonly Row[] = []): void {
  const found = (service.partitions.get(PATH) ?? []).map(([id]) => id);
  const wanted = Array.from({ length: 120 }, (_, i) => `${Math.floor(i / 10)}-${i % 10}`);
  expect(found.toSorted()).toEqual([...before.map(([id]) => id), ...wanted].toSorted());
  expect(service.partitions.get(OTHER)).toEqual(OLD);
  expect(service.sessions.size).toBe(0);
}

describe('a target whose upload session is committed at the end', () => {
  test('has the blocks of all channels at once, in the place of its partition', async () => {
    const service = serviceWithRows();
    const seen: unknown[] = [];
    const crashPoint = async (name: string): Promise<void> => {
      if (name === 'sync:before-finalize') seen.push(service.partitions.get(PATH));
    };
    const { result, log } = await run(service, { crashPoint });
    expect(seen).toEqual([OLD]);
    expect(result).toMatchObject({ rowsRead: 120, rowsWritten: 120, rowsDirty: 0 });
    expect(service.mostUploads).toBeGreaterThan(1);
    expect(log).toContain(`Plan: staging: ${LABEL}`);
    expectEachRowOnce(service);
  });

  test('is as it was when a channel fails in the middle, and the retry begins anew', async () => {
    const service = serviceWithRows();
    await expect(run(service, { failAt: 7 })).rejects.toMatchObject({ code: 'MR-D104' });
    expect(service.partitions.get(PATH)).toEqual(OLD);
    expect(service.sessions.size).toBe(0);
    await run(service, { identity: { attempt: 2, fence: '2' } });
    expectEachRowOnce(service);
  });

  test('has no row twice when the answer to its commit is lost', async () => {
    const service = serviceWithRows();
    service.losesAnswer = true;
    await expect(run(service)).rejects.toMatchObject({ code: 'MR-D104' });
    service.losesAnswer = false;
    await run(service, { identity: { attempt: 2, fence: '2' } });
    expectEachRowOnce(service);
    const { result } = await run(service, { identity: { attempt: 3, fence: '3' } });
    expect(result).toMatchObject({ wasPublished: true, rowsRead: 0, rowsWritten: 120 });
  });

  test('refuses an attempt that wakes up behind a newer one', async () => {
    const service = serviceWithRows();
    const crashPoint = async (name: string): Promise<void> => {
      if (name !== 'sync:before-finalize') return;
      await run(service, { identity: { attempt: 2, fence: '2' } });
    };
    await expect(run(service, { crashPoint })).rejects.toMatchObject({ code: 'MR-D203' });
    expectEachRowOnce(service);
  });

  test('keeps what is there where the mode adds', async () => {
    const service = serviceWithRows();
    await run(service, { mode: 'append' });
    expectEachRowOnce(service, OLD);
  });
});
