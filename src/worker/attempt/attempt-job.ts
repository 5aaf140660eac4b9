import type {
  AttemptIdentity,
  BrowseRequest,
  DirtyRecord,
  Outputs,
  Progress,
  ResolvedDataSource,
} from '@millrace/sdk';
import type { ReplayRecord } from '../../dataplane/replay.js';
import type { ChannelNews, RateDemands } from '../../domain/channel/channel-change.js';
import type { RegisteredCode } from '../../domain/error-registry.js';
import type { PluginRef } from '../../plugin-host/plugin-host.js';

export type AttemptTask =
  | {
      readonly kind: 'node';
      readonly nodeType: string;
      /** Parameters are substituted; defaults need not be filled in. */
      readonly config: unknown;
      /** The version the configuration was stored under; absent: the present one. */
      readonly configVersion?: number;
    }
  | {
      readonly kind: 'sync';
      readonly config: unknown;
      /** Rows of the quarantine, to be written instead of those of the source. */
      readonly replay?: readonly ReplayRecord[];
      /** Nothing is written: the answer says what would become of so many rows. */
      readonly previewRows?: number;
    }
  | { readonly kind: 'connectivity'; readonly dataSourceType: string; readonly config: unknown }
  | {
      readonly kind: 'browse';
      readonly dataSourceType: string;
      readonly config: unknown;
      readonly request: BrowseRequest;
    }
  | {
      readonly kind: 'presence';
      readonly dataSourceType: string;
      readonly config: unknown;
      readonly tables: readonly {
        readonly table: string;
        readonly partitions: readonly string[];
      }[];
    };

/** All that one attempt is given. Plain data: it is sent to a thread or a process, never by argv or env. */
export interface AttemptJob {
  readonly task: AttemptTask;
  readonly identity: AttemptIdentity;
  readonly parameters: Readonly<Record<string, string>>;
  /** Names of the outputs its node declares of a run; absent: none. */
  readonly outputs?: readonly string[];
  /** Decrypted; those the task names and no others. */
  readonly dataSources: readonly ResolvedDataSource[];
  /** The plugins of the task and of its data sources: `PluginHost.pluginsOf`. */
  readonly plugins: readonly PluginRef[];
  /** Where package names of plugins are looked for. */
  readonly pluginFolders?: readonly string[];
  /** The zone of its workflow, by whose clock windows of a rate limit are meant. */
  readonly timezone?: string;
  /** What its channel is told at the start. */
  readonly news?: ChannelNews;
  /** Of a process of its own; the host's default without it. */
  readonly memoryLimitBytes?: number;
}

export interface SyncTotals {
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly rowsDirty: number;
  readonly bytes: number;
  readonly wasPublished: boolean;
}

export type AttemptOutcome =
  | {
      readonly status: 'succeeded';
      readonly outputs: Outputs;
      readonly rows?: number;
      readonly sync?: SyncTotals;
      /** Of `connectivity`: all its steps. Of `browse`: the BrowseAnswer. Of a preview: a SyncPreview with stored cells. */
      readonly answer?: unknown;
    }
  | {
      readonly status: 'failed';
      readonly code: RegisteredCode;
      /** In the system's own words. */
      readonly detail: string;
      /** It had been asked to stop for this reason and was killed because it did not. */
      readonly cancelReason?: string;
    }
  | { readonly status: 'cancelled'; readonly reason: string };

export type LogStream = 'info' | 'warn' | 'error' | 'stdout' | 'stderr';

/** What an attempt tells while it runs. A returned promise slows the attempt's log down, not its work. */
export interface AttemptHooks {
  /** `at`: ms since the epoch, when it was written. */
  onLog(stream: LogStream, bytes: Uint8Array, at: number): void | Promise<void>;
  onProgress?(progress: Progress): void;
  /** Steps of a connectivity test, one by one as they end. */
  onAnswer?(part: unknown): void;
  /** What a sync would use of data sources with a rate limit, each second. */
  onDemand?(demands: RateDemands): void;
  /** Keeps dirty records; the attempt waits for it and fails when it does. */
  onDirty?(records: readonly DirtyRecord[]): void | Promise<void>;
  /** Keeps the outputs of a run that is about to commit; the attempt waits for it and fails when it does. */
  onOutputs?(outputs: Outputs): void | Promise<void>;
}

export interface AttemptHandle {
  /** Never rejects. */
  readonly result: Promise<AttemptOutcome>;
  /** Asks it to stop; what still runs after the grace time is killed. Later calls do nothing. */
  cancel(reason: string): void;
  /** Tells a running sync what its channel may do from now on. */
  tell(news: ChannelNews): void;
}
