import type { Sql } from '../../store/database.js';
import type { PlannedAwaitedEdge } from '../../store/sql/await-upstreams.sql.js';
import { findCycles } from '../../store/sql/find-cycles.sql.js';
import type {
  PlannedEdge,
  PlannedInstance,
  PlannedOuterEdge,
  WorkflowPlan,
} from '../../store/sql/insert-plan.sql.js';
import { keyOf } from './cycle-key.js';

/** An edge to a cycle that another workflow has on another business date of the same backfill. */
export interface Crossing extends Pick<
  PlannedAwaitedEdge,
  'downstream' | 'kind' | 'inheritsDryRun'
> {
  readonly upstream: {
    readonly nodeId: number;
    readonly scheduledAt: Date;
    readonly bizdate: string;
  };
}

interface DateVersion {
  readonly workflowId: number;
  readonly versionId: number;
  readonly timezone: string;
}

/** What a backfill makes of one business date, of all of its workflows: an edge may lead from any to any. */
export interface DatePlan {
  readonly planDay: string;
  readonly workspaceId: number;
  readonly runGroupId: number;
  readonly bizdate: string;
  /** Each instance says which of them it is of. */
  readonly versions: readonly DateVersion[];
  readonly instances: readonly PlannedInstance[];
  readonly edges: readonly PlannedEdge[];
  readonly outerEdges: readonly PlannedOuterEdge[];
  readonly crossings: readonly Crossing[];
}

/**
 * The plans that workflows have of one business date as one. What they await of each other has a place in it;
 * `dates`: what they await of other business dates of the backfill is a crossing, of others nothing.
 */
export function joined(
  plans: readonly [WorkflowPlan, ...WorkflowPlan[]],
  versions: readonly DateVersion[],
  dates: ReadonlySet<string>,
): DatePlan {
  const [first, ...others] = plans;
  const { planDay, workspaceId, runGroupId, bizdate } = first;
  const whole = { planDay, workspaceId, runGroupId, bizdate, versions };
  if (others.length === 0) {
    const { instances, edges, outerEdges } = first;
    return { ...whole, instances, edges, outerEdges, crossings: [] };
  }
  const instances: PlannedInstance[] = [];
  const edges: PlannedEdge[] = [];
  const outerEdges: PlannedOuterEdge[] = [];
  const awaited: PlannedAwaitedEdge[] = [];
  for (const plan of plans) {
    const start = instances.length;
    for (const each of plan.instances) instances.push(each);
    for (const edge of plan.edges)
      edges.push({
        ...edge,
        upstream: start + edge.upstream,
        downstream: start + edge.downstream,
      });
    for (const edge of plan.outerEdges)
      outerEdges.push({ ...edge, downstream: start + edge.downstream });
    for (const edge of plan.awaitedEdges)
      awaited.push({ ...edge, downstream: start + edge.downstream });
  }
  const placeOf = placesOf(instances, awaited);
  const crossings: Crossing[] = [];
  for (const { downstream, kind, inheritsDryRun, upstream } of awaited) {
    const edge = { downstream, kind, inheritsDryRun };
    if (upstream.bizdate !== bizdate) {
      if (dates.has(upstream.bizdate)) crossings.push({ ...edge, upstream });
      continue;
    }
    const place = placeOf(upstream);
    if (place !== undefined) edges.push({ ...edge, upstream: place });
  }
  return { ...whole, instances, edges, outerEdges, crossings };
}

function placesOf(
  instances: readonly PlannedInstance[],
  awaited: readonly PlannedAwaitedEdge[],
): (cycle: Parameters<typeof keyOf>[0]) => number | undefined {
  const nodes = new Set(awaited.map(({ upstream }) => upstream.nodeId));
  const places = new Map<string, number>();
  for (const [place, each] of instances.entries())
    if (nodes.has(each.nodeId)) places.set(keyOf(each), place);
  return (cycle) => places.get(keyOf(cycle));
}

/** With edges to what is made of the other business dates; what is not there was left out of them. */
export async function withCrossings(sql: Sql, plan: DatePlan): Promise<DatePlan> {
  if (plan.crossings.length === 0) return plan;
  const upstreams = plan.crossings.map(({ upstream }) => upstream);
  const rows = await findCycles(
    sql,
    plan.runGroupId,
    plan.workspaceId,
    [...new Set(upstreams.map(({ nodeId }) => nodeId))],
    [...new Set(upstreams.map(({ bizdate }) => bizdate))],
  );
  const made = new Map(rows.map((row) => [keyOf(row), row]));
  const found = plan.crossings.flatMap(({ upstream, ...edge }): PlannedOuterEdge[] => {
    const row = made.get(keyOf(upstream));
    return row === undefined ? [] : [{ ...edge, upstream: { planDay: row.planDay, id: row.id } }];
  });
  return { ...plan, outerEdges: [...plan.outerEdges, ...found], crossings: [] };
}
