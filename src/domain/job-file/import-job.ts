import { MillraceError } from '../errors.js';
import { readDatabase, writeDatabase } from './database-end.js';
import { databaseTypeOf } from './database-place.js';
import { isFile, readFile, writeFile } from './file-end.js';
import type { ImportedReader, ImportedWriter, ProposedDataSource } from './imported-end.js';
import { type JobNote, JobValue } from './job-json.js';
import { mapColumns } from './job-mapping.js';
import { type JobDialect, type JobEnd, type JobShape, shapeOf } from './job-shape.js';
import { applyMergePatch } from './merge-patch.js';
import { readOther, writeOther } from './other-end.js';

type Json = Readonly<Record<string, unknown>>;

/** The configuration of a sync node as it is written in a workflow. */
export interface SyncNodeConfig {
  readonly source: Json & { readonly dataSource: string };
  readonly target: Json & { readonly dataSource: string };
  readonly mapping?: Json | undefined;
  readonly channel?: Json | undefined;
}

export interface ImportedJob {
  readonly dialect: JobDialect;
  readonly config: SyncNodeConfig;
  /** Of source and target, as far as the file describes them; without any password. */
  readonly dataSources: {
    readonly source: ProposedDataSource;
    readonly target: ProposedDataSource;
  };
  /** What was not carried over or says it in other words, in the order of the file. */
  readonly notes: readonly JobNote[];
}

/** The names that data sources have here, by the names of the file. */
export type DataSourceNames = Readonly<Record<string, string>>;

/**
 * Makes a sync node of a job file: DataWorks script mode 2.0 and 1.0 or DataX, comments and commas at the
 * end allowed. What has no place in the result is in `notes`, nothing is dropped in silence.
 * Throws MR-D215 for what is no JSON, MR-D216 with path, line and column for a job that cannot be read.
 */
export function importJob(text: string, names: DataSourceNames = {}): ImportedJob {
  const root = JobValue.parse(text);
  const shape = shapeOf(root);
  const reader = readEnd(shape.reader);
  const writer = writeEnd(shape.writer);
  const { source, mapping } = mapColumns(
    reader,
    writer,
    shape.transformers,
    shape.writer.parameter,
  );
  const channel = channelOf(shape);
  const patch = extensionOf(shape);
  root.leftOver();
  const ends = named(reader.dataSource, writer.dataSource, names);
  const config = {
    source: { dataSource: ends.source.name, ...reader.config, ...source },
    target: { dataSource: ends.target.name, ...writer.config },
    mapping,
    channel,
  };
  return {
    dialect: shape.dialect,
    config: applyMergePatch(config, patch ?? {}) as SyncNodeConfig,
    dataSources: ends,
    notes: root.notes.toSorted((a, b) => a.line - b.line || a.column - b.column),
  };
}

/** Two data sources that only happen to be called alike are kept apart. */
function named(
  source: ProposedDataSource,
  target: ProposedDataSource,
  names: DataSourceNames,
): ImportedJob['dataSources'] {
  const own = (end: ProposedDataSource): ProposedDataSource => ({
    ...end,
    name: names[end.name] ?? end.name,
  });
  const isOther = source.type !== target.type || source.url !== target.url;
  const isTaken = source.name === target.name && isOther && source.url !== undefined;
  const second = isTaken ? { ...target, name: `${target.name}_target` } : target;
  const strange = Object.keys(names).find((name) => name !== source.name && name !== second.name);
  if (strange !== undefined)
    throw new MillraceError(
      'MR-A101',
      `the file has no data source ${strange}; it has ${source.name} and ${second.name}`,
    );
  return { source: own(source), target: own(second) };
}

function readEnd(end: JobEnd): ImportedReader {
  if (databaseTypeOf(end.kind) !== undefined) return readDatabase(end);
  return isFile(end.kind) ? readFile(end) : readOther(end);
}

function writeEnd(end: JobEnd): ImportedWriter {
  if (databaseTypeOf(end.kind) !== undefined) return writeDatabase(end);
  return isFile(end.kind) ? writeFile(end) : writeOther(end);
}

const MAX_CONCURRENCY = 64;
const MEGABYTE = 1024 * 1024;

