import type { Sql } from '../database.js';

/**
 * The plan of a business date, made if there is none: revision 0 until all of it is planned, so that a
 * process that dies in between leaves a day that is due. Returns its plan day.
 *
 * It waits for every submit of the workspace that is under way: they hold the workspace from before they
 * look which days are planned. Without that a version could name a day as its first that was planned
 * meanwhile without it.
 */
export async function openPlan(
  sql: Sql,
  workspaceId: number,
  timezone: string,
  bizdate: string,
): Promise<string> {
  const [plan] = await sql.rows<{ plan_day: string }>(
    `INSERT INTO plan (workspace_id, timezone, bizdate, plan_day, state, revision)
     SELECT w.id, $2, $3, (clock_timestamp() AT TIME ZONE 'UTC')::date, 'planned', 0
       FROM workspace w WHERE w.id = $1 FOR NO KEY UPDATE OF w
     ON CONFLICT (workspace_id, timezone, bizdate) DO UPDATE SET revision = plan.revision
     RETURNING plan_day`,
    [workspaceId, timezone, bizdate],
  );
  if (plan === undefined) throw new Error('The plan row is missing after its upsert.');
  return plan.plan_day;
}

/** The run group of all daily plans of a workspace, made if there is none. */
export async function scheduledGroup(sql: Sql, workspaceId: number): Promise<number> {
  const [group] = await sql.rows<{ id: number }>(
    `INSERT INTO run_group (workspace_id, kind, name) VALUES ($1, 'scheduled', 'scheduled')
     ON CONFLICT (workspace_id) WHERE kind = 'scheduled' DO UPDATE SET name = excluded.name
     RETURNING id`,
    [workspaceId],
  );
  if (group === undefined) throw new Error('The scheduled run group is missing after its upsert.');
  return group.id;
}
