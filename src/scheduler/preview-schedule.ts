import { parseBizdate } from '../domain/calendar/bizdate.js';
import { type CyclesFrom, type NextCycle, nextCycles } from '../domain/calendar/next-cycles.js';
import { MillraceError } from '../domain/errors.js';
import type { Sql } from '../store/database.js';
import { calendarsNamed } from '../store/repositories/calendar-repository.js';
import { cycleScheduleOf, hasTimes, type ScheduleSpec } from './schedule-spec.js';

export interface SchedulePreviewOptions {
  readonly workspaceId: number;
  readonly schedule: ScheduleSpec;
  /** The workspace's without it. */
  readonly timezone?: string | undefined;
  /** From its first cycle on; from now on without it. */
  readonly bizdate?: string | undefined;
  readonly count: number;
}

export interface SchedulePreview {
  readonly timezone: string;
  /** It says no times: it runs each day at midnight. */
  readonly defaultTimes: boolean;
  /** Without the days on which the schedule rests. */
  readonly cycles: readonly NextCycle[];
}

/** When a schedule runs next, also one that is not submitted; changes nothing. */
export async function previewSchedule(
  sql: Sql,
  now: Date,
  { workspaceId, schedule, bizdate, count, timezone }: SchedulePreviewOptions,
): Promise<SchedulePreview> {
  const zone = timezone ?? (await timezoneOf(sql, workspaceId));
  const { calendar } = schedule;
  const calendars = await calendarsNamed(
    sql,
    workspaceId,
    calendar === undefined ? [] : [calendar],
  );
  const cycles = nextCycles(
    cycleScheduleOf(schedule, zone, calendars),
    startOf(bizdate, now),
    count,
    { realOnly: true },
  );
  return { timezone: zone, defaultTimes: !hasTimes(schedule), cycles };
}

/** A business date means all of its cycles, none means what is still to come. */
export function startOf(bizdate: string | undefined, now: Date): CyclesFrom {
  return bizdate === undefined ? { after: now } : { bizdate: parseBizdate(bizdate) };
}

async function timezoneOf(sql: Sql, workspaceId: number): Promise<string> {
  const [row] = await sql.rows<{ timezone: string }>(
    `SELECT timezone FROM workspace WHERE id = $1`,
    [workspaceId],
  );
  if (row === undefined)
    throw new MillraceError('MR-A104', 'The workspace has been removed meanwhile.');
  return row.timezone;
}
