import type { DirtyRecord, Outputs, Progress } from '@millrace/sdk';
import type { ChannelNews, RateDemands } from '../../domain/channel/channel-change.js';
import type { AttemptJob, AttemptOutcome, LogStream } from './attempt-job.js';

export interface LogEntry {
  readonly stream: LogStream;
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** From the host into the thread or process; the same messages over both. */
export type ToAttempt =
  | { readonly tag: 'run'; readonly job: AttemptJob; readonly workDir: string }
  | { readonly tag: 'cancel'; readonly reason: string }
  | { readonly tag: 'news'; readonly news: ChannelNews }
  /** That many bytes of log are out of the host's hands. */
  | { readonly tag: 'log-taken'; readonly bytes: number }
  /** Dirty records or outputs are out of the host's hands. */
  | { readonly tag: 'kept'; readonly no: number; readonly error?: string };

export type FromAttempt =
  /** A thread has started and can be given an attempt. */
  | { readonly tag: 'ready' }
  | { readonly tag: 'log'; readonly entries: readonly LogEntry[] }
  | { readonly tag: 'progress'; readonly progress: Progress }
  | { readonly tag: 'demand'; readonly demands: RateDemands }
  | { readonly tag: 'answer'; readonly part: unknown }
  | { readonly tag: 'dirty'; readonly no: number; readonly records: readonly DirtyRecord[] }
  | { readonly tag: 'outputs'; readonly no: number; readonly outputs: Outputs }
  /** `hasFolder`: it has asked for its work folder. */
  | { readonly tag: 'end'; readonly outcome: AttemptOutcome; readonly hasFolder: boolean };
