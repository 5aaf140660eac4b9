import type {
  ConnectivityStep,
  DirtyRecord,
  NodeContext,
  Outputs,
  ResolvedDataSource,
} from '@millrace/sdk';
import type { PartitionValues } from '@millrace/sdk';
import { PluginError, checkOutputs } from '@millrace/sdk';
import type { ChannelLine } from '../../dataplane/live-channel.js';
import { previewSyncJob } from '../../dataplane/preview-sync.js';
import type { SyncJob } from '../../dataplane/sync-job.js';
import { runSyncJob } from '../../dataplane/run-sync-job.js';
import { localOf } from '../../domain/calendar/zone.js';
import { ERRORS } from '../../domain/error-registry.js';
import { MillraceError, registeredCodeOf } from '../../domain/errors.js';
import { parseConfig } from '../../plugin-host/config-fields.js';
import { PluginHost } from '../../plugin-host/plugin-host.js';
import { ownConfigOf, syncDataSources } from '../../plugin-host/sync-config.js';
import { storedCell } from '../stored-cells.js';
import type { AttemptJob, AttemptOutcome, AttemptTask } from './attempt-job.js';

type TaskOf<K extends AttemptTask['kind']> = Extract<AttemptTask, { kind: K }>;

/** What an attempt may do to the world besides its own work. */
export interface AttemptContext extends Omit<
  NodeContext,
  'identity' | 'parameters' | 'dataSource' | 'outputs'
> {
  answer(part: unknown): void;
  readonly line: ChannelLine;
  keepDirty(records: readonly DirtyRecord[]): Promise<void>;
}

