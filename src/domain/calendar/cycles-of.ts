import { runDayOf } from './bizdate.js';
import type { Bizdate } from './bizdate.js';
import { validateCron } from './cron.js';
import type { LocalDate } from './local-date.js';
import { localOf, zonedToInstant } from './zone.js';
import type { LocalTime } from './zone.js';

/**
 * What happens where the zone's clock jumps. Hourly means: the schedule also has the hour before or after.
 *
 * | | hour that is skipped | hour that is doubled |
 * |---|---|---|
 * | `run_at_next_valid` (default) | runs at the next valid minute; hourly: no cycle | first; hourly: both |
 * | `run_twice` | same | both |
 * | `dataworks` | moved by the gap, as a dry run; hourly: no cycle | second |
 */
export const DST_POLICIES = ['run_at_next_valid', 'run_twice', 'dataworks'] as const;
export type DstPolicy = (typeof DST_POLICIES)[number];

export interface CycleSchedule {
  readonly cron: string;
  /** IANA name. */
  readonly zone: string;
  readonly dstPolicy?: DstPolicy;
  /** First and last run day (local, both included) that has cycles. */
  readonly effectiveFrom?: LocalDate;
  readonly effectiveTo?: LocalDate;
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

interface Occurrence {
  readonly at: Date;
  readonly dryRun?: DryRunReason;
}

/**
 * The cycles of one business date, those of the local day after it, ascending. A day on which the cron does
 * not run has one dry-run cycle at the cron's first clock time, so that nothing downstream waits for ever.
 * Wall times are enumerated here and not by a cron library: those skip or double cycles when the clock jumps.
 * Throws MR-S105 for a bad cron or zone.
 */
export function cyclesOf(schedule: CycleSchedule, bizdate: Bizdate): Cycle[] {
  const runDay = runDayOf(bizdate);
  if (schedule.effectiveFrom !== undefined && runDay < schedule.effectiveFrom) return [];
  if (schedule.effectiveTo !== undefined && runDay > schedule.effectiveTo) return [];
  const { cron, zone, dstPolicy = 'run_at_next_valid' } = schedule;
  const { times, hours, runsOn } = validateCron(cron);
  const isRunDay = runsOn(runDay);
  const found = new Map<number, Occurrence>();
  for (const time of isRunDay ? times : times.slice(0, 1)) {
    const isHourly = isRunDay && hasNeighbour(hours, Number(time.slice(0, 2)));
    for (const occurrence of occurrencesOf(runDay, time, zone, dstPolicy, isHourly)) {
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

function occurrencesOf(
  date: LocalDate,
  time: LocalTime,
  zone: string,
  policy: DstPolicy,
  isHourly: boolean,
): Occurrence[] {
  const zoned = zonedToInstant(date, time, zone);
  switch (zoned.kind) {
    case 'instant':
      return [{ at: zoned.instant }];
    case 'gap':
      if (isHourly) return [];
      if (policy === 'dataworks') return [{ at: zoned.shifted, dryRun: 'dst_gap' }];
      return [{ at: zoned.resumesAt }];
    case 'fold':
      if (policy === 'dataworks') return [{ at: zoned.second }];
      if (policy === 'run_twice' || isHourly) return [{ at: zoned.first }, { at: zoned.second }];
      return [{ at: zoned.first }];
  }
}

/** `0 * * * *` and `0 1-5 * * *` are hourly at 02:00; `30 2 * * *` and `0 2,14 * * *` would lose a run. */
function hasNeighbour(hours: ReadonlySet<number>, hour: number): boolean {
  return hours.has(hour - 1) || hours.has(hour + 1);
}
