import type { Database, Sql } from '../database.js';
import type { InstanceMatch } from '../sql/matching-instances.js';
import { refuseRemovedDate } from '../sql/removed-day.sql.js';
import { readTimelineBars, type TimelineBars } from '../sql/timeline-bars.sql.js';
import { countTimeline, type TimelineCount } from '../sql/timeline-counts.sql.js';
import type { TimelineGrouping } from '../sql/timeline-matches.js';
import { readTimelineTiles, type TileGrid, type TimelineTile } from '../sql/timeline-tiles.sql.js';
import { readUnnumbered } from '../sql/timeline-unnumbered.sql.js';
import { latestSeq } from './event-repository.js';

export interface TimelineQuery extends InstanceMatch {
  readonly groupBy: TimelineGrouping;
  readonly statuses?: readonly string[] | undefined;
  readonly frozen?: boolean | undefined;
  /** Decides, from what matches, how it is to be answered. */
  readonly shape: (counts: readonly TimelineCount[]) => 'bars' | TileGrid;
}

export interface TimelineNode {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly workflowId: number;
  readonly resourceGroupId: number;
}

export interface Timeline {
  /** The event counter: every change with a higher number is not in the answer yet. */
  readonly seq: number;
  readonly now: Date;
  readonly counts: readonly TimelineCount[];
  /** Names of the groups in `counts`, by the value that groups. */
  readonly groupNames: ReadonlyMap<string | number, string>;
  readonly bars?: TimelineBars;
  /** Of the bars. */
  readonly nodes?: readonly TimelineNode[];
  readonly workflowNames?: ReadonlyMap<number, string>;
  readonly tiles?: { readonly grid: TileGrid; readonly cells: readonly TimelineTile[] };
}

/**
 * Instances and the event counter in one snapshot, so that events above it lead on from them exactly.
 *
 * @throws MR-S207 the business date was removed
 */
export async function readTimeline(database: Database, query: TimelineQuery): Promise<Timeline> {
  return await database.transaction(async (tx) => {
    await tx.run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const seq = await latestSeq(tx);
    const [clock] = await tx.rows<{ now: Date }>('SELECT clock_timestamp() AS now');
    if (clock === undefined) throw new Error('The database did not tell its time.');
    const match = {
      ...query,
      planDays: await planDaysOf(tx, query),
      unnumbered: await readUnnumbered(tx, query.workspaceId),
    };
    const counts = await countTimeline(tx, match, query.groupBy);
    if (counts.length === 0 && query.bizdate !== undefined)
      await refuseRemovedDate(tx, query.workspaceId, query.bizdate);
    const groups = [...new Set(counts.map((count) => count.group))];
    const groupNames = await groupNamesOf(tx, query.groupBy, groups);
    const read = { seq, now: clock.now, counts, groupNames };
    const shape = query.shape(counts);
    if (shape !== 'bars') {
      const cells = await readTimelineTiles(tx, match, query.groupBy, shape);
      return { ...read, tiles: { grid: shape, cells } };
    }
    const bars = await readTimelineBars(tx, match);
    const nodes = await nodesOf(tx, bars);
    const workflows = [...new Set(nodes.map((node) => node.workflowId))];
    return { ...read, bars, nodes, workflowNames: await namesOf(tx, 'workflow', workflows) };
  });
}

/** How many days before a window an instance may have been planned to be found in it. */
export const WINDOW_PLAN_DAYS = 31;
/** Days missed while no scheduler ran are planned up to a week late. */
const CATCH_UP_DAYS = 8;

// Without the partition key each of the days that are kept would be probed (engine rule 1).
async function planDaysOf(
  sql: Sql,
  { workspaceId, bizdate, window, runGroupId }: TimelineQuery,
): Promise<string[]> {
  const rows = await sql.rows<{ planDay: string }>(
    `SELECT DISTINCT plan_day AS "planDay" FROM (
       SELECT plan_day FROM plan WHERE workspace_id = $1 AND ($2::date IS NULL OR bizdate = $2)
       UNION ALL
       SELECT plan_day FROM run_group
        WHERE workspace_id = $1 AND plan_day IS NOT NULL AND ($5::bigint IS NULL OR id = $5)
     ) AS days
      WHERE $3::timestamptz IS NULL
         OR plan_day BETWEEN ($3::timestamptz AT TIME ZONE 'UTC')::date - ${WINDOW_PLAN_DAYS}
                         AND ($4::timestamptz AT TIME ZONE 'UTC')::date + ${CATCH_UP_DAYS}`,
    [workspaceId, bizdate ?? null, window?.from ?? null, window?.to ?? null, runGroupId ?? null],
  );
  return rows.map((row) => row.planDay);
}

async function groupNamesOf(
  sql: Sql,
  groupBy: TimelineGrouping,
  groups: readonly (string | number)[],
): Promise<Map<string | number, string>> {
  if (groupBy === 'nodeType') return new Map(groups.map((group) => [group, String(group)]));
  const table = groupBy === 'workflow' ? 'workflow' : 'resource_group';
  return new Map(await namesOf(sql, table, groups.map(Number)));
}

async function namesOf(
  sql: Sql,
  table: 'workflow' | 'resource_group',
  ids: readonly number[],
): Promise<Map<number, string>> {
  const rows = await sql.rows<{ id: number; name: string }>(
    `SELECT id, name FROM ${table} WHERE id = ANY($1::bigint[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.name]));
}

/** The nodes of the bars, in the order of their first one. */
async function nodesOf(sql: Sql, bars: TimelineBars): Promise<TimelineNode[]> {
  const at = new Map<number, number>();
  for (const [index, nodeId] of bars.nodeId.entries()) if (!at.has(nodeId)) at.set(nodeId, index);
  const rows = await sql.rows<{ id: number; name: string; workflowId: number }>(
    `SELECT id, name, workflow_id AS "workflowId" FROM node WHERE id = ANY($1::bigint[])`,
    [[...at.keys()]],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return [...at].flatMap(([id, index]) => {
    const row = byId.get(id);
    const type = bars.nodeType[index];
    const resourceGroupId = bars.resourceGroupId[index];
    if (row === undefined || type === undefined || resourceGroupId === undefined) return [];
    return [{ ...row, type, resourceGroupId }];
  });
}