/** Runs one job to its end in this thread or process. Never rejects. */
export async function runAttempt(job: AttemptJob, ctx: AttemptContext): Promise<AttemptOutcome> {
  try {
    ctx.signal.throwIfAborted();
    const host = await pluginsOf(job);
    ctx.signal.throwIfAborted();
    return await runTask(job, host, ctx);
  } catch (error) {
    if (ctx.signal.aborted) {
      const { reason } = ctx.signal;
      return { status: 'cancelled', reason: messageOf(reason) };
    }
    return failureOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code an error carries, or MR-P105 for an error the plugin did not name. */
export function failureOf(error: unknown): Extract<AttemptOutcome, { status: 'failed' }> {
  const code = registeredCodeOf(error) ?? 'MR-P105';
  const hasDetail = typeof error === 'object' && error !== null && 'detail' in error;
  const detail = hasDetail && typeof error.detail === 'string' ? error.detail : messageOf(error);
  return { status: 'failed', code, detail };
}

/** Of a thread, which runs one attempt after another. */
const loadedHosts = new Map<string, PluginHost>();

/** Built-in plugins are loaded once: to check and register them again took longer than a short attempt. */
async function pluginsOf(job: AttemptJob): Promise<PluginHost> {
  if (job.plugins.some(({ isolated }) => isolated)) return await loadPlugins(job);
  const key = job.plugins.map(({ specifier }) => specifier).join(' ');
  const loaded = loadedHosts.get(key) ?? (await loadPlugins(job));
  loadedHosts.set(key, loaded);
  return loaded;
}

async function loadPlugins(job: AttemptJob): Promise<PluginHost> {
  const host = await PluginHost.load({
    plugins: job.plugins.map(({ specifier, isolated }) => ({ specifier, builtIn: !isolated })),
    ...(job.pluginFolders ? { folders: job.pluginFolders } : {}),
  });
  const [refused] = host.refused;
  if (refused) throw new MillraceError(refused.code, refused.detail);
  return host;
}

function runTask(job: AttemptJob, host: PluginHost, ctx: AttemptContext): Promise<AttemptOutcome> {
  const { task } = job;
  switch (task.kind) {
    case 'node':
      return runNode(task, job, host, ctx);
    case 'sync':
      return runSync(task, job, host, ctx);
    case 'connectivity':
      return testConnectivity(task, host, ctx);
    case 'browse':
      return browse(task, host, ctx);
    case 'presence':
      return lookFor(task, host, ctx);
  }
}

/** Data sources by name, with the defaults of their type filled in. */
async function parsedDataSources(
  job: AttemptJob,
  host: PluginHost,
): Promise<ReadonlyMap<string, ResolvedDataSource>> {
  const parsed = new Map<string, ResolvedDataSource>();
  for (const source of job.dataSources) {
    const config = host.has('dataSource', source.type)
      ? await parseConfig(
          host.schemaOf('dataSource', source.type),
          source.config,
          `data source ${source.name}`,
        )
      : source.config;
    parsed.set(source.name, { ...source, config });
  }
  return parsed;
}

function find(
  dataSources: ReadonlyMap<string, ResolvedDataSource>,
  name: string,
): ResolvedDataSource {
  const found = dataSources.get(name);
  if (found === undefined) throw new PluginError('MR-D110', `no data source "${name}" was given`);
  return found;
}

function nodeContext(
  job: AttemptJob,
  dataSources: ReadonlyMap<string, ResolvedDataSource>,
  ctx: AttemptContext,
): NodeContext {
  return {
    identity: job.identity,
    parameters: job.parameters,
    log: ctx.log,
    signal: ctx.signal,
    get workDir() {
      return ctx.workDir;
    },
    progress: ctx.progress,
    crashPoint: ctx.crashPoint,
    outputs: job.outputs ?? [],
    keepOutputs: async (outputs) => {
      checkOutputs(outputs);
      await ctx.keepOutputs(outputs);
    },
    dataSource: <C>(name: string) => find(dataSources, name) as ResolvedDataSource<C>,
  };
}

async function runNode(
  task: TaskOf<'node'>,
  job: AttemptJob,
  host: PluginHost,
  ctx: AttemptContext,
): Promise<AttemptOutcome> {
  const node = host.node(task.nodeType);
  const from = task.configVersion ?? node.configVersion;
  const upgraded = host.upgradeConfig('node', task.nodeType, task.config, from);
  const config = await parseConfig(node.config, upgraded, `node ${job.identity.nodeName}`);
  const dataSources = await parsedDataSources(job, host);
  ctx.signal.throwIfAborted();
  const result = await node.run(config as never, nodeContext(job, dataSources, ctx));
  return {
    status: 'succeeded',
    outputs: declaredOf(result.outputs ?? {}, job.outputs ?? [], ctx),
    ...(result.rows === undefined ? {} : { rows: result.rows }),
  };
}

async function runSync(
  task: TaskOf<'sync'>,
  job: AttemptJob,
  host: PluginHost,
  ctx: AttemptContext,
): Promise<AttemptOutcome> {
  const dataSources = await parsedDataSources(job, host);
  const names = syncDataSources(task.config);
  const source = find(dataSources, names.source);
  const target = find(dataSources, names.target);
  const reader = host.reader(source.type);
  const writer = host.writer(target.type);
  const what = `node ${job.identity.nodeName}`;
  const schema = host.syncSchema(source.type, target.type);
  const config = await parseConfig(schema, task.config, what);
  const syncJob: SyncJob = {
    reader,
    readerConfig: await parseConfig(reader.config, ownConfigOf(config.source), `${what}, source`),
    source,
    writer,
    writerConfig: await parseConfig(
      writer.config,
      writerConfigOf(config.target, task.replay),
      `${what}, target`,
    ),
    replay: task.replay,
    partition: partitionOf(config.target),
    target,
    mapping: config.mapping,
    incremental: config.incremental,
    // A replay writes all of its rows or none, and says which it cannot.
    channel: task.replay ? { ...config.channel, dirtyLimit: { ratio: 1 } } : config.channel,
    policies: config.policies,
    verification: config.verification,
    context: nodeContext(job, dataSources, ctx),
    onDirty: (records) => ctx.keepDirty(records),
    localTime: () => localOf(new Date(), job.timezone ?? 'UTC').time,
    line: ctx.line,
  };
  if (task.previewRows !== undefined) {
    const { rows, ...preview } = await previewSyncJob(syncJob, task.previewRows);
    const answer = { ...preview, rows: rows.map((row) => row.map(storedCell)) };
    return { status: 'succeeded', outputs: {}, answer };
  }
  const sync = await runSyncJob(syncJob);
  const { rowsRead, rowsWritten, rowsDirty } = sync;
  const outputs = {
    rows_read: String(rowsRead),
    rows_written: String(rowsWritten),
    rows_dirty: String(rowsDirty),
  };
  const declared = declaredOf(outputs, job.outputs ?? []);
  return { status: 'succeeded', outputs: declared, rows: rowsWritten, sync };
}

/** Modes of a run that brings all of what its target is to have. */
const OF_WHOLE_TARGET = ['truncate', 'non-conflict', 'replace-swap', 'partition-overwrite'];

/** The partition that a run replaces. */
function partitionOf(target: Parameters<typeof ownConfigOf>[0]): PartitionValues | undefined {
  const scope = ownConfigOf(target)['replace'] as
    { readonly kind?: unknown; readonly values?: PartitionValues } | undefined;
  return scope?.kind === 'partition' ? scope.values : undefined;
}

/** A replay adds its rows to what the run has brought: nothing is replaced, and nothing run around it. */
function writerConfigOf(
  target: Parameters<typeof ownConfigOf>[0],
  replay: TaskOf<'sync'>['replay'],
): Record<string, unknown> {
  const own = ownConfigOf(target);
  if (replay === undefined) return own;
  const { replace: _, createTable: __, preSql: ___, postSql: ____, ...rest } = own;
  // The rows of a replay are not all that the source has.
  const { versions } = rest;
  const kept = typeof versions === 'object' ? { versions: { ...versions, missing: 'keep' } } : {};
  return OF_WHOLE_TARGET.includes(String(rest['mode']))
    ? { ...rest, mode: 'append' }
    : { ...rest, ...kept };
}

/** Those that the node declares, and they must fit; of the others only the names are told. */
function declaredOf(
  outputs: Outputs,
  names: readonly string[],
  ctx?: Pick<NodeContext, 'log'>,
): Outputs {
  const entries = Object.entries(outputs);
  const declared = Object.fromEntries(entries.filter(([name]) => names.includes(name)));
  checkOutputs(declared);
  const others = entries.map(([name]) => name).filter((name) => !names.includes(name));
  if (others.length > 0) {
    const listed = others.slice(0, 20).join(', ');
    ctx?.log.info(`Outputs that the node does not declare, which are not kept: ${listed}`);
  }
  return declared;
}

async function testConnectivity(
  task: TaskOf<'connectivity'>,
  host: PluginHost,
  ctx: AttemptContext,
): Promise<AttemptOutcome> {
  const type = host.dataSource(task.dataSourceType);
  const config = await parseConfig(type.config, task.config, 'data source');
  const steps: ConnectivityStep[] = [];
  for await (const step of type.testConnectivity(config as never, { signal: ctx.signal })) {
    steps.push(step);
    ctx.answer(step);
  }
  return { status: 'succeeded', outputs: {}, answer: steps };
}

async function browse(
  task: TaskOf<'browse'>,
  host: PluginHost,
  ctx: AttemptContext,
): Promise<AttemptOutcome> {
  const type = host.dataSource(task.dataSourceType);
  if (!type.browse) {
    throw new MillraceError('MR-A104', `${type.title} has nothing to browse`);
  }
  const config = await parseConfig(type.config, task.config, 'data source');
  const answer = await type.browse(config as never, task.request, { signal: ctx.signal });
  return { status: 'succeeded', outputs: {}, answer };
}

/** Tried again for each table it would lock the account. */
const REFUSED_LOGIN: ReadonlySet<string> = new Set(['MR-D103', 'MR-D104', 'MR-D105']);

/**
 * Which of the partitions have gone, table by table in the order they were asked for. A table that cannot be
 * looked at does not keep the others from it, unless the whole system is what cannot be reached.
 */
async function lookFor(
  task: TaskOf<'presence'>,
  host: PluginHost,
  ctx: AttemptContext,
): Promise<AttemptOutcome> {
  const type = host.dataSource(task.dataSourceType);
  if (!type.presentPartitions) {
    throw new MillraceError('MR-D194', `${type.title} has no check at the source`);
  }
  const config = await parseConfig(type.config, task.config, 'data source');
  const answer: object[] = [];
  for (const { table, partitions } of task.tables) {
    try {
      ctx.signal.throwIfAborted();
      const found = await type.presentPartitions(config as never, table, partitions, ctx);
      const present = new Set(found);
      answer.push({ gone: partitions.filter((partition) => !present.has(partition)) });
    } catch (error) {
      ctx.signal.throwIfAborted();
      const { code, detail } = failureOf(error);
      if (ERRORS[code].retry === 'backoff' || REFUSED_LOGIN.has(code)) throw error;
      answer.push({ code, detail: `${table}: ${detail}` });
    }
  }
  return { status: 'succeeded', outputs: {}, answer };
}
