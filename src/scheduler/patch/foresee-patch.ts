import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../../store/database.js';
import { plannedInstances, type PlannedRow } from '../../store/sql/planned-instances.sql.js';
import type { Replanned } from '../../store/sql/replan-instances.sql.js';
import { foreignNodesOf } from '../check-dependencies.js';
import { refuseLoops } from '../edge-findings.js';
import type { ForeseenCycle, ForeseenPlan } from '../foreseen-plan.js';
import { planInstances } from '../plan-workflow.js';
import { readSpec } from '../read-spec.js';
import {
  compareInstances,
  type Compared,
  hasBegun,
  idOfPlace,
  type Place,
  replan,
  scheduledAtOf,
} from './compare-instances.js';
import { lookAtScene, type PatchLook, type PatchOrder, type PatchScene } from './patch-scene.js';
import type { PatchChange, PatchedInstance, PlanPatch, ReplacedInstance } from './plan-patch.js';
import { type DependentWiring, foreseeDependents } from './wire-dependents.js';
import { foreseeOwn, namesOf, type OwnWiring } from './wire-own.js';

/** Everything that a patch is going to write, and what is said of it. */
export interface ForeseenPatch {
  readonly scene: PatchScene;
  readonly cancelled: readonly PlannedRow[];
  readonly replanned: readonly Replanned[];
  readonly own: OwnWiring;
  readonly dependents: readonly DependentWiring[];
  readonly patch: PlanPatch;
}

/**
 * Works out what the latest version changes of a plan that was made without it. Only reads: a preview shows
 * it, a patch locks what it looks at and writes it. MR-S171 where there is nothing to patch, MR-S172 where
 * something has begun.
 */
export async function foreseePatch(
  sql: Sql,
  now: Date,
  order: PatchOrder,
  look: PatchLook,
): Promise<ForeseenPatch> {
  const scene = await lookAtScene(sql, now, order, look);
  await refuseLoopsOf(sql, scene);
  const before = scene.runId === undefined ? [] : await plannedInstances(sql, scene, look);
  const compared = compareInstances(before, await planInstances(sql, scene), scene.from);
  const { cancelled, places } = compared;
  refuseBegun(cancelled);
  const changed = places.flatMap(changedOf);
  refuseBegun(changed.filter(({ changes }) => changes.length > 0).map(({ row }) => row));
  const foreseen = foreseenPlan(scene, before, compared);
  const own = await foreseeOwn(sql, scene, compared, foreseen);
  refuseBegun(changed.map(({ row }) => row).filter((row) => own.changed.has(row.id)));
  const dependents = await foreseeDependents(sql, scene, before, foreseen, look);
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
    added: (await addedOf(sql, scene, places)).sort(byTime),
    replaced: replaced.sort(byTime),
    cancelled: cancelled.map((row) => namedRow(scene, row)).sort(byTime),
    isolated: [...own.isolated, ...dependents.flatMap((each) => each.isolated)].sort(byTime),
    kept: before.length - cancelled.length - replaced.length,
  };
  const open = changed.filter(({ row }) => !hasBegun(row));
  const replanned = open.map((each) => each.replanned);
  return { scene, cancelled, replanned, own, dependents, patch };
}

/** It was checked for the days from its own first one on: beside it were other versions. */
async function refuseLoopsOf(
  sql: Sql,
  { versionId, workflowId, workspaceId, workflow, timezone, bizdate }: PatchScene,
): Promise<void> {
  const [version] = await sql.rows<{ spec: unknown }>(
    `SELECT spec FROM workflow_version WHERE id = $1`,
    [versionId],
  );
  const spec = readSpec(version?.spec);
  const dependent = { id: workflowId, workspaceId, name: workflow };
  const foreign = await foreignNodesOf(sql, dependent, spec);
  await refuseLoops(sql, { ...dependent, spec, timezone, bizdate }, foreign, { days: 1 });
}

function foreseenPlan(
  { versionId, planDay, bizdate }: PatchScene,
  before: readonly PlannedRow[],
  { places, cancelled, own }: Compared,
): ForeseenPlan {
  const nodes = new Map<number, ForeseenCycle[]>();
  for (const [nodeId, { cycles }] of own) {
    const foreseen = cycles.flatMap(({ index, ...cycle }) => {
      const place = places[index];
      return place === undefined ? [] : [{ ...cycle, id: idOfPlace(place, index) }];
    });
    nodes.set(nodeId, foreseen);
  }
  const gone = new Set(cancelled);
  for (const row of [...before].sort(
    (a, b) => a.scheduled_at.getTime() - b.scheduled_at.getTime(),
  )) {
    if (own.has(row.node_id)) continue;
    // Of a node that the new version does not have: what is over of it stays.
    const cycles = nodes.get(row.node_id) ?? [];
    nodes.set(row.node_id, cycles);
    if (gone.has(row)) continue;
    cycles.push({ id: row.id, scheduledAt: row.scheduled_at, periodNo: row.period_no });
  }
  return { versionId, planDay, bizdate, nodes, cancelled: cancelled.map((row) => row.id) };
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

async function addedOf(
  sql: Sql,
  { workflow, bizdate }: PatchScene,
  places: readonly Place[],
): Promise<PatchedInstance[]> {
  const added = places.filter((place) => place.row === undefined);
  const names = await namesOf(sql, [...new Set(added.map((place) => place.nodeId))]);
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
