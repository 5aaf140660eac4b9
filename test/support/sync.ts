import type {
  AttemptIdentity,
  Chunk,
  DirtyRecord,
  Lane,
  ReaderJob,
  ReaderPlugin,
  ReaderTask,
  ResolvedDataSource,
  Sink,
  TableSchema,
  Verification,
} from '@millrace/sdk';
// Not the whole testkit: that is for Jest alone, and benchmarks run syncs too.
import { makeJobContext, makeRunContext } from '../../plugins/testkit/src/run-context.js';
import filePlugin from '../../plugins/file/src/index.js';
import mysqlPlugin from '../../plugins/mysql/src/index.js';
import postgresPlugin from '../../plugins/postgres/src/index.js';
import { previewSyncJob } from '../../src/dataplane/preview-sync.js';
import type { SyncPreview } from '../../src/dataplane/preview-sync.js';
import { runSyncJob } from '../../src/dataplane/run-sync-job.js';
import type { ChannelControl, SyncJob, SyncResult } from '../../src/dataplane/sync-job.js';
import type { TestServer } from './test-server.js';

const PLUGINS = { file: filePlugin, mysql: mysqlPlugin, postgres: postgresPlugin };

/** One end of a sync: a database of a test server, or a folder with files. */
export type SyncEnd =
  | {
      readonly kind: 'mysql' | 'postgres';
      readonly server: TestServer;
      readonly database: string;
      /** `off` for a proxy that looks into what passes; `prefer` unless given. */
      readonly tls?: 'off';
    }
  | { readonly kind: 'file'; readonly root: string };

export interface SyncOptions {
  readonly from: SyncEnd;
  readonly to: SyncEnd;
  readonly reader: Readonly<Record<string, unknown>>;
  readonly writer: Readonly<Record<string, unknown>>;
  readonly mapping?: SyncJob['mapping'];
  readonly incremental?: SyncJob['incremental'];
  readonly replay?: SyncJob['replay'];
  readonly channel?: Partial<ChannelControl>;
  readonly policies?: SyncJob['policies'];
  readonly verification?: Verification;
  /** The reader offers this lane and `rows` alone. */
  readonly lane?: Lane;
  readonly identity?: Partial<AttemptIdentity>;
  readonly signal?: AbortSignal;
  readonly crashPoint?: (name: string) => Promise<void>;
  /** Of chunks that the reader may fill again, right before it may. */
  readonly onRelease?: (data: Uint8Array) => void;
  /** Also of a run that fails. */
  readonly onLog?: (line: string) => void;
}

export interface SyncRun extends SyncResult {
  readonly dirty: readonly DirtyRecord[];
  readonly log: readonly string[];
  /** As the run log names it. */
  readonly lane: string | undefined;
}

/** Runs a sync of the built-in plugins as a worker runs it: the real planner, channel, limits and ledger. */
export async function runSync(options: SyncOptions): Promise<SyncRun> {
  const dirty: DirtyRecord[] = [];
  const context = makeRunContext(options);
  const told = (): void => context.log.lines.forEach((line) => options.onLog?.(line.text));
  const job = await jobOf(options, context, (records) => void dirty.push(...records));
  const result = await runSyncJob(job).finally(told);
  const log = context.log.lines.map((line) => line.text);
  const lane = log.find((line) => line.startsWith('Lane: '))?.slice('Lane: '.length);
  return { ...result, dirty, log, lane };
}

/** What a preview of the same sync says of its first rows. */
export async function previewSync(options: SyncOptions, limit = 20): Promise<SyncPreview> {
  const context = makeRunContext(options);
  return previewSyncJob(await jobOf(options, context, () => undefined), limit);
}

