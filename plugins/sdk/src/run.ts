/** What every piece of running code is told about the attempt it works for. */
export interface AttemptIdentity {
  /** The installation's id: part of every ledger key, so that two installations may share a target. */
  readonly installation: string;
  readonly nodeId: string;
  readonly nodeName: string;
  readonly instanceId: string;
  /** 1 for the first run of the instance; every rerun raises it. */
  readonly runNumber: number;
  /** 1 for the first execution within this run; automatic retries raise it. */
  readonly attempt: number;
  /** Decimal digits. Of two attempts for one (node, scheduled time), the later always has the larger fence. */
  readonly fence: string;
  /**
   * Decimal digits: every attempt of this node whose fence is not larger belongs to a run that has come to
   * its end. What a ledger keeps of them may go, and whoever still speaks for one is refused. Absent while
   * nothing is known.
   */
  readonly settledFence?: string;
  /** RFC 3339 instant, UTC. */
  readonly scheduledTime: string;
  /** `YYYY-MM-DD`. */
  readonly bizdate: string;
}

/** The run log of the attempt: what the user reads. Never a row's data, never a credential. */
export interface RunLog {
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  /** Raw output of a child process; may hold ANSI sequences and partial lines. */
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void;
}

/** Counters of a running attempt; absent fields keep their last value. */
export interface Progress {
  readonly rowsRead?: number;
  readonly rowsWritten?: number;
  readonly rowsDirty?: number;
  readonly bytes?: number;
  /** Total rows when it is known, for a determinate bar. */
  readonly rowsTotal?: number;
  /** Of a sync: what it does at the moment, or did over the whole run once it has ended. */
  readonly sync?: SyncStatistics;
}

/** How fast a sync is, and who keeps it from being faster. */
export interface SyncStatistics {
  readonly lane: string | null;
  readonly slices: number;
  readonly slicesDone: number;
  /** Of the last second, or of the whole run. `acknowledged`: the writer has taken them. */
  readonly perSecond: {
    readonly rowsRead: number;
    readonly bytesRead: number;
    readonly rowsAcknowledged: number;
    readonly bytesAcknowledged: number;
    readonly rowsDirty: number;
    readonly bytesDirty: number;
  };
  /** In the same time, as parts of it from 0 to 1: how long readers, writers and rate limits kept a channel. */
  readonly waits: {
    /** Readers, for the target. */
    readonly reader: number;
    /** Writers, for the source. */
    readonly writer: number;
    readonly rateLimit: number;
  };
  /** Who the others wait for; null where nobody waits long. */
  readonly bottleneck: 'source' | 'target' | 'rate limit' | null;
  /** By rows; null while the total is not known. */
  readonly secondsLeft: number | null;
}

/** A data source as one attempt gets it: decrypted, valid for its type's schema. */
export interface ResolvedDataSource<C = unknown> {
  readonly name: string;
  readonly type: string;
  readonly config: C;
}

export interface RunContext {
  readonly identity: AttemptIdentity;
  /** The values of the instance's parameters, by name. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly log: RunLog;
  /** Aborts when the attempt must end: stop, timeout, lost lease. Its reason says which. */
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  /**
   * A named point of the line where the fault tests may end this process. Does nothing otherwise.
   * Names are listed in `docs/gotchas.md`.
   */
  crashPoint(name: string): Promise<void>;
}