function channelOf({ setting, core, dialect }: JobShape): Json {
  const speed = setting?.object('speed');
  const rateLimit = dialect === 'datax' ? dataxRate(speed) : throttledRate(speed);
  const count = dialect === 'datax' ? 'channel' : 'concurrent';
  const computed = channelsOf(speed, core);
  if (computed !== undefined) speed?.passOver([count], 'the limits of speed decide');
  const concurrency = computed ?? speed?.integer(count);
  core?.leftOver('unused');
  if (concurrency !== undefined && (concurrency < 1 || concurrency > MAX_CONCURRENCY)) {
    speed?.note('changed', `1 to ${MAX_CONCURRENCY} channels are possible, not ${concurrency}`);
  }
  const channels =
    concurrency === undefined ? undefined : Math.max(1, Math.min(MAX_CONCURRENCY, concurrency));
  passOverSetting(setting);
  return {
    ...(channels === undefined ? {} : { concurrency: channels }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
    dirtyLimit: dirtyLimitOf(setting?.object('errorLimit')),
  };
}

/** What says where and how a job runs. */
function passOverSetting(setting: JobValue | undefined): void {
  setting?.passOver(['executeMode', 'locale', 'jvmOption']);
  if (setting?.boolean('dryRun') === true)
    setting.child('dryRun')?.note('lost', 'the job would move no row');
  else setting?.passOver(['dryRun']);
}

/** DataX: bytes and records a second of the whole job; -1 is no limit. */
function dataxRate(speed: JobValue | undefined): Json | undefined {
  const [bytes, rows] = [speed?.integer('byte') ?? -1, speed?.integer('record') ?? -1];
  if (bytes <= 0 && rows <= 0) return undefined;
  return {
    ...(bytes > 0 ? { bytesPerSecond: bytes } : {}),
    ...(rows > 0 ? { rowsPerSecond: rows } : {}),
  };
}

/** With a limit for the job and one for each channel, DataX opens as many channels as fit. */
function channelsOf(speed: JobValue | undefined, core: JobValue | undefined): number | undefined {
  const channelSpeed = core?.object('transport')?.object('channel')?.object('speed');
  const counts = ['byte', 'record'].flatMap((key) => {
    const all = speed?.integer(key) ?? -1;
    const each = all > 0 ? (channelSpeed?.integer(key) ?? -1) : -1;
    return each > 0 ? [Math.max(1, Math.floor(all / each))] : [];
  });
  return counts.length === 0 ? undefined : Math.min(...counts);
}

/** DataWorks: `mbps` counts only when `throttle` is on. */
function throttledRate(speed: JobValue | undefined): Json | undefined {
  speed?.passOver(['dmu']);
  const megabytes = speed?.number('mbps');
  const throttle = speed?.boolean('throttle') ?? false;
  if (megabytes === undefined || megabytes <= 0) return undefined;
  if (throttle) return { bytesPerSecond: Math.round(megabytes * MEGABYTE) };
  speed?.child('mbps')?.note('unused', 'without `throttle` it has no effect');
  return undefined;
}

/** Without a limit everything is tolerated, as there: here that must be said. */
function dirtyLimitOf(errorLimit: JobValue | undefined): Json {
  const records = errorLimit?.integer('record');
  const ratio = errorLimit?.number('percentage');
  if (ratio !== undefined && (ratio < 0 || ratio > 1))
    throw (
      errorLimit?.child('percentage')?.refuse(`0 to 1 is expected, not ${ratio}`) ?? new Error()
    );
  if (records === undefined || records < 0) return { ratio: ratio ?? 1 };
  if (ratio === undefined) return { records };
  errorLimit
    ?.child('percentage')
    ?.note('changed', 'here it counts beside `record`, where DataX looks at `record` alone');
  return { records, ratio };
}

/** Returns what an export of ours could not say in the words of the dialect: a merge patch. */
function extensionOf({ extend, dialect }: JobShape): unknown {
  if (extend === undefined) return undefined;
  const patch = extend.object('millrace')?.plain();
  const group = extend.child('resourceGroup');
  if (group !== undefined && group.scalar() !== '') {
    group.note('unused', `choose a resource group for the node, there it is ${group.scalar()}`);
  }
  if (dialect !== 'datax')
    for (const key of ['mode', '__new__', 'formatType']) extend.child(key)?.take();
  return patch;
}
