import type { Sql } from '../database.js';

/** A workflow's part of a daily plan that may wait for instances of another one. */
export interface DependentRun {
  readonly planDay: string;
  readonly workflowId: number;
  readonly workflow: string;
  readonly versionId: number;
  readonly bizdate: string;
  readonly timezone: string;
}

/**
 * What is planned already and may have edges from the instances of this workflow on this business date:
 * dates around it, because zones differ and previous cycles lead back; of the workflow itself the next ones.
 */
export async function dependentRuns(
  sql: Sql,
  plan: {
    readonly workspaceId: number;
    readonly runGroupId: number;
    readonly workflowId: number;
    readonly bizdate: string;
  },
): Promise<DependentRun[]> {
  return await sql.rows<DependentRun>(
    `SELECT r.plan_day AS "planDay", r.workflow_id AS "workflowId", w.name AS workflow,
            r.version_id AS "versionId", r.bizdate, v.timezone
       FROM workflow_instance r
       JOIN workflow w ON w.id = r.workflow_id
       JOIN workflow_version v ON v.id = r.version_id
      WHERE r.plan_day = ANY(ARRAY(SELECT plan_day FROM plan WHERE workspace_id = $1
                                      AND bizdate BETWEEN $4::date - 1 AND $4::date + 2))
        AND r.workspace_id = $1 AND r.run_group_id = $2
        AND r.bizdate BETWEEN $4::date - 1 AND $4::date + 2
        AND CASE WHEN r.workflow_id = $3 THEN r.bizdate > $4::date
                 ELSE EXISTS (SELECT FROM edge e JOIN node n ON n.id = e.upstream_node_id
                               WHERE e.version_id = r.version_id AND n.workflow_id = $3) END
      ORDER BY r.bizdate, r.workflow_id`,
    [plan.workspaceId, plan.runGroupId, plan.workflowId, plan.bizdate],
  );
}

/** The workflows that these versions depend on. */
export async function upstreamWorkflows(
  sql: Sql,
  versionIds: readonly number[],
): Promise<number[]> {
  const rows = await sql.rows<{ id: number }>(
    `SELECT DISTINCT n.workflow_id AS id FROM edge e JOIN node n ON n.id = e.upstream_node_id
      WHERE e.version_id = ANY($1::bigint[])`,
    [versionIds],
  );
  return rows.map((row) => row.id);
}
