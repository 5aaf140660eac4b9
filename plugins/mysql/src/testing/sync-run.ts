import { tmpdir } from 'node:os';

import type {
  AttemptIdentity,
  Chunk,
  DirtyRecord,
  FinalizeStats,
  NodeContext,
  NodeType,
  ReaderPlugin,
  RunContext,
  Slice,
  TargetPlan,
  WriterPlugin,
} from '@millrace/sdk';
import { PluginError } from '@millrace/sdk';
import { parseConfig } from '@millrace/testkit';

import type { TestDatabase } from '../../../../test/support/servers.js';
import { mysqlDataSourceSchema } from '../config.js';
import type { MysqlConfig } from '../config.js';
import plugin from '../index.js';

export interface RunOptions {
  readonly identity?: Partial<AttemptIdentity>;
  readonly signal?: AbortSignal;
  readonly crashPoint?: (name: string) => Promise<void>;
  readonly outputs?: readonly string[];
  readonly keepOutputs?: NodeContext['keepOutputs'];
}

export interface SyncOptions extends RunOptions {
  readonly from: MysqlConfig;
  readonly to: MysqlConfig;
  readonly reader: Record<string, unknown>;
  readonly writer: Record<string, unknown>;
  readonly writers?: number;
  readonly chunkBytes?: number;
  readonly dirtyLimit?: number;
}

export interface SyncOutcome {
  readonly plan: TargetPlan | undefined;
  readonly stats: FinalizeStats;
  readonly rowsRead: number;
  readonly dirty: readonly DirtyRecord[];
  readonly log: readonly string[];
}

/** The login of a test database as the data source's configuration. */
export function configOf(database: TestDatabase, more: Partial<MysqlConfig> = {}): MysqlConfig {
  const { host, port, user, password } = database.server;
  return {
    ...mysqlDataSourceSchema.parse({ host, port, user, password, database: database.name }),
    ...more,
  };
}

export function runContext(log: string[], options: RunOptions): RunContext {
  const note = (text: string): void => {
    log.push(text);
  };
  return {
    identity: {
      // Of this worker: files that run at the same time share the server, and its locks.
      installation: `test-${process.env['JEST_WORKER_ID'] ?? ''}`,
      nodeId: 'n1',
      nodeName: 'node',
      instanceId: 'i1',
      runNumber: 1,
      attempt: 1,
      fence: '1',
      scheduledTime: '2026-03-02T00:00:00Z',
      bizdate: '2026-03-01',
      ...options.identity,
    },
    parameters: {},
    log: { info: note, warn: note, error: note, write: () => undefined },
    signal: options.signal ?? new AbortController().signal,
    progress: () => undefined,
    crashPoint: options.crashPoint ?? (async () => undefined),
  };
}

/** Runs a SQL node; resolves with its result and the run log. */
export async function runSql(config: MysqlConfig, sql: string, options: RunOptions = {}) {
  const log: string[] = [];
  const ctx: NodeContext = {
    ...runContext(log, options),
    dataSource: <C>(name: string) => ({ name, type: 'mysql', config: config as C }),
    workDir: tmpdir(),
    outputs: options.outputs ?? [],
    keepOutputs: options.keepOutputs ?? (() => Promise.resolve()),
  };
  const [found] = plugin.nodes ?? [];
  if (found === undefined) throw new Error('the plugin has no node');
  const node = found as unknown as NodeType<{ dataSource: string; sql: string }>;
  return { ...(await node.run({ dataSource: 'x', sql }, ctx)), log };
}

/** Moves rows as the engine does: describe, check, prepare, slices over `writers` tasks, finalize or abort. */
export async function runSync(options: SyncOptions): Promise<SyncOutcome> {
  const log: string[] = [];
  const dirty: DirtyRecord[] = [];
  const base = runContext(log, options);
  const readerType = plugin.readers?.[0] as unknown as ReaderPlugin<unknown, MysqlConfig>;
  const readerJob = await readerType.open(await parseConfig(readerType.config, options.reader), {
    ...base,
    dataSource: { name: 'from', type: 'mysql', config: options.from },
  });
  const source = await readerJob.describe();
  await readerJob.check();
  const writers = options.writers ?? 1;
  const writerType = plugin.writers?.[0] as unknown as WriterPlugin<unknown, MysqlConfig>;
  const writerJob = await writerType.open(await parseConfig(writerType.config, options.writer), {
    ...base,
    dataSource: { name: 'to', type: 'mysql', config: options.to },
    mapping: {
      columns: source.columns
        .filter((c) => c.generated !== true)
        .map((c) => ({ source: c, target: c.name })),
    },
    writers,
    verification: 'count',
    quarantine: async (record: DirtyRecord) => {
      dirty.push(record);
      if (dirty.length > (options.dirtyLimit ?? 0))
        throw new PluginError('MR-D201', `${record.column ?? ''} ${record.code} ${record.reason}`);
    },
    rowsDirty: () => dirty.length,
  });
  let rowsRead = 0;
  const tasks: { close(): Promise<void> }[] = [];
  try {
    const plan = await writerJob.prepare();
    if ('published' in plan) {
      return { plan: undefined, stats: plan.published, rowsRead, dirty, log };
    }
    const slices: Slice[] = [];
    for await (const slice of readerJob.slices({ count: writers * 2 })) slices.push(slice);
    await Promise.all(
      Array.from({ length: writers }, async (_, no) => {
        const readerTask = await readerJob.open(no);
        const writerTask = await writerJob.open(no);
        tasks.push(writerTask);
        for (let slice = slices.shift(); slice !== undefined; slice = slices.shift()) {
          await writerTask.begin(slice);
          const sink = {
            lane: 'rows' as const,
            columns: [],
            chunkBytes: options.chunkBytes ?? 100_000,
            write: (chunk: Chunk) => writerTask.write(chunk),
          };
          const { rows } = await readerTask.read(slice, sink, base.signal);
          rowsRead += rows;
          await writerTask.flush();
          await writerTask.commit();
        }
        await readerTask.close();
        await writerTask.close();
      }),
    );
    const stats = await writerJob.finalize();
    await readerJob.close('succeeded');
    return { plan, stats, rowsRead, dirty, log };
  } catch (error) {
    for (const task of tasks) await task.close();
    await writerJob.abort(error);
    await readerJob.close('failed');
    throw error;
  }
}
