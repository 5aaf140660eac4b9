import type { Sql } from '../database.js';

/** An edge of a planned instance whose upstream is planned later. */
export interface PlannedAwaitedEdge {
  /** Its place in the plan's instances. */
  readonly downstream: number;
  readonly kind: 'same_cycle' | 'previous_cycle';
  readonly inheritsDryRun: boolean | null;
  readonly upstream: {
    readonly nodeId: number;
    readonly scheduledAt: Date;
    readonly workflowId: number;
    readonly timezone: string;
    readonly bizdate: string;
  };
}

/** Notes what has to be waited for although it has no row yet. `ids`: the instances of the plan. */
export async function awaitUpstreams(
  tx: Sql,
  plan: {
    readonly planDay: string;
    readonly workspaceId: number;
    readonly runGroupId: number;
    readonly awaitedEdges: readonly PlannedAwaitedEdge[];
  },
  ids: readonly number[],
): Promise<void> {
  const edges = plan.awaitedEdges;
  if (edges.length === 0) return;
  await tx.run(
    `INSERT INTO awaited_edge (plan_day, workspace_id, run_group_id, downstream_id, upstream_node_id,
            scheduled_at, upstream_workflow_id, upstream_timezone, upstream_bizdate, kind, inherits_dry_run)
     SELECT $1, $2, $3, * FROM unnest($4::bigint[], $5::bigint[], $6::timestamptz[], $7::bigint[],
            $8::text[], $9::date[], $10::text[], $11::boolean[])`,
    [
      plan.planDay,
      plan.workspaceId,
      plan.runGroupId,
      edges.map((edge) => ids[edge.downstream]),
      edges.map(({ upstream }) => upstream.nodeId),
      edges.map(({ upstream }) => upstream.scheduledAt),
      edges.map(({ upstream }) => upstream.workflowId),
      edges.map(({ upstream }) => upstream.timezone),
      edges.map(({ upstream }) => upstream.bizdate),
      edges.map((edge) => edge.kind),
      edges.map((edge) => edge.inheritsDryRun),
    ],
  );
}
