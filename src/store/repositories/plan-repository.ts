import type { SizeJump } from '../../domain/plan/size-jump.js';
import type { Database, Sql } from '../database.js';
import { planChecksum } from '../sql/plan-checksum.sql.js';

/** The daily plan of a business date in one zone. */
export interface Plan {
  readonly timezone: string;
  readonly bizdate: string;
  readonly state: 'planned' | 'sealed';
  /** 0 until it is made to its end; each patch adds one. */
  readonly revision: number;
  readonly instances: number;
  readonly edges: number;
  /** The median of the plans before it when it was made; null: there were too few. */
  readonly usualInstances: number | null;
  readonly sizeJump: SizeJump | null;
  readonly checksum: string | null;
  readonly plannedAt: Date;
  readonly sealedAt: Date | null;
}

export interface PlanPage {
  readonly workspaceId: number;
  /** Key of the last row of the page before. */
  readonly before: readonly [bizdate: string, timezone: string] | undefined;
  readonly limit: number;
}

export interface PlannedWorkflow {
  readonly workflowId: number;
  readonly workflow: string;
  readonly version: number;
  readonly instances: number;
}

const COLUMNS = `timezone, bizdate, state, revision, instances, edges, usual_instances AS "usualInstances",
  size_jump AS "sizeJump", checksum, planned_at AS "plannedAt", sealed_at AS "sealedAt"`;

/** A page of the plans of a workspace, newest business date first. */
export async function listPlans(sql: Sql, page: PlanPage): Promise<Plan[]> {
  const [bizdate, timezone] = page.before ?? ['infinity', ''];
  return await sql.rows<Plan>(
    `SELECT ${COLUMNS} FROM plan
      WHERE workspace_id = $1 AND (bizdate < $2::date OR (bizdate = $2::date AND timezone > $3))
      ORDER BY bizdate DESC, timezone LIMIT $4`,
    [page.workspaceId, bizdate, timezone, page.limit],
  );
}

export async function planByKey(
  sql: Sql,
  workspaceId: number,
  timezone: string,
  bizdate: string,
): Promise<Plan | undefined> {
  const [plan] = await sql.rows<Plan>(
    `SELECT ${COLUMNS} FROM plan WHERE workspace_id = $1 AND timezone = $2 AND bizdate = $3`,
    [workspaceId, timezone, bizdate],
  );
  return plan;
}

/** Which versions a plan was made of, the one with the most instances first. */
export async function workflowsOfPlan(
  sql: Sql,
  workspaceId: number,
  timezone: string,
  bizdate: string,
): Promise<PlannedWorkflow[]> {
  return await sql.rows<PlannedWorkflow>(
    `SELECT w.id AS "workflowId", w.name AS workflow, v.version, count(i.id)::int AS instances
       FROM plan p
       JOIN run_group g ON g.workspace_id = p.workspace_id AND g.kind = 'scheduled'
       JOIN workflow_instance r ON r.plan_day = p.plan_day AND r.run_group_id = g.id
                               AND r.bizdate = p.bizdate
       JOIN workflow_version v ON v.id = r.version_id AND v.timezone = p.timezone
       JOIN workflow w ON w.id = r.workflow_id
       LEFT JOIN node_instance i ON i.plan_day = p.plan_day AND i.workflow_instance_id = r.id
      WHERE p.workspace_id = $1 AND p.timezone = $2 AND p.bizdate = $3
      GROUP BY w.id, w.name, v.version ORDER BY instances DESC, w.name`,
    [workspaceId, timezone, bizdate],
  );
}

export interface CheckedPlans {
  readonly checked: number;
  /** Those whose rows give another checksum than was written at their seal. */
  readonly changed: readonly {
    readonly workspace: string;
    readonly timezone: string;
    readonly bizdate: string;
    readonly checksum: string;
    readonly now: string;
  }[];
}

/** Works out the checksum of every sealed plan whose day was not removed. Reads all of them. */
export async function checkPlans(database: Database): Promise<CheckedPlans> {
  const plans = await database.rows<
    Omit<CheckedPlans['changed'][number], 'now'> & { readonly workspaceId: number }
  >(
    `SELECT p.workspace_id AS "workspaceId", w.name AS workspace, p.timezone, p.bizdate, p.checksum
       FROM plan p JOIN workspace w ON w.id = p.workspace_id
      WHERE p.checksum IS NOT NULL
        AND NOT EXISTS (SELECT FROM removed_day d WHERE d.plan_day = p.plan_day)
      ORDER BY p.bizdate, p.workspace_id, p.timezone`,
  );
  const changed: CheckedPlans['changed'][number][] = [];
  for (const { workspaceId, ...plan } of plans) {
    const changedTo = await database.transaction(async (tx) => {
      // One snapshot for the row and what it is about: a patch may renew both meanwhile.
      await tx.run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const found = await planByKey(tx, workspaceId, plan.timezone, plan.bizdate);
      const now = await planChecksum(tx, { workspaceId, ...plan });
      return found === undefined || found.checksum === now
        ? undefined
        : { ...plan, checksum: found.checksum ?? '', now };
    });
    if (changedTo !== undefined) changed.push(changedTo);
  }
  return { checked: plans.length, changed };
}
