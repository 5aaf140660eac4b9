import { INSTANCE_STATUSES, type InstanceStatus } from '../../src/domain/instance/status.js';
import { type InstanceTimes, timesAfter } from '../../src/domain/instance/times-after.js';

/** An answer of the timeline, as far as the reader needs it. */
export interface TimelineAnswer {
  readonly seq: number;
  readonly from: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly groups: readonly { readonly key: string; readonly count: number }[];
  readonly inst?: Readonly<Record<string, readonly (number | string | null)[]>>;
  readonly tiles?: {
    readonly bucketMs: number;
    readonly origin: number;
    readonly group: readonly number[];
    readonly bucket: readonly number[];
    readonly status: readonly number[];
    readonly count: readonly number[];
  };
}

/** An event as the API gives it. */
export interface TimelineEvent {
  readonly seq: number;
  readonly type: string;
  readonly at: string;
  readonly instance: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

interface Bar {
  status: InstanceStatus;
  frozen: boolean;
  dryRun: boolean;
  attempt: number;
  readonly run: number;
  times: InstanceTimes;
}

const TIMES = ['upstreamDone', 'ready', 'dispatched', 'started', 'ended'] as const;

/**
 * A client of the timeline that asks once and then only follows events, by nothing but `timesAfter` and
 * what the payloads say. It keeps bars and tiles apart, as a browser has either.
 */
export class TimelineReader {
  readonly bars = new Map<string, Bar>();
  /** `group key, bucket, status` -> count; none is 0. */
  readonly tiles = new Map<string, number>();
  readonly counts = new Map<string, number>();
  readonly #grid: { readonly origin: number; readonly bucketMs: number } | undefined;
  readonly #isMatch: (event: TimelineEvent) => boolean;
  /** The number of the last event that is in. */
  seq: number;

  constructor(answer: TimelineAnswer, isMatch: (event: TimelineEvent) => boolean = () => true) {
    this.seq = answer.seq;
    this.#isMatch = isMatch;
    this.#grid = answer.tiles;
    for (const [status, count] of Object.entries(answer.counts)) add(this.counts, status, count);
    for (const [cell, group] of (answer.tiles?.group ?? []).entries())
      this.#tile(
        answer.groups[group]?.key ?? '',
        answer.tiles?.bucket[cell] ?? 0,
        INSTANCE_STATUSES[answer.tiles?.status[cell] ?? 0] ?? '',
        answer.tiles?.count[cell] ?? 0,
      );
    const { inst } = answer;
    if (inst !== undefined)
      for (const [row, id] of (inst['id'] ?? []).entries())
        this.bars.set(String(id), barOf(inst, row, answer.from));
  }

  /** Events above `seq`, in order. */
  follow(events: readonly TimelineEvent[]): void {
    for (const event of events) {
      this.seq = event.seq;
      if (event.instance === null || !this.#isMatch(event)) continue;
      if (event.type === 'instance.status') this.#move(event, event.instance);
      if (event.type === 'instance.frozen') this.#freeze(event, event.instance);
    }
  }

  #move(event: TimelineEvent, id: string): void {
    const { payload } = event;
    const from = payload['from'] as InstanceStatus;
    const status = payload['status'] as InstanceStatus;
    const change = { from, status, at: Date.parse(event.at) };
    const before = timesIn(payload);
    const run = Date.parse(String(payload['runAt']));
    const group = String(payload['workflow']);
    this.#tileAt(group, before.started ?? run, from, -1);
    this.#tileAt(group, timesAfter(before, change).started ?? run, status, 1);
    add(this.counts, from, -1);
    add(this.counts, status, 1);
    const bar = this.bars.get(id);
    if (bar === undefined) return;
    bar.times = timesAfter(bar.times, change);
    bar.status = status;
    bar.attempt = Number(payload['attempt']);
    bar.dryRun = payload['dryRun'] === true;
  }

  #freeze({ payload }: TimelineEvent, id: string): void {
    const isFrozen = payload['frozen'] === true;
    add(this.counts, 'frozen', isFrozen ? 1 : -1);
    const bar = this.bars.get(id);
    if (bar !== undefined) bar.frozen = isFrozen;
  }

  #tileAt(group: string, anchor: number, status: string, change: number): void {
    if (this.#grid === undefined) return;
    const bucket = Math.floor((anchor - this.#grid.origin) / this.#grid.bucketMs);
    this.#tile(group, bucket, status, change);
  }

  #tile(group: string, bucket: number, status: string, change: number): void {
    add(this.tiles, `${group}, ${bucket}, ${status}`, change);
  }
}

function add(map: Map<string, number>, key: string, change: number): void {
  const count = (map.get(key) ?? 0) + change;
  if (count === 0) map.delete(key);
  else map.set(key, count);
}

function barOf(inst: NonNullable<TimelineAnswer['inst']>, row: number, from: number): Bar {
  const cell = (column: string): number | null => {
    const value = inst[column]?.[row] ?? null;
    return value === null ? null : Number(value);
  };
  const time = (column: string): number | null => {
    const offset = cell(column);
    return offset === null ? null : offset + from;
  };
  const [upstreamDone = null, ready = null, dispatched = null, started = null, ended = null] =
    TIMES.map(time);
  return {
    status: INSTANCE_STATUSES[cell('status') ?? 0] ?? 'waiting_upstream',
    frozen: cell('frozen') === 1,
    dryRun: cell('dryRun') === 1,
    attempt: cell('attempt') ?? 0,
    run: time('run') ?? 0,
    times: { upstreamDone, ready, dispatched, started, ended },
  };
}

function timesIn(payload: TimelineEvent['payload']): InstanceTimes {
  const time = (name: string): number | null => {
    const text = payload[name];
    return typeof text === 'string' ? Date.parse(text) : null;
  };
  return {
    upstreamDone: time('upstreamDoneAt'),
    ready: time('readyAt'),
    dispatched: time('dispatchedAt'),
    started: time('startedAt'),
    ended: time('endedAt'),
  };
}
