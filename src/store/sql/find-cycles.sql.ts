import type { Sql } from '../database.js';

/** An instance that is there, by what an edge knows of it. */
export interface FoundCycle {
  readonly nodeId: number;
  readonly bizdate: string;
  readonly periodNo: number;
  readonly scheduledAt: Date;
  readonly planDay: string;
  readonly id: number;
}

/** The instances of these nodes and business dates in a run group, ascending by time. */
export async function findCycles(
  sql: Sql,
  runGroupId: number,
  workspaceId: number,
  nodeIds: readonly number[],
  bizdates: readonly string[],
): Promise<FoundCycle[]> {
  if (nodeIds.length === 0) return [];
  const days = await sql.rows<{ plan_day: string }>(
    `SELECT plan_day FROM plan WHERE workspace_id = $1 AND bizdate = ANY($2::date[])
     UNION SELECT plan_day FROM run_group WHERE id = $3 AND plan_day IS NOT NULL`,
    [workspaceId, bizdates, runGroupId],
  );
  return await sql.rows<FoundCycle>(
    `SELECT node_id AS "nodeId", bizdate, period_no AS "periodNo", scheduled_at AS "scheduledAt",
            plan_day AS "planDay", id
       FROM node_instance
      WHERE plan_day = ANY($1::date[]) AND workspace_id = $2 AND bizdate = ANY($3::date[])
        AND run_group_id = $4 AND node_id = ANY($5::bigint[]) AND path = ''
      ORDER BY scheduled_at, id`,
    [days.map((day) => day.plan_day), workspaceId, bizdates, runGroupId, nodeIds],
  );
}
