import { MillraceError } from '../../domain/errors.js';
import type { Database, Sql } from '../../store/database.js';
import { renewChecksum } from '../../store/sql/plan-checksum.sql.js';
import {
  type PlanEdgesMore,
  removeEdgesFrom,
  removeInstances,
} from '../../store/sql/remove-instances.sql.js';
import { replanInstances } from '../../store/sql/replan-instances.sql.js';
import { writeEvents } from '../../store/sql/write-events.sql.js';
import type { Note } from '../note.js';
import { foreseePatch } from './foresee-patch.js';
import type { PatchOrder, PatchScene } from './patch-scene.js';
import { patchTokenOf, requirePreviewed } from './patch-token.js';
import type { PlanPatch } from './plan-patch.js';
import { writeDependents } from './wire-dependents.js';
import { writeOwn } from './wire-own.js';

export interface PatchOptions {
  readonly workflowId: number;
  /** Of the preview that the user has seen: refuses a world that has changed since. */
  readonly planToken: string;
  readonly note?: Note<[patch: PlanPatch]>;
  /** Named points where a fault test may end this process. */
  readonly crashPoint?: (name: string) => Promise<void>;
}

export interface PatchPreview extends PlanPatch {
  readonly planToken: string;
}

const goOn = (): Promise<void> => Promise.resolve();

/** What the latest version would change of the plan that was made without it. It waits for nobody, and nobody for it. */
export async function previewPatch(
  database: Database,
  now: Date,
  workflowId: number,
): Promise<PatchPreview> {
  const { patch } = await database.snapshot((sql) =>
    foreseePatch(sql, now, { workflowId }, { lock: false }),
  );
  return { ...patch, planToken: patchTokenOf(workflowId, patch) };
}

/** Makes the latest version part of the plan that was made without it, in one transaction. */
export async function patchPlan(
  database: Database,
  now: Date,
  { workflowId, planToken, note, crashPoint = goOn }: PatchOptions,
): Promise<PlanPatch> {
  const patched = await database.transaction(async (tx) => {
    const patch = await applyPatch(tx, now, { workflowId }, crashPoint);
    requirePreviewed(planToken, workflowId, patch);
    await note?.(tx, patch);
    await crashPoint('patch:before-commit');
    return patch;
  });
  await crashPoint('patch:after-commit');
  return patched;
}

/** In the caller's transaction. MR-S171 where there is nothing to patch, MR-S172 where something has begun. */
export async function applyPatch(
  tx: Sql,
  now: Date,
  order: PatchOrder,
  crashPoint: NonNullable<PatchOptions['crashPoint']> = goOn,
): Promise<PlanPatch> {
  const { scene, cancelled, replanned, own, dependents, patch } = await foreseePatch(
    tx,
    now,
    order,
    { lock: true },
  );
  const runId = await enterVersion(tx, scene);
  const ids = cancelled.map((row) => row.id);
  const removed = await removeInstances(tx, scene.planDay, ids);
  await replanInstances(tx, scene.planDay, replanned);
  await crashPoint('patch:before-edges');
  const { edges, idOf } = await writeOwn(tx, now, scene, own, runId);
  const others = await writeDependents(tx, now, dependents, idOf);
  const left = await removeEdgesFrom(tx, cancelled);
  await countEdges(tx, scene, [...others, ...left]);
  await renewPlan(tx, now, scene, patch, edges - removed);
  return patch;
}

/** From this plan on it is the version that is in effect. Returns the workflow's part of the plan. */
async function enterVersion(tx: Sql, scene: PatchScene): Promise<number> {
  const { planDay, workspaceId, workflowId, versionId, runGroupId, bizdate, runId } = scene;
  await tx.run(
    `UPDATE workflow_version SET first_bizdate = least(first_bizdate, $2) WHERE id = $1`,
    [versionId, bizdate],
  );
  if (runId !== undefined) {
    await tx.run(`UPDATE workflow_instance SET version_id = $3 WHERE plan_day = $1 AND id = $2`, [
      planDay,
      runId,
      versionId,
    ]);
    return runId;
  }
  const [run] = await tx.rows<{ id: number }>(
    `INSERT INTO workflow_instance (plan_day, workspace_id, workflow_id, version_id, run_group_id, bizdate)
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
    [planDay, workspaceId, workflowId, versionId, runGroupId, bizdate],
  );
  if (run === undefined) throw new MillraceError('MR-A109', 'No workflow instance was inserted.');
  return run.id;
}

/** An edge counts in the plan of its downstream, which may be that of another zone or day. */
async function countEdges(
  tx: Sql,
  { workspaceId }: PatchScene,
  more: readonly PlanEdgesMore[],
): Promise<void> {
  const changed = more.filter(({ edges }) => edges !== 0);
  if (changed.length === 0) return;
  await tx.run(
    `UPDATE plan p SET edges = p.edges + m.edges
       FROM (SELECT timezone, bizdate, sum(edges)::int AS edges
               FROM unnest($2::text[], $3::date[], $4::int[]) AS m(timezone, bizdate, edges)
              GROUP BY timezone, bizdate) m
      WHERE p.workspace_id = $1 AND p.timezone = m.timezone AND p.bizdate = m.bizdate`,
    [
      workspaceId,
      changed.map((each) => each.timezone),
      changed.map((each) => each.bizdate),
      changed.map((each) => each.edges),
    ],
  );
}

async function renewPlan(
  tx: Sql,
  now: Date,
  scene: PatchScene,
  { added, replaced, cancelled }: PlanPatch,
  edges: number,
): Promise<void> {
  const { workspaceId, workflowId, timezone, bizdate, version } = scene;
  await tx.run(
    // One that is being made (0) stays so: the generator goes on with it.
    `UPDATE plan SET revision = revision + least(revision, 1), instances = instances + $4, edges = edges + $5
      WHERE workspace_id = $1 AND timezone = $2 AND bizdate = $3`,
    [workspaceId, timezone, bizdate, added.length - cancelled.length, edges],
  );
  if (scene.state === 'sealed' && scene.revision > 0)
    await renewChecksum(tx, { workspaceId, timezone, bizdate });
  await writeEvents(tx, now, [
    {
      workspaceId,
      type: 'plan.patched',
      payload: {
        workflowId,
        timezone,
        bizdate,
        version,
        added: added.length,
        replaced: replaced.length,
        cancelled: cancelled.length,
      },
    },
  ]);
}
