import { registeredCodeOf } from '../errors.js';
import { databaseTypeOf } from './database-place.js';
import { databaseParameter, databaseTarget } from './export-database.js';
import type { SyncNodeConfig } from './import-job.js';
import { importJob } from './import-job.js';
import type { JobDialect } from './job-shape.js';
import { mergePatchBetween } from './merge-patch.js';

type Json = Readonly<Record<string, unknown>>;

export interface ExportedJob {
  /** JSON, indented. */
  readonly text: string;
  /** JSON pointers into the node of what only Millrace reads, in `extend.millrace` of the file. */
  readonly onlyHere: readonly string[];
}

/** The types of the two data sources: the node names them, and a job file says what they are. */
export interface EndTypes {
  readonly source: string;
  readonly target: string;
}

const KINDS: Readonly<Record<string, string>> = {
  postgres: 'postgresql',
  file: 'txtfile',
};

/**
 * Writes a sync node as a job file. Import gives the same node again: what the dialect has no words for
 * goes into `extend.millrace`, which other tools ignore.
 */
export function exportJob(
  config: SyncNodeConfig,
  types: EndTypes,
  dialect: JobDialect,
): ExportedJob {
  const plain = plainOf(config, types, dialect);
  const bare = jobOf(plain, types, dialect, undefined);
  const patch = mergePatchBetween(importJob(JSON.stringify(bare)).config, config);
  const job = patch === undefined ? bare : jobOf(plain, types, dialect, patch);
  return { text: `${JSON.stringify(job, undefined, 2)}\n`, onlyHere: pointersOf(patch) };
}

/** Without a mapping that no job file could have, by row with lists of two lengths for one. */
function plainOf(config: SyncNodeConfig, types: EndTypes, dialect: JobDialect): SyncNodeConfig {
  try {
    importJob(JSON.stringify(jobOf(config, types, dialect, undefined)));
    return config;
  } catch (error) {
    if (registeredCodeOf(error) === undefined) throw error;
    const { columns: _, expressions: __, ...source } = config.source;
    const { mapping: ___, ...rest } = config;
    return { ...rest, source };
  }
}

function pointersOf(patch: unknown, above = ''): readonly string[] {
  if (patch === undefined) return [];
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return [above];
  const entries = Object.entries(patch);
  return entries.flatMap(([key, value]) => pointersOf(value, `${above}/${key}`));
}

function jobOf(config: SyncNodeConfig, types: EndTypes, dialect: JobDialect, patch: unknown): Json {
  const kinds = {
    reader: KINDS[types.source] ?? types.source,
    writer: KINDS[types.target] ?? types.target,
  };
  const reader = sourceParameter(config, types.source, kinds.reader);
  const writer = targetParameter(config, types.target, kinds.writer);
  const setting = settingOf(config.channel ?? {}, dialect);
  const extend = patch === undefined ? {} : { extend: { millrace: patch } };
  switch (dialect) {
    case 'datax': {
      const content = {
        reader: { name: `${kinds.reader}reader`, parameter: reader },
        writer: { name: `${kinds.writer}writer`, parameter: writer },
      };
      return { job: { setting, content: [content], ...extend } };
    }
    case 'dataworks-1.0': {
      const configuration = {
        setting,
        reader: { plugin: kinds.reader, parameter: reader },
        writer: { plugin: kinds.writer, parameter: writer },
      };
      return { type: 'job', version: '1.0', configuration, ...extend };
    }
    case 'dataworks-2.0': {
      const step = (name: string, stepType: string, parameter: Json): Json => {
        return { stepType, parameter, name, category: name.toLowerCase() };
      };
      const steps = [step('Reader', kinds.reader, reader), step('Writer', kinds.writer, writer)];
      const order = { hops: [{ from: 'Reader', to: 'Writer' }] };
      return { type: 'job', version: '2.0', steps, setting, order, ...extend };
    }
  }
}

