import type { ChannelNews, RateDemands } from '../domain/channel/channel-change.js';
import type { ProducedOutputs } from '../domain/params/named-output.js';
import type { AnswerBody, InteractiveJob } from '../store/repositories/request-repository.js';

import type { StoredCell } from '../domain/stored-cell.js';
import type { ClaimDetails } from '../store/sql/claim-details.sql.js';

export type { AnswerBody, InteractiveJob };

/**
 * The only way a worker knows the store (engine rule 16). Two sides implement it: direct SQL for
 * `MILLRACE_ROLE=all`, HTTPS with a token of one resource group for workers elsewhere. Everything that
 * passes is plain JSON.
 */
export interface WorkerLink {
  /** Says who the worker is. Refused (MR-A208) when its protocol is older than {@link OLDEST_PROTOCOL}. */
  register(hello: WorkerHello): Promise<Registration>;
  /**
   * Waits until there is something for the worker and returns it; returns empty after at most
   * `waitMs`. One call at a time for each worker.
   */
  poll(ask: PollAsk, signal: AbortSignal): Promise<PollAnswer>;
  /** Renews the lease of everything the worker holds; names what is no longer its own. */
  renew(renewal: Renewal): Promise<RenewalAnswer>;
  /**
   * Once a second for the syncs that run: keeps their progress, and tells what was set for them and which
   * shares of data sources' rates they have. Attempts that are not the worker's are left out.
   */
  control(ask: ControlAsk): Promise<readonly ControlAnswer[]>;
  /** Says which claimed attempts have begun to run. A short one says so with its report. */
  started(workerId: number, attempts: readonly AttemptRef[]): Promise<void>;
  /**
   * Reports ended attempts, one transaction for all of them. A report of an attempt that a newer one
   * has replaced is refused and kept as an event; that is not an error of the caller.
   */
  finish(workerId: number, reports: readonly FinishReport[]): Promise<readonly AttemptRef[]>;
  /** Appends to run logs. A chunk that is there already is left alone, so a retry doubles nothing. */
  log(workerId: number, chunks: readonly LogChunk[]): Promise<void>;
  /** Keeps dirty rows of a running attempt. */
  quarantine(workerId: number, attempt: AttemptRef, records: readonly DirtyRow[]): Promise<void>;
  /** Keeps the outputs of a running attempt that is about to commit. Throws when it is not its own any more. */
  keepOutputs(workerId: number, attempt: AttemptRef, outputs: ProducedOutputs): Promise<void>;
  /** One part of the answer to an interactive request. */
  answer(workerId: number, part: RequestAnswer): Promise<void>;
  /** The worker ends in order: its lease is given back at once. */
  goodbye(workerId: number): Promise<void>;
}

/**
 * What this release speaks, as a worker and as an api. 2: a report carries the end of its run log, and when
 * the attempt began.
 */
export const LINK_PROTOCOL = 2;

/** The oldest that an api of this release still takes of a worker. */
export const OLDEST_PROTOCOL = 1;

export interface WorkerHello {
  readonly name: string;
  readonly resourceGroup: string;
  readonly protocol: number;
  /** How many attempts it runs at once. */
  readonly capacity: number;
  readonly nodeTypes: readonly string[];
  readonly dataSourceTypes: readonly string[];
  readonly plugins: readonly { readonly name: string; readonly version: string }[];
  /** Addresses it reaches out from, for allow-lists. */
  readonly addresses: readonly string[];
  /** What it has that nodes may ask for; a worker of the last release says nothing of it. */
  readonly labels?: readonly string[];
}

export interface Registration {
  readonly workerId: number;
  readonly installation: string;
  /** Of the api; absent: 1. What an older api does not know of it would drop without a word. */
  readonly protocol?: number;
}

export interface AttemptRef {
  readonly planDay: string;
  readonly instanceId: number;
  readonly epoch: number;
}

