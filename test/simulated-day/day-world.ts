import type { DstPolicy } from '../calendar/expected-cycles.js';

/** A schedule as the workflow file has it, and what it means, written out by hand. */
export interface AskedSchedule {
  readonly period: object;
  readonly dstPolicy: DstPolicy;
  /** Minutes of the day, ascending. */
  readonly minutes: readonly number[];
  readonly isByHours: boolean;
  readonly runsOn: (day: string) => boolean;
}

export interface DayNeed {
  readonly workflow: DayWorkflow;
  readonly node: DayNode;
  readonly cycle: 'same' | 'previous';
}

export interface DayNode {
  readonly name: string;
  readonly isVirtual: boolean;
  readonly isDryRun: boolean;
  readonly isSelfDependent: boolean;
  readonly schedule: AskedSchedule;
  readonly needs: readonly DayNeed[];
}

export interface DayWorkflow {
  readonly name: string;
  readonly zone: string;
  readonly nodes: readonly DayNode[];
}

type Random = () => number;

/** A day on which one of the zones turns its clock, forwards or back. */
export const DAYS_OF_CHANGE = [
  '2026-10-04', // Lord Howe, half an hour forwards
  '2026-10-25', // Berlin, back
  '2026-11-01', // Los Angeles and St John's, back
  '2027-03-14', // Los Angeles and St John's, forwards
  '2027-03-28', // Berlin, forwards
] as const;
const ZONES = [
  'Asia/Shanghai',
  'Asia/Shanghai',
  'America/Los_Angeles',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Europe/Berlin',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'UTC',
];
const POLICIES: readonly DstPolicy[] = ['run_at_next_valid', 'run_twice', 'dataworks'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MAX_NODES = 8;

export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)] as T;
}

/** A workflow that may need nodes of those that are there already, so that none waits in a circle. */
export function randomWorkflow(
  name: string,
  others: readonly DayWorkflow[],
  random: Random,
): DayWorkflow {
  const nodes: DayNode[] = [];
  const workflow = { name, zone: pick(random, ZONES), nodes };
  for (let count = 2 + below(random, MAX_NODES - 2); nodes.length < count;) {
    nodes.push({
      name: `n${nodes.length}`,
      isVirtual: random() < 0.65,
      isDryRun: random() < 0.05,
      isSelfDependent: random() < 0.25,
      schedule: randomSchedule(random),
      needs: randomNeeds(workflow, others, random),
    });
  }
  return workflow;
}

/** Each upstream once: two kinds of one pair have rules of their own, which have tests of their own. */
function randomNeeds(
  workflow: DayWorkflow,
  others: readonly DayWorkflow[],
  random: Random,
): DayNeed[] {
  const found = new Map<DayNode, DayNeed>();
  for (let count = below(random, 3); count > 0; count--) {
    const isOuter = others.length > 0 && random() < 0.3;
    const from = isOuter ? pick(random, others) : workflow;
    if (from.nodes.length === 0) continue;
    const node = pick(random, from.nodes);
    const cycle = random() < 0.75 ? 'same' : 'previous';
    if (!found.has(node)) found.set(node, { workflow: from, node, cycle });
  }
  return [...found.values()];
}

const clockTime = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

function stepped(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, no) => from + no * step);
}

function randomSchedule(random: Random): AskedSchedule {
  const dstPolicy = pick(random, POLICIES);
  const always = (): boolean => true;
  // Half of them around the hours in which clocks are turned, and round, so that cycles meet.
  const minute = random() < 0.5 ? below(random, 8) * 30 : below(random, 1440);
  const at = clockTime(minute);
  const once = { dstPolicy, minutes: [minute], isByHours: false };
  switch (
    pick(random, ['minute', 'hour', 'hours', 'day', 'day', 'days', 'week', 'month', 'year'])
  ) {
    case 'minute': {
      const step = pick(random, [5, 10, 15, 20]);
      const [from, to] = [minute, Math.min(1439, minute + step * (2 + below(random, 8)))];
      const period = { every: 'minute', step, from: clockTime(from), to: clockTime(to) };
      const minutes = stepped(from, to, step);
      return { period, dstPolicy, minutes, isByHours: true, runsOn: always };
    }
    case 'hour': {
      const step = pick(random, [1, 1, 2, 6]);
      const from = random() < 0.5 ? below(random, 4) * 30 : below(random, 120);
      const period = { every: 'hour', step, from: clockTime(from), to: '23:59' };
      const minutes = stepped(from, 1439, step * 60);
      return { period, dstPolicy, minutes, isByHours: true, runsOn: always };
    }
    case 'hours': {
      const hours = [...new Set([1, 2, 3, 8, 14, 21].filter(() => random() < 0.6))];
      if (hours.length === 0) hours.push(2);
      const past = random() < 0.5 ? 0 : below(random, 60);
      const minutes = hours.map((hour) => hour * 60 + past);
      const period = { every: 'hour', hours, minute: past };
      return { period, dstPolicy, minutes, isByHours: true, runsOn: always };
    }
    case 'days': {
      const minutes = [...new Set([minute, below(random, 1440)])].sort((a, b) => a - b);
      const period = { every: 'day', at: minutes.map(clockTime) };
      return { period, dstPolicy, minutes, isByHours: false, runsOn: always };
    }
    case 'week': {
      const days = WEEKDAYS.filter(() => random() < 0.5);
      if (days.length === 0) days.push('sun');
      const runsOn = (day: string): boolean =>
        days.includes(WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? '');
      return { ...once, period: { every: 'week', days, at }, runsOn };
    }
    case 'month': {
      const days = [1 + below(random, 28), -1];
      const runsOn = (day: string): boolean => {
        const next = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000);
        return Number(day.slice(8)) === days[0] || next.getUTCDate() === 1;
      };
      return { ...once, period: { every: 'month', days, at }, runsOn };
    }
    case 'year': {
      const dates = DAYS_OF_CHANGE.map((day) => day.slice(5)).filter(() => random() < 0.4);
      if (dates.length === 0) dates.push('10-25');
      const runsOn = (day: string): boolean => dates.includes(day.slice(5));
      return { ...once, period: { every: 'year', dates, at }, runsOn };
    }
    default:
      return { ...once, period: { every: 'day', at }, runsOn: always };
  }
}

/** As a user would write it. */
export function draftOf({ name, zone, nodes }: DayWorkflow): object {
  return {
    timezone: zone,
    nodes: nodes.map((node) => ({
      id: node.name,
      type: node.isVirtual ? 'virtual' : 'shell',
      config: node.isVirtual ? {} : { command: 'true' },
      schedule: { period: node.schedule.period, dstPolicy: node.schedule.dstPolicy },
      selfDependence: node.isSelfDependent,
      scheduleType: node.isDryRun ? 'dry_run' : 'normal',
      retry: { max: 3, intervalMs: 60_000 },
      needs: node.needs.map((need) => ({
        ...(need.workflow.name === name ? {} : { workflow: need.workflow.name }),
        node: need.node.name,
        cycle: need.cycle,
      })),
    })),
  };
}