function sourceParameter(config: SyncNodeConfig, type: string, kind: string): Json {
  if (databaseTypeOf(kind) !== undefined) return databaseParameter(config, type);
  const { dataSource, columns: _, expressions: __, ...own } = config.source;
  if (type === 'file') return fileParameter(config.source, sourceNames(config));
  return { datasource: dataSource, ...own, column: sourceNames(config) };
}

function targetParameter(config: SyncNodeConfig, type: string, kind: string): Json {
  if (databaseTypeOf(kind) !== undefined) return databaseTarget(config, type);
  const { dataSource, ...own } = config.target;
  if (type === 'file') return targetFileParameter(config.target);
  return { datasource: dataSource, ...own, column: ['*'] };
}

function sourceNames({ mapping }: SyncNodeConfig): readonly unknown[] {
  const columns = Array.isArray(mapping?.['columns']) ? (mapping['columns'] as Json[]) : [];
  const entries = columns.map(({ position, constant, from }) => {
    if (typeof position === 'number') return { index: position - 1, type: 'string' };
    return typeof constant === 'string' ? { value: constant, type: 'string' } : String(from);
  });
  return entries.length === 0 ? ['*'] : entries;
}

function formatOf(end: Json): Json {
  const { delimiter, nullToken, encoding } = end;
  return {
    encoding: typeof encoding === 'string' ? encoding.toUpperCase() : 'UTF-8',
    ...(delimiter === undefined ? {} : { fieldDelimiter: delimiter }),
    nullFormat: nullToken ?? '',
    fileFormat: 'csv',
  };
}

/** How a reader's CSV parser is told of quote and escape; a writer's has no such words. */
function parserOf({ quote, escape, trimWhitespace, skipEmptyRecords }: Json): Json {
  const marks = quote === '' ? { useTextQualifier: false } : { textQualifier: quote };
  const csvReaderConfig = {
    trimWhitespace: trimWhitespace === true,
    skipEmptyRecords: skipEmptyRecords === true,
    ...(quote === undefined ? {} : marks),
    ...(escape === undefined ? {} : { escapeMode: escape === '' ? 1 : 2 }),
  };
  return { csvReaderConfig };
}

function fileParameter(source: SyncNodeConfig['source'], column: readonly unknown[]): Json {
  return {
    datasource: source.dataSource,
    path: [source['path']],
    skipHeader: source['header'] !== false,
    ...formatOf(source),
    ...parserOf(source),
    column,
  };
}

function targetFileParameter(target: SyncNodeConfig['target']): Json {
  return {
    datasource: target.dataSource,
    path: '',
    fileName: target['path'],
    writeMode: target['mode'] === 'non-conflict' ? 'nonConflict' : (target['mode'] ?? 'truncate'),
    ...formatOf(target),
    column: ['*'],
  };
}

const MEGABYTE = 1024 * 1024;

function settingOf(channel: Json, dialect: JobDialect): Json {
  const limit = (channel['dirtyLimit'] ?? { records: 0 }) as Json;
  const rate = (channel['rateLimit'] ?? {}) as Json;
  const { concurrency } = channel;
  const isUnlimited = limit['records'] === undefined && limit['ratio'] === 1;
  const errorLimit = {
    ...(limit['records'] === undefined ? {} : { record: limit['records'] }),
    ...(limit['ratio'] === undefined || isUnlimited ? {} : { percentage: limit['ratio'] }),
  };
  if (dialect === 'datax') {
    const speed = {
      ...(concurrency === undefined ? {} : { channel: concurrency }),
      ...(rate['bytesPerSecond'] === undefined ? {} : { byte: rate['bytesPerSecond'] }),
      ...(rate['rowsPerSecond'] === undefined ? {} : { record: rate['rowsPerSecond'] }),
    };
    return { speed, errorLimit };
  }
  const bytes = rate['bytesPerSecond'];
  const speed = {
    ...(concurrency === undefined ? {} : { concurrent: concurrency }),
    throttle: typeof bytes === 'number',
    ...(typeof bytes === 'number' ? { mbps: String(bytes / MEGABYTE) } : {}),
  };
  return { errorLimit, speed };
}
