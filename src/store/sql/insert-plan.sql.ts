import type { Sql } from '../database.js';

/** One instance to be inserted; `key` is its place in the list, which edges refer to. */
export interface PlannedInstance {
  readonly nodeId: number;
  readonly versionId: number;
  readonly resourceGroupId: number;
  readonly nodeType: string;
  readonly scheduledAt: Date;
  readonly runAt: Date;
  readonly periodNo: number;
  readonly path: string;
  readonly priority: number;
  readonly slots: number;
  readonly frozen: boolean;
  readonly dryRun: boolean;
  readonly reason: string | null;
  /** Of the id that the instance gets: `$taskid` is one of the expressions. */
  readonly parameters: (instanceId: number) => Readonly<Record<string, string>>;
}

/** An edge inside the plan: both ends are indexes into its instances. */
export interface PlannedEdge {
  readonly upstream: number;
  readonly downstream: number;
  readonly kind: 'same_cycle' | 'self_previous';
}

/** An edge to an instance that is there already. */
export interface PlannedOuterEdge {
  readonly upstream: { readonly planDay: string; readonly id: number };
  readonly downstream: number;
}

export interface WorkflowPlan {
  readonly planDay: string;
  readonly workspaceId: number;
  readonly workflowId: number;
  readonly versionId: number;
  readonly runGroupId: number;
  readonly bizdate: string;
  readonly instances: readonly PlannedInstance[];
  readonly edges: readonly PlannedEdge[];
  readonly outerEdges: readonly PlannedOuterEdge[];
}

/**
 * Inserts one workflow's instances and edges for one business date. Returns the id of the workflow
 * instance, or `undefined` when this plan is there already: planning twice changes nothing.
 */
export async function insertPlan(
  tx: Sql,
  plan: WorkflowPlan,
  now: Date,
): Promise<number | undefined> {
  const [run] = await tx.rows<{ id: number }>(
    `INSERT INTO workflow_instance (plan_day, workspace_id, workflow_id, version_id, run_group_id, bizdate)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id`,
    [
      plan.planDay,
      plan.workspaceId,
      plan.workflowId,
      plan.versionId,
      plan.runGroupId,
      plan.bizdate,
    ],
  );
  if (run === undefined) return undefined;
  const outcomes = await lockUpstreams(tx, plan);
  const pending = new Int32Array(plan.instances.length);
  for (const edge of plan.edges) pending[edge.downstream] = (pending[edge.downstream] ?? 0) + 1;
  for (const edge of plan.outerEdges) {
    if (!isSatisfied(outcomes.get(edge.upstream.id))) {
      pending[edge.downstream] = (pending[edge.downstream] ?? 0) + 1;
    }
  }
  const ids = await insertInstances(tx, plan, run.id, pending);
  await insertEdges(tx, plan, ids, outcomes);
  await tx.run(
    `INSERT INTO due_instance (plan_day, instance_id, due_at)
     SELECT plan_day, id, run_at FROM node_instance
      WHERE plan_day = $1 AND id = ANY($2::bigint[]) AND status = 'waiting_time'`,
    [plan.planDay, ids],
  );
  await tx.run(
    `INSERT INTO event_outbox (workspace_id, type, at, plan_day, instance_id, payload)
     VALUES ($1, 'run.planned', $2, $3, NULL, $4)`,
    [
      plan.workspaceId,
      now,
      plan.planDay,
      JSON.stringify({
        workflowId: plan.workflowId,
        runId: run.id,
        bizdate: plan.bizdate,
        instances: ids.length,
      }),
    ],
  );
  return run.id;
}

function isSatisfied(outcome: string | undefined): boolean {
  return outcome === undefined || outcome === 'success' || outcome === 'skipped';
}

/**
 * Whoever inserts an edge first locks the upstream rows in id order and writes the edge by their state:
 * an upstream that finishes meanwhile either is seen as finished or sees the edge (engine rule 4).
 */
async function lockUpstreams(tx: Sql, plan: WorkflowPlan): Promise<Map<number, string>> {
  if (plan.outerEdges.length === 0) return new Map();
  const days = [...new Set(plan.outerEdges.map((edge) => edge.upstream.planDay))];
  const ids = [...new Set(plan.outerEdges.map((edge) => edge.upstream.id))];
  const rows = await tx.rows<{ id: number; outcome: string; last_child_day: string }>(
    `SELECT id, last_child_day, CASE status WHEN 'succeeded' THEN CASE WHEN reason = 'skipped'
              THEN 'skipped' ELSE 'success' END
            WHEN 'failed' THEN 'failed' WHEN 'cancelled' THEN 'failed' ELSE 'open' END AS outcome
       FROM node_instance WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])
      ORDER BY id FOR NO KEY UPDATE`,
    [days, ids],
  );
  await tx.run(
    `UPDATE node_instance SET last_child_day = $3
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[]) AND last_child_day < $3`,
    [days, ids, plan.planDay],
  );
  return new Map(rows.map((row) => [row.id, row.outcome]));
}

