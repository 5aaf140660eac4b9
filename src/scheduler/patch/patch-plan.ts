import { MillraceError } from '../../domain/errors.js';
import type { Database, Sql } from '../../store/database.js';
import { renewChecksum } from '../../store/sql/plan-checksum.sql.js';
import { lockPlannedInstances, type PlannedRow } from '../../store/sql/planned-instances.sql.js';
import { removeEdgesFrom, removeInstances } from '../../store/sql/remove-instances.sql.js';
import { type Replanned, replanInstances } from '../../store/sql/replan-instances.sql.js';
import { writeEvents } from '../../store/sql/write-events.sql.js';
import { planInstances } from '../plan-workflow.js';
import {
  compareInstances,
  hasBegun,
  type Place,
  replan,
  scheduledAtOf,
} from './compare-instances.js';
import { lockScene, type PatchOrder, type PatchScene } from './patch-scene.js';
import { patchTokenOf, requirePreviewed } from './patch-token.js';
import type { PatchChange, PatchedInstance, PlanPatch, ReplacedInstance } from './plan-patch.js';
import { wireDependents } from './wire-dependents.js';
import { namesOf, wireOwn } from './wire-own.js';

export interface PatchOptions {
  readonly workflowId: number;
  /** Of the preview that the user has seen: refuses a world that has changed since. */
  readonly planToken: string;
  /** Writes down in the same transaction who did it; may be called again when that is repeated. */
  readonly note?: (tx: Sql, patch: PlanPatch) => Promise<void>;
  /** Named points where a fault test may end this process. */
  readonly crashPoint?: (name: string) => Promise<void>;
}

export interface PatchPreview extends PlanPatch {
  readonly planToken: string;
}

const goOn = (): Promise<void> => Promise.resolve();

/** Ends a transaction without its changes, with what it has found out. */
class Rehearsed extends Error {
  readonly patch: PlanPatch;

  constructor(patch: PlanPatch) {
    super('A preview keeps nothing.');
    this.patch = patch;
  }
}

/**
 * What the latest version would change of the plan that was made without it. It makes the patch and takes
 * it back, so that the two cannot differ; the locks of the patch are held meanwhile.
 */
export async function previewPatch(
  database: Database,
  now: Date,
  workflowId: number,
): Promise<PatchPreview> {
  try {
    return await database.transaction(async (tx): Promise<never> => {
      throw new Rehearsed(await applyPatch(tx, now, { workflowId }));
    });
  } catch (error) {
    if (!(error instanceof Rehearsed)) throw error;
    return { ...error.patch, planToken: patchTokenOf(workflowId, error.patch) };
  }
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
  const scene = await lockScene(tx, now, order);
  const before = scene.runId === undefined ? [] : await lockPlannedInstances(tx, scene);
  const compared = compareInstances(before, await planInstances(tx, scene), scene.from);
  const { cancelled, places } = compared;
  refuseBegun(cancelled);
  const changed = places.flatMap(changedOf);
  refuseBegun(changed.filter(({ changes }) => changes.length > 0).map(({ row }) => row));
  const runId = await enterVersion(tx, scene);
  const ids = cancelled.map((row) => row.id);
  const removed = await removeInstances(tx, scene.planDay, ids);
  const open = changed.filter(({ row }) => !hasBegun(row)).map(({ replanned }) => replanned);
  await replanInstances(tx, scene.planDay, open);
  await crashPoint('patch:before-edges');
  const own = await wireOwn(tx, now, scene, compared, runId);
  refuseBegun(changed.map(({ row }) => row).filter((row) => own.changed.has(row.id)));
  const others = await wireDependents(tx, now, scene, before, own.ids);
  const left = await removeEdgesFrom(tx, cancelled);
  const replaced = changed.flatMap(({ row, changes }): ReplacedInstance[] => {
    const all: PatchChange[] = own.changed.has(row.id) ? ['upstreams', ...changes] : changes;
    return all.length === 0 ? [] : [{ ...namedRow(scene, row), changes: all }];
  });
  const patch: PlanPatch = {
    workflow: scene.workflow,
    timezone: scene.timezone,
    bizdate: scene.bizdate,
    state: scene.state,
    version: scene.version,
    revision: scene.revision,
    added: (await addedOf(tx, scene, places)).sort(byTime),
    replaced: replaced.sort(byTime),
    cancelled: cancelled.map((row) => namedRow(scene, row)).sort(byTime),
    isolated: [...own.isolated, ...others.isolated].sort(byTime),
    kept: before.length - cancelled.length - replaced.length,
  };
  await renewPlan(tx, now, scene, patch, own.edges + others.edges - removed - left);
  return patch;
}

interface Changed {
  readonly row: PlannedRow;
  readonly replanned: Replanned;
  readonly changes: PatchChange[];
}

function changedOf({ row, instance }: Place): Changed[] {
  if (row === undefined || instance === undefined) return [];
  const { row: replanned, changes } = replan(row, instance);
  return [{ row, replanned, changes }];
}

const MAX_NAMED = 10;

function refuseBegun(affected: readonly PlannedRow[]): void {
  const begun = affected.filter(hasBegun);
  if (begun.length === 0) return;
  const named = begun
    .slice(0, MAX_NAMED)
    .map((row) => `${row.node_name} of ${row.scheduled_at.toISOString()} is ${row.status}`);
  const more = begun.length > MAX_NAMED ? `; and ${begun.length - MAX_NAMED} more` : '';
  throw new MillraceError('MR-S172', `${named.join('; ')}${more}.`);
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

async function addedOf(
  tx: Sql,
  { workflow, bizdate }: PatchScene,
  places: readonly Place[],
): Promise<PatchedInstance[]> {
  const added = places.filter((place) => place.row === undefined);
  const names = await namesOf(tx, [...new Set(added.map((place) => place.nodeId))]);
  return added.map((place) => ({
    workflow,
    node: names.get(place.nodeId)?.node ?? '',
    bizdate,
    scheduledAt: scheduledAtOf(place),
  }));
}

function namedRow({ workflow, bizdate }: PatchScene, row: PlannedRow): PatchedInstance {
  return { workflow, node: row.node_name, bizdate, scheduledAt: row.scheduled_at };
}

function byTime(a: PatchedInstance, b: PatchedInstance): number {
  return a.scheduledAt.getTime() - b.scheduledAt.getTime() || (a.node < b.node ? -1 : 1);
}
