import { type Bizdate, plusDays } from '../domain/calendar/bizdate.js';
import { type CycleRef, previousCycle } from '../domain/graph/match-cycles.js';
import type { Sql } from '../store/database.js';
import type { PlannedAwaitedEdge } from '../store/sql/await-upstreams.sql.js';
import { findLastBefore } from '../store/sql/find-last-before.sql.js';
import type { PlannedEdge, PlannedOuterEdge } from '../store/sql/insert-plan.sql.js';
import { type DependencyRow, loadDependencies } from '../store/sql/load-dependencies.sql.js';
import { lockWorkflows } from '../store/sql/lock-workflows.sql.js';
import { edgesOf, type OwnNode } from './edges-of.js';
import { type ForeseenPlan, lastForeseen } from './foreseen-plan.js';
import { nodesOfRunGroup, type OutsideNodes, plannedNodes } from './outside-nodes.js';

/** A cycle of the plan that is made. */
export interface PlannedCycle extends CycleRef {
  /** Its place in the plan's instances. */
  readonly index: number;
}

/** A node of the plan that is made. */
export interface PlannedNode extends OwnNode<PlannedCycle> {
  /** Of its edges to itself; null: what that kind does. */
  readonly selfInheritsDryRun: boolean | null;
}

type OwnNodes = ReadonlyMap<number, PlannedNode>;

interface EdgeOrder {
  readonly workspaceId: number;
  readonly workflowId: number;
  readonly versionId: number;
  readonly runGroupId: number;
  readonly timezone: string;
  readonly bizdate: Bizdate;
}

/** The edges of a plan, by where their upstream is: in it, in a row, or in a plan that is made later. */
export interface PlanEdges {
  readonly edges: readonly PlannedEdge[];
  readonly outerEdges: readonly PlannedOuterEdge[];
  readonly awaitedEdges: readonly PlannedAwaitedEdge[];
}

interface Known {
  /** What {@link loadDependencies} says of the version, where that has been asked already. */
  readonly declared?: readonly DependencyRow[];
  /** The caller has locked the workflows of this plan and around it, or it only looks. */
  readonly foreseen?: ForeseenPlan;
  /** Nodes of other workflows that a backfill makes too: it is no daily plan. */
  readonly siblings?: OutsideNodes;
}

/** Works out the edges of one workflow's instances: a fixed number of statements, whatever their number. */
export async function planEdges(
  sql: Sql,
  order: EdgeOrder,
  own: OwnNodes,
  known: Known = {},
): Promise<PlanEdges> {
  const { declared, foreseen } = known;
  const dependencies = declared ?? (await loadDependencies(sql, order.versionId));
  const outside = await outsideOf(sql, order, own, dependencies, known);
  const edges: PlannedEdge[] = [];
  const outerEdges: PlannedOuterEdge[] = [];
  const awaitedEdges: PlannedAwaitedEdge[] = [];
  for (const { down, up, dependency } of edgesOf({ ...order, own, outside, dependencies })) {
    const { kind, inheritsDryRun } = dependency;
    const downstream = down.index;
    if ('index' in up) edges.push({ downstream, kind, inheritsDryRun, upstream: up.index });
    else if (up.row !== undefined)
      outerEdges.push({ downstream, kind, inheritsDryRun, upstream: up.row });
    else awaitedEdges.push({ downstream, kind, inheritsDryRun, upstream: up });
  }
  for (const { down, up, inheritsDryRun } of await selfDependence(sql, order, own, foreseen)) {
    const edge = { downstream: down.index, kind: 'self_previous', inheritsDryRun } as const;
    if ('index' in up) edges.push({ ...edge, upstream: up.index });
    else outerEdges.push({ ...edge, upstream: up });
  }
  return { edges, outerEdges, awaitedEdges };
}

async function outsideOf(
  sql: Sql,
  order: EdgeOrder,
  own: OwnNodes,
  dependencies: readonly DependencyRow[],
  { foreseen, siblings }: Known,
): Promise<OutsideNodes> {
  const outer = dependencies.filter(
    ({ upstream, kind }) => kind === 'previous_cycle' || !own.has(upstream),
  );
  const ids = [...new Set(outer.map((each) => each.upstream))];
  if (siblings === undefined && (await isDailyPlan(sql, order.runGroupId))) {
    if (foreseen === undefined)
      await lockWorkflows(sql, [order.workflowId, ...(await workflowsOf(sql, ids))]);
    return ids.length === 0 ? new Map() : await plannedNodes(sql, order, ids, foreseen);
  }
  const nodes = ids.flatMap((nodeId) => {
    const selfDependent = own.get(nodeId)?.selfDependent;
    return selfDependent === undefined ? [] : [{ nodeId, selfDependent }];
  });
  const inGroup = nodes.length === 0 ? [] : await nodesOfRunGroup(sql, order, nodes);
  return new Map([...inGroup, ...(siblings ?? [])]);
}

async function workflowsOf(sql: Sql, nodeIds: readonly number[]): Promise<number[]> {
  if (nodeIds.length === 0) return [];
  const rows = await sql.rows<{ id: number }>(
    `SELECT DISTINCT workflow_id AS id FROM node WHERE id = ANY($1::bigint[])`,
    [nodeIds],
  );
  return rows.map((row) => row.id);
}

async function isDailyPlan(sql: Sql, runGroupId: number): Promise<boolean> {
  const [group] = await sql.rows<{ kind: string }>(`SELECT kind FROM run_group WHERE id = $1`, [
    runGroupId,
  ]);
  return group?.kind === 'scheduled';
}

async function selfDependence(
  sql: Sql,
  order: EdgeOrder,
  own: OwnNodes,
  foreseen: ForeseenPlan | undefined,
): Promise<
  {
    down: PlannedCycle;
    up: PlannedCycle | { planDay: string; id: number };
    inheritsDryRun: boolean | null;
  }[]
> {
  const chains = [...own].filter(([, node]) => node.selfDependent && node.cycles.length > 0);
  const firsts = chains.flatMap(([nodeId, { cycles }]) =>
    cycles.slice(0, 1).map((first) => ({ nodeId, before: first.scheduledAt })),
  );
  const where = { ...order, dayBefore: plusDays(order.bizdate, -1) };
  const last =
    foreseen === undefined
      ? await findLastBefore(sql, where, firsts)
      : lastForeseen(
          foreseen,
          where,
          firsts,
          await findLastBefore(sql, { ...where, without: foreseen.cancelled }, firsts),
        );
  const byNode = new Map(last.map(({ nodeId, planDay, id }) => [nodeId, { planDay, id }]));
  return chains.flatMap(([nodeId, { cycles, selfInheritsDryRun: inheritsDryRun }]) =>
    previousCycle(cycles, byNode.get(nodeId)).map((pair) => ({ ...pair, inheritsDryRun })),
  );
}
