import type { InstanceStatus } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';
import { Values } from './matching-instances.js';
import {
  GROUP_COLUMNS,
  matchesOf,
  msOf,
  type TimelineGrouping,
  type TimelineMatch,
} from './timeline-matches.js';

/** Matches of one group and status, whatever the status filter says. */
export interface TimelineCount {
  /** The value of the grouping's column. */
  readonly group: string | number;
  readonly status: InstanceStatus;
  readonly count: number;
  readonly frozen: number;
  /** Epoch ms between which they may start, started and ended. */
  readonly first: number;
  readonly last: number;
}

/** Counts what matches, by group and status; what it spans decides how wide a tile is. */
export async function countTimeline(
  sql: Sql,
  match: TimelineMatch,
  groupBy: TimelineGrouping,
): Promise<TimelineCount[]> {
  if (match.planDays.length === 0) return [];
  const values = new Values();
  return await sql.rows<TimelineCount>(
    `WITH ${matchesOf(match, values)}
     SELECT ${GROUP_COLUMNS[groupBy]} AS "group", status, count(*)::int AS count,
            (count(*) FILTER (WHERE frozen))::int AS frozen, ${msOf('min(run_at)')} AS first,
            ${msOf('max(greatest(run_at, started_at, ended_at))')} AS last
       FROM matches GROUP BY 1, 2`,
    values.list,
  );
}
