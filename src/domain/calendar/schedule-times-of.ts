import { validateCron } from './cron.js';
import { periodTimes } from './period.js';
import type { Period } from './period.js';
import type { ScheduleTimes } from './schedule-times.js';

/** A schedule is written in one of the two ways; in neither, it runs each day at midnight. */
export interface ScheduleForm {
  /** Five fields: minute hour day month weekday. */
  readonly cron?: string | undefined;
  readonly period?: Period | undefined;
}

export const DAILY_AT_MIDNIGHT = '0 0 * * *';

const MAX_CACHED = 10_000;
const known = new Map<string, ScheduleTimes>();

/** Reads and checks a schedule. Throws MR-S105 for a bad cron text, MR-S112 for a bad period. */
export function scheduleTimesOf({ cron, period }: ScheduleForm): ScheduleTimes {
  // The generator asks for each node and day: a year has few different schedules and many nodes.
  const key = period === undefined ? (cron ?? DAILY_AT_MIDNIGHT) : JSON.stringify(period);
  const found = known.get(key);
  if (found !== undefined) return found;
  const times = period === undefined ? validateCron(key) : periodTimes(period);
  if (known.size >= MAX_CACHED) known.clear();
  known.set(key, times);
  return times;
}
