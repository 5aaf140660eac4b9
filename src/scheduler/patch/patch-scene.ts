import { type Bizdate, bizdateOf, parseBizdate, plusDays } from '../../domain/calendar/bizdate.js';
import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../../store/database.js';
import {
  dependentRuns,
  type DependentRun,
  upstreamWorkflows,
} from '../../store/sql/dependent-runs.sql.js';
import { lockWorkflows } from '../../store/sql/lock-workflows.sql.js';
import { latestVersion, type LatestVersion } from '../run-workflow.js';

export interface PatchOrder {
  readonly workflowId: number;
  /** The one before the first business date of the latest version without it. */
  readonly bizdate?: Bizdate;
  /** Only cycles from this instant on are touched, and nothing that has begun; also of a plan in the making. */
  readonly from?: Date;
}

/** A plan, what is planned beside it, and the version that is to be in it. */
export interface PatchScene extends LatestVersion {
  readonly workflow: string;
  readonly runGroupId: number;
  readonly planDay: string;
  readonly bizdate: Bizdate;
  readonly state: 'planned' | 'sealed';
  readonly revision: number;
  /** The workflow's part of the plan; absent: the plan was made without it. */
  readonly runId: number | undefined;
  readonly from: Date | undefined;
  readonly dependents: readonly DependentRun[];
}

interface PlanRow {
  readonly planDay: string;
  readonly state: 'planned' | 'sealed';
  readonly revision: number;
}

export interface PatchLook {
  /** Keeps all that is looked at as it is, for who goes on to write; a preview only looks. */
  readonly lock: boolean;
}

/** MR-S171 where there is no plan to patch. */
export async function lookAtScene(
  tx: Sql,
  now: Date,
  order: PatchOrder,
  look: PatchLook,
): Promise<PatchScene> {
  const version = await latestVersion(tx, order.workflowId);
  const [about] = await tx.rows<{ name: string; scheduled: boolean; first: string; group: number }>(
    `SELECT w.name, w.scheduled, v.first_bizdate AS first, g.id AS "group"
       FROM workflow_version v JOIN workflow w ON w.id = v.workflow_id
       LEFT JOIN run_group g ON g.workspace_id = w.workspace_id AND g.kind = 'scheduled'
      WHERE v.id = $1`,
    [version.versionId],
  );
  if (about?.scheduled !== true) throw unpatchable(`"${about?.name}" is not scheduled.`);
  const bizdate = order.bizdate ?? plusDays(parseBizdate(about.first), -1);
  if (about.first <= bizdate) {
    throw unpatchable(`Version ${version.version} is planned from ${about.first} on already.`);
  }
  if (bizdate < bizdateOf(now, version.timezone)) {
    throw unpatchable(
      `Version ${version.version} is planned from ${about.first} on, and the day before that is over.`,
    );
  }
  const where = { ...version, runGroupId: about.group, bizdate };
  if (look.lock) await lockAround(tx, where);
  const plan = await planOf(tx, where, { ...look, unfinishedToo: order.from !== undefined });
  const [run] = await tx.rows<{ id: number; timezone: string }>(
    `SELECT r.id, v.timezone FROM workflow_instance r JOIN workflow_version v ON v.id = r.version_id
      WHERE r.plan_day BETWEEN $1::date - 7 AND $1::date + 7 AND r.run_group_id = $2
        AND r.workflow_id = $3 AND r.bizdate = $4`,
    [plan.planDay, about.group, order.workflowId, bizdate],
  );
  if (run !== undefined && run.timezone !== version.timezone) {
    throw unpatchable(`It is planned in the zone ${run.timezone}, not in ${version.timezone}.`);
  }
  return {
    ...where,
    ...plan,
    workflow: about.name,
    runId: run?.id,
    from: order.from,
    dependents: await dependentRuns(tx, where),
  };
}

export function unpatchable(detail: string): MillraceError {
  return new MillraceError('MR-S171', detail);
}

/** Nobody plans meanwhile what waits for this workflow or what it waits for. */
async function lockAround(
  tx: Sql,
  scene: Pick<PatchScene, 'workspaceId' | 'workflowId' | 'versionId' | 'runGroupId' | 'bizdate'>,
): Promise<void> {
  const dependents = await dependentRuns(tx, scene);
  const versions = [scene.versionId, ...dependents.map((each) => each.versionId)];
  const workflows = [
    scene.workflowId,
    ...dependents.map((each) => each.workflowId),
    ...(await upstreamWorkflows(tx, versions)),
  ];
  await lockWorkflows(tx, [...new Set(workflows)]);
}

async function planOf(
  tx: Sql,
  { workspaceId, timezone, bizdate }: Pick<PatchScene, 'workspaceId' | 'timezone' | 'bizdate'>,
  { lock, unfinishedToo }: PatchLook & { readonly unfinishedToo: boolean },
): Promise<PlanRow> {
  const [plan] = await tx.rows<PlanRow>(
    `SELECT plan_day AS "planDay", state, revision FROM plan
      WHERE workspace_id = $1 AND timezone = $2 AND bizdate = $3 ${lock ? 'FOR NO KEY UPDATE' : ''}`,
    [workspaceId, timezone, bizdate],
  );
  if (plan !== undefined && (unfinishedToo || plan.revision > 0)) return plan;
  const what = plan === undefined ? 'is not made yet' : 'is being made';
  throw unpatchable(`The plan of ${bizdate} in ${timezone} ${what}.`);
}
