import { isFinal } from '../../ui/visible-state.ts';
import type { Instance } from './instances-api.ts';

/** What an instance spends its time with, in this order. */
const PHASES = ['upstream', 'time', 'resource', 'start', 'running'] as const;
export type PhaseName = (typeof PHASES)[number];

interface Phase {
  readonly name: PhaseName;
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
  /** It is still in it: `to` is now. */
  readonly isOpen: boolean;
}

type Times = Pick<
  Instance,
  'status' | 'createdAt' | 'upstreamDoneAt' | 'readyAt' | 'dispatchedAt' | 'startedAt' | 'endedAt'
>;

/** The phases between the six times of an instance, as far as it has come; `now` is epoch ms. */
export function phasesOf(instance: Times, now: number): readonly Phase[] {
  const { createdAt, upstreamDoneAt, readyAt, dispatchedAt, startedAt, endedAt } = instance;
  const times = [createdAt, upstreamDoneAt, readyAt, dispatchedAt, startedAt].map(epochOf);
  const end = epochOf(endedAt) ?? (isFinal(instance.status) ? undefined : now);
  const phases: Phase[] = [];
  PHASES.forEach((name, index) => {
    const from = times[index];
    if (from === undefined) return;
    const next = times.slice(index + 1).find((time) => time !== undefined);
    const to = next ?? end;
    // A rerun begins anew with some times and keeps others: what goes backwards is no phase.
    if (to === undefined || to < from) return;
    phases.push({ name, from, to, isOpen: next === undefined && endedAt === null });
  });
  return phases;
}

/** How long it has run, in ms, until now when it still runs; `undefined` before it started. */
export function durationOf(
  { status, startedAt, endedAt }: Pick<Instance, 'status' | 'startedAt' | 'endedAt'>,
  now: number,
): number | undefined {
  const from = epochOf(startedAt);
  if (from === undefined) return undefined;
  const to = epochOf(endedAt) ?? (isFinal(status) ? undefined : now);
  return to === undefined ? undefined : Math.max(0, to - from);
}

function epochOf(at: string | null): number | undefined {
  return at === null ? undefined : Date.parse(at);
}
