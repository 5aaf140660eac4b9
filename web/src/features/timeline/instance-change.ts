import type { LiveEvent } from '../../api/realtime.ts';
import { isFinal } from '../../ui/visible-state.ts';

/** When an instance passed each step, in epoch ms; NaN where it has not (a typed array holds no null). */
export interface InstanceTimes {
  readonly upstreamDone: number;
  readonly ready: number;
  readonly dispatched: number;
  readonly started: number;
  readonly ended: number;
}

/** What an event says of an instance: the status and the times it leaves, and those it enters. */
export interface InstanceChange {
  readonly seq: number;
  readonly instance: string;
  readonly kind: 'status' | 'frozen';
  /** Epoch ms of the engine's clock. */
  readonly at: number;
  readonly from: string;
  readonly status: string;
  readonly isFrozen: boolean;
  readonly isDryRun: boolean;
  readonly attempt: number;
  readonly workflow: string;
  readonly nodeType: string;
  readonly resourceGroup: string;
  readonly runGroupKind: string;
  readonly runGroup: string;
  readonly bizdate: string;
  /** The earliest it may start, epoch ms. */
  readonly run: number;
  readonly before: InstanceTimes;
  readonly after: InstanceTimes;
}

/** Undefined where the event changes no bar and no tile. */
export function changeOf(event: LiveEvent): InstanceChange | undefined {
  const { type, instance, payload } = event;
  if (instance === null || (type !== 'instance.status' && type !== 'instance.frozen'))
    return undefined;
  const text = (key: string): string => {
    const value = payload[key];
    return typeof value === 'string' ? value : '';
  };
  const at = Date.parse(event.at);
  const before = timesIn(payload);
  const from = text('from');
  const status = text('status');
  const isStatus = type === 'instance.status';
  const began = Date.parse(text('began'));
  return {
    seq: event.seq,
    instance,
    kind: isStatus ? 'status' : 'frozen',
    at,
    from,
    status,
    isFrozen: payload['frozen'] === true,
    isDryRun: payload['dryRun'] === true,
    attempt: Number(payload['attempt'] ?? 0),
    workflow: text('workflow'),
    nodeType: text('nodeType'),
    resourceGroup: text('resourceGroup'),
    runGroupKind: text('runGroupKind'),
    runGroup: text('runGroup'),
    bizdate: text('bizdate'),
    run: Date.parse(text('runAt')),
    before,
    after: isStatus ? timesAfter(before, { from, status, at, began }) : before,
  };
}

/**
 * The engine's own rule of what a change of status does to the times. What is not named stays:
 * a rerun forgets all of them, a reopened upstream those of waiting, a claim begins the attempt anew.
 */
export function timesAfter(before: InstanceTimes, change: StatusChange): InstanceTimes {
  const after = stepAfter(before, change);
  return { ...after, started: orElse(change.began ?? NaN, after.started) };
}

interface StatusChange {
  readonly from: string;
  readonly status: string;
  readonly at: number;
  /** NaN: its start has been told before, or there was none. */
  readonly began?: number;
}

function stepAfter(before: InstanceTimes, { from, status, at }: StatusChange): InstanceTimes {
  switch (status) {
    case 'waiting_upstream':
      return isFinal(from) ? NOTHING_YET : { ...before, upstreamDone: NaN, ready: NaN };
    case 'waiting_time':
      return { ...before, upstreamDone: at };
    case 'waiting_resource':
      return { ...before, upstreamDone: orElse(before.upstreamDone, at), ready: at };
    case 'dispatched':
      return { ...before, dispatched: at, started: NaN, ended: NaN };
    case 'running':
      return { ...before, started: at };
    case 'retry_wait':
      return { ...before, ended: NaN };
    case 'succeeded':
      if (isFinal(from)) return before;
      return { ...before, upstreamDone: orElse(before.upstreamDone, at), ended: at };
    case 'failed':
    case 'cancelled':
      return { ...before, ended: at };
    default:
      return before;
  }
}

/** Where an instance stands in a tile: when it started, else the earliest it may. */
export function anchorOf(times: InstanceTimes, run: number): number {
  return orElse(times.started, run);
}

/** `first` unless it is NaN. */
export function orElse(first: number, second: number): number {
  return Number.isNaN(first) ? second : first;
}

const NOTHING_YET: InstanceTimes = {
  upstreamDone: NaN,
  ready: NaN,
  dispatched: NaN,
  started: NaN,
  ended: NaN,
};

function timesIn(payload: LiveEvent['payload']): InstanceTimes {
  const time = (key: string): number => {
    const value = payload[key];
    return typeof value === 'string' ? Date.parse(value) : NaN;
  };
  return {
    upstreamDone: time('upstreamDoneAt'),
    ready: time('readyAt'),
    dispatched: time('dispatchedAt'),
    started: time('startedAt'),
    ended: time('endedAt'),
  };
}
