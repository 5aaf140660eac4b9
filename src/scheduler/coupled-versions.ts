import type { CycleSchedule } from '../domain/calendar/cycles-of.js';
import { nodesOnLoops } from '../domain/graph/nodes-on-loops.js';
import type { Sql } from '../store/database.js';
import {
  loadStandingVersions,
  loadVersionEdges,
  loadVersionNodes,
  type StandingVersion,
} from '../store/sql/load-standing-versions.sql.js';
import type { ForeignNodes } from './check-dependencies.js';
import type { EdgeScene } from './concrete-edges.js';
import { type Dependency, dependenciesOf, selfDependenceOf } from './needs-of.js';
import { calendarsOfNodes, calendarsOfSpec, plannedSchedule } from './planned-schedule.js';
import { cycleScheduleOf, nodeSchedule } from './schedule-spec.js';

export interface CoupledNode {
  /** Of another workflow `workflow/node`. */
  readonly name: string;
  readonly selfDependent: boolean;
  readonly schedule: CycleSchedule;
}

/** One version of a workflow, with those of its nodes and dependencies that may be part of a loop. */
export interface CoupledVersion {
  readonly workflowId: number;
  readonly timezone: string;
  readonly firstBizdate: string;
  readonly nodes: ReadonlyMap<number, CoupledNode>;
  readonly dependencies: readonly Dependency[];
}

/**
 * The workflow as it is written and those that it waits for and that wait for it, directly or not, the newer
 * versions of each first. What is not scheduled counts as if it were: switching it on is not checked again.
 * Empty where no path over any kind of dependency comes back to where it began.
 */
export async function coupledVersions(
  sql: Sql,
  scene: EdgeScene,
  foreign: ForeignNodes,
): Promise<CoupledVersion[]> {
  const versions = [await writtenVersion(sql, scene, foreign)];
  if (foreign.size > 0) versions.push(...(await otherVersions(sql, scene, foreign)));
  const ids = [...new Set(versions.flatMap(({ nodes }) => [...nodes.keys()]))];
  const indexOf = new Map(ids.map((id, index) => [id, index]));
  const upstreams: number[][] = ids.map(() => []);
  for (const { upstream, downstream } of versions.flatMap((each) => each.dependencies)) {
    const [up, down] = [indexOf.get(upstream), indexOf.get(downstream)];
    if (up !== undefined && down !== undefined) upstreams[down]?.push(up);
  }
  const onLoops = new Set(nodesOnLoops(upstreams).map((index) => ids[index]));
  return versions
    .map((version) => ({
      ...version,
      nodes: new Map([...version.nodes].filter(([id]) => onLoops.has(id))),
      dependencies: version.dependencies.filter(
        ({ upstream, downstream }) => onLoops.has(upstream) && onLoops.has(downstream),
      ),
    }))
    .filter(({ nodes }) => nodes.size > 0);
}

async function writtenVersion(
  sql: Sql,
  { id: workflowId, workspaceId, name, spec, timezone, bizdate }: EdgeScene,
  foreign: ForeignNodes,
): Promise<CoupledVersion> {
  const known = await sql.rows<{ id: number; name: string }>(
    `SELECT id, name FROM node WHERE workflow_id = $1`,
    [workflowId],
  );
  // What others wait for has an id; new nodes get one below zero, so that no real one is met.
  const ids = new Map(spec.nodes.map((node, index) => [node.id, -1 - index]));
  for (const node of known) if (ids.has(node.name)) ids.set(node.name, node.id);
  const calendars = await calendarsOfSpec(sql, workspaceId, spec);
  const nodes = spec.nodes.map((node): [number, CoupledNode] => {
    const schedule = nodeSchedule(node.schedule, spec.schedule);
    return [
      ids.get(node.id) ?? 0,
      {
        name: node.id,
        selfDependent: selfDependenceOf(node).selfDependent,
        schedule: cycleScheduleOf(schedule, timezone, calendars),
      },
    ];
  });
  const idOf = (node: string, other?: string): number | undefined =>
    other === undefined ? ids.get(node) : (foreign.get(`${other}/${node}`)?.nodeId ?? undefined);
  const dependencies = dependenciesOf(spec, name, idOf, foreign.values());
  return { workflowId, timezone, firstBizdate: bizdate, nodes: new Map(nodes), dependencies };
}

async function otherVersions(
  sql: Sql,
  { id, workspaceId, bizdate }: EdgeScene,
  foreign: ForeignNodes,
): Promise<CoupledVersion[]> {
  const standing = await loadStandingVersions(sql, workspaceId, bizdate);
  const needed = [...foreign.values()].flatMap(({ workflowId }) => workflowId ?? []);
  const around = workflowsAround(id, needed, standing);
  const versions = standing.filter((each) => around.has(each.workflowId));
  if (versions.length === 0) return [];
  const versionIds = versions.map(({ versionId }) => versionId);
  const nodes = await loadVersionNodes(sql, versionIds);
  const edges = byVersion(await loadVersionEdges(sql, versionIds));
  const calendars = await calendarsOfNodes(sql, workspaceId, nodes);
  const nodesOf = byVersion(nodes);
  return versions.map(({ versionId, workflow, ...version }) => ({
    ...version,
    nodes: new Map(
      (nodesOf.get(versionId) ?? []).map((node) => [
        node.nodeId,
        {
          name: `${workflow}/${node.name}`,
          selfDependent: node.selfDependent,
          schedule: plannedSchedule(node, version.timezone, calendars),
        },
      ]),
    ),
    dependencies: edges.get(versionId) ?? [],
  }));
}

function byVersion<T extends { readonly versionId: number }>(
  rows: readonly T[],
): ReadonlyMap<number, readonly T[]> {
  const found = new Map<number, T[]>();
  for (const row of rows) {
    const own = found.get(row.versionId) ?? [];
    found.set(row.versionId, own);
    own.push(row);
  }
  return found;
}

/** Those above the workflow that also lie below it; none where no path leads back to it. */
function workflowsAround(
  id: number,
  needed: readonly number[],
  standing: readonly StandingVersion[],
): Set<number> {
  const above = new Set(needed);
  for (const upper of above) {
    if (upper === id) continue;
    for (const each of standing)
      if (each.workflowId === upper) for (const up of each.upstreams) above.add(up);
  }
  const below = new Set([id]);
  for (const upper of below) {
    for (const each of standing) if (each.upstreams.includes(upper)) below.add(each.workflowId);
  }
  return new Set([...above].filter((workflow) => workflow !== id && below.has(workflow)));
}