async function insertInstances(
  tx: Sql,
  plan: WorkflowPlan,
  workflowInstanceId: number,
  pending: Int32Array,
): Promise<number[]> {
  if (plan.instances.length === 0) return [];
  const drawn = await tx.rows<{ id: number }>(
    `SELECT nextval('instance_id_seq') AS id FROM generate_series(1, $1)`,
    [plan.instances.length],
  );
  const ids = drawn.map((row) => row.id);
  await tx.run(
    `INSERT INTO node_instance (plan_day, id, workspace_id, workflow_id, workflow_instance_id, version_id,
            node_id, run_group_id, resource_group_id, node_type, bizdate, scheduled_at, period_no, path,
            run_at, status, pending, priority, slots, frozen, dry_run, reason, dry_run_reason,
            last_child_day)
     SELECT $1, p.id, $2, $3, $4, p.version_id, p.node_id, $5, p.resource_group_id, p.node_type, $6,
            p.scheduled_at, p.period_no, p.path, p.run_at,
            CASE WHEN p.pending = 0 THEN 'waiting_time' ELSE 'waiting_upstream' END,
            p.pending, p.priority, p.slots, p.frozen, p.dry_run, p.reason,
            CASE WHEN p.dry_run THEN coalesce(p.reason, 'dry_run') END, $1
       FROM unnest($7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[],
              $12::timestamptz[], $13::smallint[], $14::text[], $15::timestamptz[], $16::int[],
              $17::smallint[], $18::smallint[], $19::boolean[], $20::boolean[], $21::text[])
            AS p(id, node_id, version_id, resource_group_id, node_type, scheduled_at, period_no, path,
                 run_at, pending, priority, slots, frozen, dry_run, reason)`,
    [
      plan.planDay,
      plan.workspaceId,
      plan.workflowId,
      workflowInstanceId,
      plan.runGroupId,
      plan.bizdate,
      ids,
      plan.instances.map((each) => each.nodeId),
      plan.instances.map((each) => each.versionId),
      plan.instances.map((each) => each.resourceGroupId),
      plan.instances.map((each) => each.nodeType),
      plan.instances.map((each) => each.scheduledAt),
      plan.instances.map((each) => each.periodNo),
      plan.instances.map((each) => each.path),
      plan.instances.map((each) => each.runAt),
      [...pending],
      plan.instances.map((each) => each.priority),
      plan.instances.map((each) => each.slots),
      plan.instances.map((each) => each.frozen),
      plan.instances.map((each) => each.dryRun),
      plan.instances.map((each) => each.reason),
    ],
  );
  await insertDetails(tx, plan, ids);
  return ids;
}

async function insertDetails(tx: Sql, plan: WorkflowPlan, ids: readonly number[]): Promise<void> {
  await tx.run(
    `INSERT INTO node_instance_detail (plan_day, instance_id, parameters)
     SELECT $1, p.id, p.parameters FROM unnest($2::bigint[], $3::jsonb[]) AS p(id, parameters)`,
    [
      plan.planDay,
      ids,
      plan.instances.map((each, at) => JSON.stringify(each.parameters(ids[at] ?? 0))),
    ],
  );
}

async function insertEdges(
  tx: Sql,
  plan: WorkflowPlan,
  ids: readonly number[],
  outcomes: ReadonlyMap<number, string>,
): Promise<void> {
  const inner = plan.edges.map((edge) => ({
    upstreamDay: plan.planDay,
    upstream: ids[edge.upstream],
    downstream: ids[edge.downstream],
    kind: edge.kind,
    outcome: 'open',
  }));
  const outer = plan.outerEdges.map((edge) => ({
    upstreamDay: edge.upstream.planDay,
    upstream: edge.upstream.id,
    downstream: ids[edge.downstream],
    kind: 'self_previous',
    // Retention may have removed the row: its last outcome was looked up before the edge was planned.
    outcome: outcomes.get(edge.upstream.id) ?? 'success',
  }));
  const edges = [...inner, ...outer];
  if (edges.length === 0) return;
  await tx.run(
    `INSERT INTO instance_edge (plan_day, downstream_id, upstream_plan_day, upstream_id, kind, outcome)
     SELECT $1, e.downstream_id, e.upstream_plan_day, e.upstream_id, e.kind, e.outcome
       FROM unnest($2::bigint[], $3::date[], $4::bigint[], $5::text[], $6::text[])
            AS e(downstream_id, upstream_plan_day, upstream_id, kind, outcome)
     ON CONFLICT DO NOTHING`,
    [
      plan.planDay,
      edges.map((edge) => edge.downstream),
      edges.map((edge) => edge.upstreamDay),
      edges.map((edge) => edge.upstream),
      edges.map((edge) => edge.kind),
      edges.map((edge) => edge.outcome),
    ],
  );
}
