import { isFinal } from '../../ui/visible-state.ts';
import type { BarStore } from './bar-store.ts';
import { orElse } from './instance-change.ts';

export const WAITS = ['upstream', 'time', 'resource'] as const;
/** What an instance waited for: drawn hollow, solid, dotted. */
export type Wait = (typeof WAITS)[number];

/** The bar of an instance in epoch ms; a part that is not there is empty (`from` = `to`). */
export interface BarSpan {
  readonly waits: Readonly<Record<Wait, { readonly from: number; readonly to: number }>>;
  /** Held by a worker, or ended after that. */
  readonly run: { readonly from: number; readonly to: number } | undefined;
  /** How long it usually takes, from its (expected) start: for what has not ended. */
  readonly usual: { readonly from: number; readonly to: number } | undefined;
}

const HELD = /^(dispatched|running|checking)/;

/**
 * The bar from the six times. `now` is the engine's clock. A wait goes on to `now` while it lasts; what
 * is over never reaches beyond the next step.
 */
export function barSpan(bars: BarStore, at: number, now: number): BarSpan {
  const status = bars.statuses[at]!;
  const created = bars.created[at]!;
  const ended = bars.ended[at]!;
  const begun = orElse(bars.started[at]!, bars.dispatched[at]!);
  const isOver = isFinal(status);
  const last = isOver ? orElse(ended, now) : Math.max(now, created);
  const ready = bars.ready[at]!;
  // In the queue for a further attempt: the start is still that of the last one.
  const readyEnd = ready > begun ? last : orElse(begun, last);
  const timeEnd = orElse(ready, readyEnd);
  const upstreamEnd = orElse(bars.upstreamDone[at]!, timeEnd);
  return {
    waits: {
      upstream: interval(created, upstreamEnd),
      time: Number.isNaN(bars.upstreamDone[at]!) ? NOTHING : interval(upstreamEnd, timeEnd),
      resource: Number.isNaN(ready) ? NOTHING : interval(ready, readyEnd),
    },
    run: Number.isNaN(begun) ? undefined : interval(begun, runEnd(bars, at, { begun, now })),
    usual: usualOf(bars, at, { begun, now, isOver }),
  };
}

function runEnd(
  bars: BarStore,
  at: number,
  { begun, now }: { readonly begun: number; readonly now: number },
): number {
  const ended = bars.ended[at]!;
  if (!Number.isNaN(ended)) return Math.max(begun, ended);
  // Of an attempt that failed and will be made again the end is not kept: it is a point.
  return HELD.test(bars.statuses[at]!) ? Math.max(begun, now) : begun;
}

function usualOf(
  bars: BarStore,
  at: number,
  {
    begun,
    now,
    isOver,
  }: { readonly begun: number; readonly now: number; readonly isOver: boolean },
): BarSpan['usual'] {
  const p50 = bars.p50[bars.node[at]!];
  if (isOver) return undefined;
  if (HELD.test(bars.statuses[at]!))
    return p50 == null ? undefined : interval(begun, Math.max(begun + p50, now));
  const from = Math.max(bars.run[at]!, now);
  return { from, to: from + (p50 ?? 0) };
}

const NOTHING = { from: 0, to: 0 };

function interval(from: number, to: number): { from: number; to: number } {
  return { from, to: Math.max(from, to) };
}

/** What it waited and ran in all, in ms; for texts. */
export function timesSpent(
  bars: BarStore,
  at: number,
  now: number,
): { readonly wait: Readonly<Record<Wait, number>>; readonly ran: number | undefined } {
  const { waits, run } = barSpan(bars, at, now);
  const long = ({ from, to }: { from: number; to: number }): number => to - from;
  return {
    wait: {
      upstream: long(waits.upstream),
      time: long(waits.time),
      resource: long(waits.resource),
    },
    ran: run && long(run),
  };
}

/** From where to where something of the instance may be drawn. */
export function extentOf(bars: BarStore, at: number, now: number): { from: number; to: number } {
  const { run, usual, waits } = barSpan(bars, at, now);
  const from = run?.from ?? usual?.from ?? bars.run[at]!;
  const to = Math.max(run?.to ?? 0, usual?.to ?? 0, waits.resource.to, bars.run[at]!);
  return { from, to: Math.max(from, to) };
}
