import type { ViewWindow } from './view-window.ts';
import { clockChanges, instantOf, localMs } from '../../ui/zone-clock.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30 * DAY;

/** A step of the lower tier: so many ms on the wall's clock, or so many calendar months. */
interface Step {
  readonly ms: number;
  readonly months?: number;
}

const STEPS: readonly Step[] = [
  ...[100, 200, 500].map((ms) => ({ ms })),
  ...[1, 2, 5, 10, 15, 30].map((n) => ({ ms: n * SECOND })),
  ...[1, 2, 5, 10, 15, 30].map((n) => ({ ms: n * MINUTE })),
  ...[1, 2, 3, 6, 12].map((n) => ({ ms: n * HOUR })),
  ...[1, 2, 7].map((n) => ({ ms: n * DAY })),
  ...[1, 3, 12].map((months) => ({ ms: months * MONTH, months })),
];
const LEAST_PX = 76;

export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** What the upper tier says of a stretch of time. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

export interface TimeAxis {
  readonly ticks: readonly Tick[];
  readonly stretches: readonly Stretch[];
  /** Where clocks are changed: after `at` they show `byMs` more. */
  readonly changes: readonly { readonly at: number; readonly byMs: number }[];
}

/**
 * The two tiers of the axis in the zone's wall time. Ticks follow the wall and not the elapsed time:
 * six o'clock stays under a tick on the day on which clocks are changed.
 */
export function timeAxis(
  view: ViewWindow,
  {
    width,
    zone,
    language,
  }: { readonly width: number; readonly zone: string; readonly language: string },
): TimeAxis {
  const step = stepFor(view, width);
  const ticks = instantsOf(view, step, zone).map((at) => ({
    at,
    label: tickLabel(at, step, zone),
  }));
  const span = view.to - view.from;
  return {
    ticks,
    stretches: stretchesOf(view, { step, zone, language }),
    changes: span > 62 * DAY || span < MINUTE ? [] : clockChanges(view, zone),
  };
}

function stepFor(view: ViewWindow, width: number): Step {
  const least = ((view.to - view.from) / Math.max(1, width)) * LEAST_PX;
  return STEPS.find(({ ms }) => ms >= least) ?? STEPS.at(-1)!;
}

function instantsOf({ from, to }: ViewWindow, step: Step, zone: string): number[] {
  const end = localMs(to, zone) + step.ms;
  const instants: number[] = [];
  let local = floorTo(localMs(from, zone), step);
  while (local <= end && instants.length < 1_000) {
    const at = instantOf(local, zone);
    // A wall time that a changed clock skips falls on the next one.
    if (at >= from && at <= to && at !== instants.at(-1)) instants.push(at);
    local = nextOf(local, step);
  }
  return instants;
}

function floorTo(local: number, { ms, months }: Step): number {
  if (months === undefined) {
    // Weeks begin on a Monday: the epoch was a Thursday.
    const shift = ms === 7 * DAY ? -3 * DAY : 0;
    return Math.floor((local - shift) / ms) * ms + shift;
  }
  const date = new Date(local);
  const month = Math.floor(date.getUTCMonth() / months) * months;
  return Date.UTC(date.getUTCFullYear(), month, 1);
}

function nextOf(local: number, { ms, months }: Step): number {
  if (months === undefined) return local + ms;
  const date = new Date(local);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
}

/** What of an ISO 8601 wall time a tick of this step has to say. */
function tickLabel(at: number, { ms, months }: Step, zone: string): string {
  const text = new Date(localMs(at, zone)).toISOString();
  if (months !== undefined) return text.slice(0, 7);
  if (ms >= DAY) return text.slice(5, 10);
  if (ms >= MINUTE) return text.slice(11, 16);
  return ms >= SECOND ? text.slice(11, 19) : text.slice(11, 21);
}

function stretchesOf(
  view: ViewWindow,
  {
    step,
    zone,
    language,
  }: { readonly step: Step; readonly zone: string; readonly language: string },
): Stretch[] {
  const upper = upperOf(step);
  const bounds = [
    view.from,
    ...instantsOf(view, upper, zone).filter((at) => at > view.from),
    view.to,
  ];
  return bounds.slice(0, -1).map((from, place) => ({
    from,
    to: bounds[place + 1]!,
    label: upperLabel(from, upper, { zone, language }),
  }));
}

function upperOf(step: Step): Step {
  if (step.ms < MINUTE) return { ms: MINUTE };
  if (step.ms < DAY) return { ms: DAY };
  return step.months === undefined ? { ms: MONTH, months: 1 } : { ms: 12 * MONTH, months: 12 };
}

function upperLabel(
  at: number,
  { ms, months }: Step,
  { zone, language }: { readonly zone: string; readonly language: string },
): string {
  const text = new Date(localMs(at, zone)).toISOString();
  if (months === 12) return text.slice(0, 4);
  if (months === 1) return text.slice(0, 7);
  if (ms === MINUTE) return text.slice(0, 16).replace('T', ' ');
  const weekday = new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: zone }).format(
    at,
  );
  return `${text.slice(0, 10)} (${weekday})`;
}
