import { runDayOf } from './bizdate.js';
import type { Bizdate } from './bizdate.js';
import { isWorkDay } from './business-calendar.js';
import type { BusinessCalendar } from './business-calendar.js';
import type { LocalDate } from './local-date.js';
import { scheduleTimesOf } from './schedule-times-of.js';
import type { ScheduleForm } from './schedule-times-of.js';
import { localOf, zonedToInstant } from './zone.js';
import type { LocalTime } from './zone.js';

/**
 * What happens where the zone's clock jumps. Hourly means: a schedule by cron, minutes or hours that also has
 * the hour before or after.
 *
 * | | hour that is skipped | hour that is doubled |
 * |---|---|---|
 * | `run_at_next_valid` (default) | runs at the next valid minute; hourly: no cycle | first; hourly: both |
 * | `run_twice` | same | both |
 * | `dataworks` | moved by the gap, as a dry run; hourly: no cycle | second |
 *
 * Out of its day a cycle is moved further, to the first minute that the next day does not use itself.
 */
export const DST_POLICIES = ['run_at_next_valid', 'run_twice', 'dataworks'] as const;
export type DstPolicy = (typeof DST_POLICIES)[number];

export interface CycleSchedule extends ScheduleForm {
  /** IANA name. */
  readonly zone: string;
  readonly dstPolicy?: DstPolicy;
  /** First and last run day (local, both included) that has cycles. */
  readonly effectiveFrom?: LocalDate | undefined;
  readonly effectiveTo?: LocalDate | undefined;
  /** On its days off the schedule rests as on any other day on which it does not run. */
  readonly calendar?: BusinessCalendar | undefined;
}

export type DryRunReason = 'off_day' | 'dst_gap';

export interface Cycle {
  /** 1 for the first of the day. */
  readonly periodNo: number;
  readonly scheduledAt: Date;
  /** The wall clock at `scheduledAt`: what `$[...]` shows, also for a cycle that was moved out of a gap. */
  readonly local: { readonly date: LocalDate; readonly time: LocalTime };
  readonly fold: 0 | 1;
  readonly dryRun?: DryRunReason;
}

const MINUTE_MS = 60_000;

interface Occurrence {
  readonly at: Date;
  readonly dryRun?: DryRunReason;
}

/**
 * The cycles of one business date, those of the local day after it, ascending. A day on which the schedule
 * does not run has one dry-run cycle at its first clock time, so that nothing downstream waits for ever.
 * Wall times are enumerated here and not by a cron library: those skip or double cycles when the clock jumps.
 * Throws MR-S105 for a bad cron or zone, MR-S112 for a bad period.
 */
export function cyclesOf(schedule: CycleSchedule, bizdate: Bizdate): Cycle[] {
  const runDay = runDayOf(bizdate);
  if (!isEffective(schedule, runDay)) return [];
  const { zone, dstPolicy = 'run_at_next_valid' } = schedule;
  const { times, hourly } = scheduleTimesOf(schedule);
  const isRunDay = runsOn(schedule, runDay);
  const found = new Map<number, Occurrence>();
  for (const time of isRunDay ? times : times.slice(0, 1)) {
    const isHourly = isRunDay && hourly.has(Number(time.slice(0, 2)));
    for (const occurrence of occurrencesOf(runDay, time, zone, dstPolicy, isHourly, times)) {
      // A cycle moved out of a gap gives way to one that belongs to that minute.
      const known = found.get(occurrence.at.getTime());
      if (known === undefined || known.dryRun !== undefined) {
        found.set(occurrence.at.getTime(), occurrence);
      }
    }
  }
  const ascending = [...found.values()].sort((a, b) => a.at.getTime() - b.at.getTime());
  return (isRunDay ? ascending : ascending.slice(0, 1)).map(({ at, dryRun }, i) => {
    const { fold, ...local } = localOf(at, zone);
    const reason = isRunDay ? dryRun : 'off_day';
    return {
      periodNo: i + 1,
      scheduledAt: at,
      local,
      fold,
      ...(reason === undefined ? {} : { dryRun: reason }),
    };
  });
}

/**
 * A cycle of a day that ends in a gap (Nuuk), or is one (Apia in 2011), falls on the next day, which may have
 * one at that very time. Two business dates must not share a scheduled time: it says which instance is meant.
 */
function apartFromNextDay(
  at: Date,
  runDay: LocalDate,
  zone: string,
  times: readonly LocalTime[],
): Date {
  const local = localOf(at, zone);
  if (local.date === runDay || !times.includes(local.time)) return at;
  return apartFromNextDay(new Date(at.getTime() + MINUTE_MS), runDay, zone, times);
}

/** Whether cycles of this local day do something: neither an off day nor out of the effective days. */
export function runsOn(schedule: CycleSchedule, runDay: LocalDate): boolean {
  const { calendar } = schedule;
  return (
    isEffective(schedule, runDay) &&
    scheduleTimesOf(schedule).runsOn(runDay) &&
    (calendar === undefined || isWorkDay(calendar, runDay))
  );
}

function isEffective({ effectiveFrom, effectiveTo }: CycleSchedule, runDay: LocalDate): boolean {
  return (
    (effectiveFrom === undefined || runDay >= effectiveFrom) &&
    (effectiveTo === undefined || runDay <= effectiveTo)
  );
}

function occurrencesOf(
  date: LocalDate,
  time: LocalTime,
  zone: string,
  policy: DstPolicy,
  isHourly: boolean,
  times: readonly LocalTime[],
): Occurrence[] {
  const apart = (at: Date): Date => apartFromNextDay(at, date, zone, times);
  const zoned = zonedToInstant(date, time, zone);
  switch (zoned.kind) {
    case 'instant':
      return [{ at: zoned.instant }];
    case 'gap':
      if (isHourly) return [];
      if (policy === 'dataworks') return [{ at: apart(zoned.shifted), dryRun: 'dst_gap' }];
      return [{ at: apart(zoned.resumesAt) }];
    case 'fold':
      if (policy === 'dataworks') return [{ at: zoned.second }];
      if (policy === 'run_twice' || isHourly) return [{ at: zoned.first }, { at: zoned.second }];
      return [{ at: zoned.first }];
  }
}
