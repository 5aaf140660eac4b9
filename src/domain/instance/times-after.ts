import { type InstanceStatus, isFinal } from './status.js';

/** When an instance passed each step, in epoch ms; `null` where it has not. */
export interface InstanceTimes {
  readonly upstreamDone: number | null;
  readonly ready: number | null;
  readonly dispatched: number | null;
  readonly started: number | null;
  readonly ended: number | null;
}

/** An `instance.status` event: the status it leaves, the one it enters, and when. */
export interface StatusChange {
  readonly from: InstanceStatus;
  readonly status: InstanceStatus;
  /** Epoch ms, the `at` of the event. */
  readonly at: number;
  /** Epoch ms: when it began to run, of an end that is the first to tell it. */
  readonly began?: number | undefined;
}

/**
 * The times of an instance after one of its status events: with it a reader that follows the events knows
 * the rows without asking for them. A cell is what becomes of the time, `=` for "stays":
 *
 * | enters                                  | upstreamDone | ready | dispatched | started | ended |
 * | --------------------------------------- | ------------ | ----- | ---------- | ------- | ----- |
 * | waiting_upstream, from a final (rerun)  | null         | null  | null       | null    | null  |
 * | waiting_upstream, from any other        | null         | null  | =          | =       | =     |
 * | waiting_time                            | at           | =     | =          | =       | =     |
 * | waiting_resource                        | at if null   | at    | =          | =       | =     |
 * | dispatched                              | =            | =     | at         | null    | null  |
 * | running                                 | =            | =     | =          | at      | =     |
 * | retry_wait                              | =            | =     | =          | =       | null  |
 * | succeeded, from a final (set success)   | =            | =     | =          | =       | =     |
 * | succeeded, from any other               | at if null   | =     | =          | =       | at    |
 * | failed, cancelled                       | =            | =     | =          | =       | at    |
 * | gated, checking, checking_condition     | =            | =     | =          | =       | =     |
 *
 * Where `began` is there, it is the start: an attempt that is over at once has no event of its own for it.
 *
 * Every cell gives the same when it is applied twice, so replaying the last events over rows that have
 * them already changes nothing.
 */
export function timesAfter(before: InstanceTimes, change: StatusChange): InstanceTimes {
  const after = stepAfter(before, change);
  return change.began === undefined ? after : { ...after, started: change.began };
}

function stepAfter(before: InstanceTimes, { from, status, at }: StatusChange): InstanceTimes {
  switch (status) {
    case 'waiting_upstream':
      return isFinal(from) ? NOTHING_YET : { ...before, upstreamDone: null, ready: null };
    case 'waiting_time':
      return { ...before, upstreamDone: at };
    case 'waiting_resource':
      return { ...before, upstreamDone: before.upstreamDone ?? at, ready: at };
    case 'dispatched':
      return { ...before, dispatched: at, started: null, ended: null };
    case 'running':
      return { ...before, started: at };
    case 'retry_wait':
      return { ...before, ended: null };
    case 'succeeded':
      if (isFinal(from)) return before;
      return { ...before, upstreamDone: before.upstreamDone ?? at, ended: at };
    case 'failed':
    case 'cancelled':
      return { ...before, ended: at };
    case 'gated':
    case 'checking':
    case 'checking_condition':
      return before;
  }
}

const NOTHING_YET: InstanceTimes = {
  upstreamDone: null,
  ready: null,
  dispatched: null,
  started: null,
  ended: null,
};