export interface PollAsk {
  readonly workerId: number;
  /** Free places for attempts; 0 still gets requests and stops. */
  readonly free: number;
  readonly freeRequests: number;
  /** Attempts that are being stopped already: they are not named again. */
  readonly stopping: readonly AttemptRef[];
  readonly waitMs: number;
}

export interface PollAnswer {
  readonly claims: readonly Claim[];
  readonly requests: readonly InteractiveRequest[];
  readonly stops: readonly AttemptRef[];
}

/** Everything one attempt needs, and nothing another one does. */
export interface Claim extends AttemptRef, Omit<ClaimDetails, 'scheduledAt'> {
  /** The id users see. */
  readonly publicId: string;
  readonly installation: string;
  readonly runNumber: number;
  readonly attempt: number;
  readonly fence: string;
  /** As in the identity of an attempt; absent: not known now. */
  readonly settledFence?: string;
  /** RFC 3339. */
  readonly scheduledAt: string;
}

export interface Renewal {
  readonly workerId: number;
  readonly attempts: readonly (AttemptRef & { readonly progress?: unknown })[];
}

export interface RenewalAnswer {
  readonly lost: readonly AttemptRef[];
  /** How long the lease holds from the moment the renewal was sent. */
  readonly leaseMs: number;
}

export interface ControlAsk {
  readonly workerId: number;
  readonly attempts: readonly (AttemptRef & {
    readonly progress?: unknown;
    readonly demands?: RateDemands;
  })[];
}

export interface ControlAnswer extends AttemptRef {
  readonly news: ChannelNews;
}

export interface FinishReport extends AttemptRef {
  /**
   * `returned`: the worker is being stopped; another one takes it, and no retry is used up. `lost`: it could
   * not renew its lease and ended the attempt; the same, but it counts towards the three losses.
   */
  readonly outcome: 'succeeded' | 'failed' | 'cancelled' | 'returned' | 'lost';
  readonly errorCode?: string;
  readonly errorDetail?: string;
  readonly rows?: number;
  readonly outputs?: ProducedOutputs;
  readonly progress?: unknown;
  /** How long ago it began to run, where {@link WorkerLink.started} has not told it. */
  readonly startedMsAgo?: number;
  /** The last of its run log, kept in the transaction that ends it; what came before has arrived. */
  readonly log?: readonly LogPiece[];
}

export interface LogChunk extends AttemptRef, LogPiece {}

/** A part of one attempt's run log. */
export interface LogPiece {
  /** Counts from 0 within the attempt. */
  readonly no: number;
  /** RFC 3339. */
  readonly at: string;
  readonly lineCount: number;
  readonly byteCount: number;
  /** UTF-8 text, or gzip of it, base64. */
  readonly body: string;
  /** What it may hold (`GramFilters`), base64; only of chunks far from the start of a long log. */
  readonly grams?: string;
}

export interface DirtyRow {
  readonly no: number;
  /** Absent: no single one is known. */
  readonly sliceNo?: number;
  readonly column?: string;
  readonly code: string;
  readonly sqlState?: string;
  readonly reason: string;
  /** In mapping order. */
  readonly cells: readonly StoredCell[];
  /** The target's columns, in the order of the cells; absent: of an older worker. */
  readonly columns?: readonly string[] | undefined;
  /** Those of them that are its primary key. */
  readonly key?: readonly string[] | undefined;
  readonly class?: string | undefined;
  readonly stage?: 'source' | 'mapping' | 'target' | undefined;
  /** What stands in the source where it is no row. */
  readonly original?: { readonly place: string; readonly base64: string } | undefined;
}

export interface InteractiveRequest {
  readonly id: string;
  readonly job: InteractiveJob;
  /** RFC 3339. */
  readonly deadline: string;
}

export interface RequestAnswer {
  readonly requestId: string;
  readonly no: number;
  readonly body: AnswerBody;
  readonly last: boolean;
}
