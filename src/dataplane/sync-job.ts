import type {
  Column,
  JobContext,
  PartitionValues,
  ReaderPlugin,
  ResolvedDataSource,
  RunContext,
  Verification,
  WriterPlugin,
} from '@millrace/sdk';
import type { DirtyLimit } from '../domain/channel/channel-change.js';
import type { RateLimit } from '../domain/channel/rate-limit.js';
import type { FieldMapping } from './field-mapping.js';
import type { Incremental } from './incremental.js';
import type { ChannelLine } from './live-channel.js';
import type { OpenMapped } from './open-mapped.js';
import type { DirtySink } from './quarantine.js';
import type { ReplayRecord } from './replay.js';
import type { RowTransform } from './row-transform.js';
import { loadTransform } from './row-transform.js';
import type { PolicyCount, ValuePolicies } from './value-policies.js';
import { PolicyRules } from './value-policies.js';

export interface ChannelControl {
  readonly concurrency: number;
  readonly rateLimit?: RateLimit | undefined;
  readonly dirtyLimit: DirtyLimit;
  /** After so long a snapshot costs the source too much and the run ends; 60 without it. */
  readonly snapshotMinutes?: number | undefined;
  /** When no row has moved for so long the run ends, to be tried again; 60 without it. */
  readonly stallMinutes?: number | undefined;
  /** On the wire; default 64 MB. A larger row is a dirty record. */
  readonly maxRowBytes?: number | undefined;
}

/** One sync, ready to run: configurations are valid for their plugins' schemas, defaults filled in. */
export interface SyncJob {
  readonly reader: ReaderPlugin;
  readonly readerConfig: unknown;
  readonly source: ResolvedDataSource;
  readonly writer: WriterPlugin;
  readonly writerConfig: unknown;
  readonly target: ResolvedDataSource;
  readonly mapping?: FieldMapping | undefined;
  readonly incremental?: Incremental | undefined;
  /** Rows of the quarantine, instead of those of the source. All of them are written, or none. */
  readonly replay?: readonly ReplayRecord[] | undefined;
  /** The one that a run replaces, and a replay adds to. */
  readonly partition?: PartitionValues | undefined;
  readonly channel: ChannelControl;
  readonly policies?: ValuePolicies | undefined;
  /** Absent: the rows are counted. */
  readonly verification?: Verification | undefined;
  readonly context: RunContext;
  readonly onDirty: DirtySink;
  /** The wall clock by which windows of the rate limit are meant, `HH:MM`; absent: UTC's. */
  readonly localTime?: (() => string) | undefined;
  /** Absent: nothing changes while it runs. */
  readonly line?: ChannelLine | undefined;
}

export interface SyncResult {
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly rowsDirty: number;
  readonly bytes: number;
  /** How often a policy gave a value another form, by policy and column of the target. */
  readonly policies: readonly PolicyCount[];
  /** This very run had been published before; nothing was read. */
  readonly wasPublished: boolean;
}

/** Copied member by member: a spread would lose the methods of a context that is a class. */
export function contextOf(context: RunContext, signal: AbortSignal): RunContext {
  return {
    identity: context.identity,
    parameters: context.parameters,
    log: context.log,
    signal,
    progress: (progress) => context.progress(progress),
    crashPoint: (name) => context.crashPoint(name),
  };
}

export function jobContext(context: RunContext, dataSource: ResolvedDataSource): JobContext<never> {
  const own = contextOf(context, context.signal);
  return { ...own, dataSource: dataSource as ResolvedDataSource<never> };
}

export async function transformOf({
  mapping,
  context,
}: SyncJob): Promise<RowTransform | undefined> {
  if (mapping?.transform === undefined) return undefined;
  const { parameters, identity } = context;
  return await loadTransform(mapping.transform, { parameters, bizdate: identity.bizdate });
}

export function policyRulesOf(
  open: Pick<OpenMapped, 'resolved' | 'target'>,
  job: SyncJob,
): PolicyRules | undefined {
  return PolicyRules.of(job.policies ?? {}, pairsOf(open));
}

export function pairsOf(
  open: Pick<OpenMapped, 'resolved' | 'target'>,
): readonly { readonly source: Column; readonly target: Column }[] {
  return open.resolved.mapping.columns.map(({ source, target }) => ({
    source,
    target: open.target.columns.find((column) => column.name === target) ?? source,
  }));
}

export function verificationOf({ verification = 'count' }: SyncJob): Verification {
  return verification;
}
