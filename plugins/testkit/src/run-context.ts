import type {
  AttemptIdentity,
  DirtyRecord,
  JobContext,
  Mapping,
  NodeContext,
  Outputs,
  Progress,
  ResolvedDataSource,
  RunContext,
  RunLog,
  Verification,
  WriteContext,
} from '@millrace/sdk';
import { PluginError } from '@millrace/sdk';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Keeps what a plugin said, for a test to read. */
export class CollectingLog implements RunLog {
  readonly lines: { readonly level: string; readonly text: string }[] = [];

  info(text: string): void {
    this.lines.push({ level: 'info', text });
  }

  warn(text: string): void {
    this.lines.push({ level: 'warn', text });
  }

  error(text: string): void {
    this.lines.push({ level: 'error', text });
  }

  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    this.lines.push({ level: stream, text: Buffer.from(bytes).toString('utf8') });
  }

  get text(): string {
    return this.lines.map((l) => l.text).join('\n');
  }
}

export interface RunOptions {
  readonly identity?: Partial<AttemptIdentity>;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called at every named point; see `crashAt` and `ParkingPoint`. */
  readonly crashPoint?: (name: string) => Promise<void>;
  /** Names of the outputs that the node declares. */
  readonly outputs?: readonly string[];
  readonly keepOutputs?: (outputs: Outputs) => Promise<void>;
  /** How many dirty records are allowed; default none. */
  readonly dirtyLimit?: number;
  /** How many writers the job will open; default 1. */
  readonly writers?: number;
  /** Default `count`. */
  readonly verification?: Verification;
}

export type TestRunContext = RunContext & {
  readonly log: CollectingLog;
  /** The last value of each counter. */
  readonly counters: Progress;
};

export type TestWriteContext<S> = WriteContext<S> & { readonly dirty: readonly DirtyRecord[] };

/**
 * Locks of MySQL are of the whole server: test files that run at the same time would end each other’s attempts. Of the
 * worker that runs the file, because processes it starts are of the same installation.
 */
const INSTALLATION = `testkit-${process.env['JEST_WORKER_ID'] ?? ''}`;

export function makeIdentity(overrides: Partial<AttemptIdentity> = {}): AttemptIdentity {
  return {
    installation: INSTALLATION,
    nodeId: '1',
    nodeName: 'node_under_test',
    instanceId: '100',
    runNumber: 1,
    attempt: 1,
    fence: '1',
    scheduledTime: '2024-03-02T00:00:00Z',
    bizdate: '2024-03-01',
    ...overrides,
  };
}

export function makeRunContext(options: RunOptions = {}): TestRunContext {
  const counters: Record<string, number> = {};
  return {
    identity: makeIdentity(options.identity),
    parameters: options.parameters ?? {},
    log: new CollectingLog(),
    signal: options.signal ?? new AbortController().signal,
    counters,
    progress: (progress) => void Object.assign(counters, progress),
    crashPoint: options.crashPoint ?? (() => Promise.resolve()),
  };
}

export function makeJobContext<S>(
  dataSource: ResolvedDataSource<S>,
  options: RunOptions = {},
): JobContext<S> & TestRunContext {
  return { ...makeRunContext(options), dataSource };
}

/** Its quarantine keeps the records and throws MR-D201 above the limit, as the data plane does. */
export function makeWriteContext<S>(
  dataSource: ResolvedDataSource<S>,
  mapping: Mapping,
  options: RunOptions = {},
): TestWriteContext<S> & TestRunContext {
  const dirty: DirtyRecord[] = [];
  const limit = options.dirtyLimit ?? 0;
  return {
    ...makeJobContext(dataSource, options),
    mapping,
    writers: options.writers ?? 1,
    verification: options.verification ?? 'count',
    dirty,
    quarantine: (record) => {
      dirty.push(record);
      return dirty.length > limit
        ? Promise.reject(
            new PluginError('MR-D201', `${dirty.length} dirty records, ${limit} allowed`),
          )
        : Promise.resolve();
    },
    rowsDirty: () => dirty.length,
  };
}

/** A node's context with an empty work folder, which goes with the scope. */
export async function makeNodeContext(
  dataSources: readonly ResolvedDataSource[],
  options: RunOptions = {},
): Promise<NodeContext & TestRunContext & AsyncDisposable> {
  const workDir = await mkdtemp(join(tmpdir(), 'millrace-testkit-'));
  return {
    ...makeRunContext(options),
    workDir,
    outputs: options.outputs ?? [],
    keepOutputs: options.keepOutputs ?? (() => Promise.resolve()),
    dataSource<C>(name: string): ResolvedDataSource<C> {
      const found = dataSources.find((d) => d.name === name);
      if (found === undefined) throw new PluginError('MR-D110', `no data source "${name}"`);
      return found as ResolvedDataSource<C>;
    },
    [Symbol.asyncDispose]: () => rm(workDir, { recursive: true, force: true }),
  };
}