async function jobOf(
  options: SyncOptions,
  context: SyncJob['context'],
  onDirty: SyncJob['onDirty'],
): Promise<SyncJob> {
  const reader = pluginOf(PLUGINS[options.from.kind].readers);
  const writer = pluginOf(PLUGINS[options.to.kind].writers);
  return {
    reader: watched(reader, options),
    readerConfig: await parse(reader.config, options.reader),
    source: await resolved(options.from),
    writer,
    writerConfig: await parse(writer.config, options.writer),
    target: await resolved(options.to),
    ...(options.mapping === undefined ? {} : { mapping: options.mapping }),
    ...(options.incremental === undefined ? {} : { incremental: options.incremental }),
    ...(options.replay === undefined ? {} : { replay: options.replay }),
    partition: partitionOf(options.writer),
    channel: { concurrency: 1, dirtyLimit: { records: 0 }, ...options.channel },
    policies: options.policies,
    ...(options.verification === undefined ? {} : { verification: options.verification }),
    context,
    onDirty,
  };
}

/** As a worker tells it of the configuration. */
function partitionOf({ replace }: SyncOptions['writer']): SyncJob['partition'] {
  return (Object(replace) as { readonly values?: SyncJob['partition'] }).values;
}

/** The columns of a table as its reader describes them. */
export async function describeTable(end: SyncEnd, table: string): Promise<TableSchema> {
  const reader = pluginOf(PLUGINS[end.kind].readers);
  const job = await (reader as ReaderPlugin).open(
    (await parse(reader.config, { table })) as never,
    makeJobContext((await resolved(end)) as ResolvedDataSource<never>),
  );
  try {
    return await job.describe();
  } finally {
    await job.close('succeeded');
  }
}

function pluginOf<P>(all: readonly P[] | undefined): P {
  const [first] = all ?? [];
  if (first === undefined) throw new Error('the plugin has none');
  return first;
}

/** Proves that one lane alone gives the same as another: the planner takes the best that both ends have. */
function watched(reader: ReaderPlugin, { lane, onRelease }: SyncOptions): ReaderPlugin {
  if (lane === undefined && onRelease === undefined) return reader;
  const override = <T extends object>(target: T, change: Partial<T>): T =>
    new Proxy(target, {
      get: (of, key) => {
        const value: unknown = Reflect.get(Reflect.has(change, key) ? change : of, key);
        return typeof value === 'function' ? (value.bind(of) as unknown) : value;
      },
    });
  return override(reader, {
    open: async (config: never, ctx: never): Promise<ReaderJob> => {
      const job = await reader.open(config, ctx);
      const open = async (no: number): Promise<ReaderTask> => {
        const task = await job.open(no);
        return override(task, {
          lanes: lane === undefined ? task.lanes : [...new Set([lane, 'rows' as const])],
          read: (slice, out, signal) => {
            const write = (chunk: Chunk): Promise<void> =>
              out.write(tellingChunk(chunk, onRelease));
            return task.read(slice, override<Sink>(out, { write }), signal);
          },
        });
      };
      return override(job, { open });
    },
  });
}

function tellingChunk(chunk: Chunk, onRelease: SyncOptions['onRelease']): Chunk {
  if (chunk.lane === 'rows' || chunk.release === undefined || onRelease === undefined) return chunk;
  const { data, release } = chunk;
  return {
    ...chunk,
    release: () => {
      onRelease(data);
      release();
    },
  };
}

interface StandardSchema {
  readonly '~standard': { validate(value: unknown): unknown };
}

async function parse(schema: StandardSchema, value: unknown): Promise<unknown> {
  const result = (await schema['~standard'].validate(value)) as {
    readonly value?: unknown;
    readonly issues?: unknown;
  };
  if (result.issues !== undefined) throw new Error(JSON.stringify(result.issues));
  return result.value;
}

async function resolved(end: SyncEnd): Promise<ResolvedDataSource> {
  const type = pluginOf<{ readonly config: StandardSchema }>(PLUGINS[end.kind].dataSources);
  if (end.kind === 'file') {
    return { name: 'file', type: 'file', config: await parse(type.config, { root: end.root }) };
  }
  const { host, port, user, password } = end.server;
  const raw = {
    host,
    port,
    user,
    password,
    database: end.database,
    tls: { mode: end.tls ?? 'prefer' },
  };
  return { name: end.kind, type: end.kind, config: await parse(type.config, raw) };
}
