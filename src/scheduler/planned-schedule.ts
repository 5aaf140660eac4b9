import type { BusinessCalendar } from '../domain/calendar/business-calendar.js';
import type { CycleSchedule, DstPolicy } from '../domain/calendar/cycles-of.js';
import type { Period } from '../domain/calendar/period.js';
import type { Sql } from '../store/database.js';
import { calendarsNamed } from '../store/repositories/calendar-repository.js';
import { cycleScheduleOf } from './schedule-spec.js';
import type { WorkflowSpec } from './workflow-spec.js';

/** The schedule of a node of a submitted version, as `node_version` has it. */
export interface PlannedSchedule {
  readonly cron: string | null;
  readonly period: Period | null;
  readonly dst_policy: DstPolicy;
  readonly effective_from: string | null;
  readonly effective_to: string | null;
  readonly calendar: string | null;
}

/** The calendars that the nodes name, as they are now: a change counts for what is not planned yet. */
export async function calendarsOfNodes(
  sql: Sql,
  workspaceId: number,
  nodes: readonly PlannedSchedule[],
): Promise<Map<string, BusinessCalendar>> {
  const names = nodes.flatMap(({ calendar }) => (calendar === null ? [] : [calendar]));
  return await calendarsNamed(sql, workspaceId, [...new Set(names)]);
}

/** The calendars that a workflow as it is written names, as they are now. */
export async function calendarsOfSpec(
  sql: Sql,
  workspaceId: number,
  spec: WorkflowSpec,
): Promise<Map<string, BusinessCalendar>> {
  const names = [spec.schedule, ...spec.nodes.map((node) => node.schedule)].flatMap((schedule) =>
    typeof schedule?.calendar === 'string' ? [schedule.calendar] : [],
  );
  return await calendarsNamed(sql, workspaceId, [...new Set(names)]);
}

/** Throws MR-S113 when the calendar is not among `calendars`. */
export function plannedSchedule(
  node: PlannedSchedule,
  zone: string,
  calendars: ReadonlyMap<string, BusinessCalendar>,
): CycleSchedule {
  return cycleScheduleOf(
    {
      cron: node.cron ?? undefined,
      period: node.period ?? undefined,
      dstPolicy: node.dst_policy,
      effectiveFrom: node.effective_from ?? undefined,
      effectiveTo: node.effective_to ?? undefined,
      calendar: node.calendar ?? undefined,
    },
    zone,
    calendars,
  );
}
