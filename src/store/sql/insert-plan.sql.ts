import { isSkippedBy } from '../../domain/instance/operation.js';
import type { EdgeKind, EdgeOutcome } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';
import { awaitUpstreams, type PlannedAwaitedEdge } from './await-upstreams.sql.js';
import { meetAwaited } from './meet-awaited.sql.js';
import { NOT_DUE } from './closed-dates.sql.js';

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
  /** Not frozen with its node either: what was asked for has to get past it. */
  readonly isNeverFrozen?: boolean;
  readonly dryRun: boolean;
  readonly reason: string | null;
  /** Of the id that the instance gets: `$taskid` is one of the expressions. */
  readonly parameters: (instanceId: number) => Readonly<Record<string, string>>;
}

interface PlannedKind {
  readonly kind: EdgeKind;
  /** Null: what its kind does. */
  readonly inheritsDryRun: boolean | null;
}

/** An edge inside the plan: both ends are indexes into its instances. No two have the same ends. */
export interface PlannedEdge extends PlannedKind {
  readonly upstream: number;
  readonly downstream: number;
}

/** An edge to an instance that is there already. */
export interface PlannedOuterEdge extends PlannedKind {
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
  /** The date of a backfill; `closed`: none of it is released before the date is opened. */
  readonly backfill?: 'open' | 'closed';
  readonly instances: readonly PlannedInstance[];
  readonly edges: readonly PlannedEdge[];
  readonly outerEdges: readonly PlannedOuterEdge[];
  readonly awaitedEdges: readonly PlannedAwaitedEdge[];
}

/** What the edge from each upstream that is there says, by its id. */
type Outcomes = ReadonlyMap<number, EdgeOutcome>;

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
     SELECT $1, $2, w.id, $4, $5, $6 FROM workflow w WHERE w.id = $3 FOR SHARE OF w
     ON CONFLICT DO NOTHING RETURNING id`,
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
  await fillRun(tx, plan, run.id, now);
  return run.id;
}

/** Inserts instances and edges into a workflow instance that is there. Returns the ids, in the plan's order. */
export async function fillRun(
  tx: Sql,
  plan: WorkflowPlan,
  runId: number,
  now: Date,
): Promise<number[]> {
  const outcomes = await lockUpstreams(tx, plan);
  const pending = pendingOf(plan, outcomes);
  const ids = await insertInstances(tx, plan, runId, pending, await frozenNodes(tx, plan));
  await insertEdges(tx, plan, ids, outcomes);
  await markSkipped(tx, plan, ids, pending, outcomes);
  await awaitUpstreams(tx, plan, ids);
  await meetAwaited(tx, { ...plan, id: runId });
  await tx.run(
    `INSERT INTO due_instance (plan_day, instance_id, due_at)
     SELECT plan_day, id, coalesce($3::timestamptz, run_at) FROM node_instance
      WHERE plan_day = $1 AND id = ANY($2::bigint[]) AND status = 'waiting_time'`,
    [plan.planDay, ids, plan.backfill === 'closed' ? NOT_DUE : null],
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
        runId,
        bizdate: plan.bizdate,
        instances: ids.length,
      }),
    ],
  );
  return ids;
}

/** How many edges of each instance are not satisfied. */
function pendingOf(plan: WorkflowPlan, outcomes: Outcomes): Int32Array {
  const pending = new Int32Array(plan.instances.length);
  const open = [
    ...plan.edges,
    ...plan.outerEdges.filter((edge) => !isSatisfied(outcomes.get(edge.upstream.id))),
    ...plan.awaitedEdges,
  ];
  for (const { downstream } of open) pending[downstream] = (pending[downstream] ?? 0) + 1;
  return pending;
}

/**
 * Instances whose upstreams had all ended before they were planned, skipped: no settling will come by that
 * would tell them so (engine rule 10).
 */
async function markSkipped(
  tx: Sql,
  plan: WorkflowPlan,
  ids: readonly number[],
  pending: Int32Array,
  outcomes: Outcomes,
): Promise<void> {
  const edges = new Map<number, Parameters<typeof isSkippedBy>[0][number][]>();
  for (const { downstream, upstream, kind, inheritsDryRun } of plan.outerEdges) {
    if ((pending[downstream] ?? 0) > 0) continue;
    const own = edges.get(downstream) ?? [];
    edges.set(downstream, own);
    own.push({ kind, inheritsDryRun, outcome: outcomes.get(upstream.id) ?? 'success' });
  }
  const skipped = [...edges].filter(([, own]) => isSkippedBy(own)).map(([index]) => ids[index]);
  if (skipped.length === 0) return;
  await tx.run(
    `UPDATE node_instance SET dry_run = true, reason = 'skipped'
      WHERE plan_day = $1 AND id = ANY($2::bigint[])`,
    [plan.planDay, skipped],
  );
}

function isSatisfied(outcome: EdgeOutcome | undefined): boolean {
  return outcome === undefined || outcome === 'success' || outcome === 'skipped';
}

/**
 * Whoever inserts an edge first locks the upstream rows in id order and writes the edge by their state:
 * an upstream that finishes meanwhile either is seen as finished or sees the edge (engine rule 4).
 */
export async function lockUpstreams(
  tx: Sql,
  plan: {
    readonly planDay: string;
    readonly outerEdges: readonly Pick<PlannedOuterEdge, 'upstream'>[];
  },
): Promise<Outcomes> {
  if (plan.outerEdges.length === 0) return new Map();
  const days = [...new Set(plan.outerEdges.map((edge) => edge.upstream.planDay))];
  const ids = [...new Set(plan.outerEdges.map((edge) => edge.upstream.id))];
  const rows = await tx.rows<{ id: number; outcome: EdgeOutcome }>(
    `SELECT id, CASE status WHEN 'succeeded' THEN CASE WHEN reason = 'skipped'
              THEN 'skipped' ELSE 'success' END
            WHEN 'failed' THEN 'failed' WHEN 'cancelled' THEN 'failed' ELSE 'open' END AS outcome
       FROM node_instance WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])
      ORDER BY id FOR NO KEY UPDATE`,
    [days, ids],
  );
  await tx.run(
    `UPDATE node_instance SET last_child_day = greatest(last_child_day, $3),
            first_child_day = least(coalesce(first_child_day, plan_day), $3)
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])
        AND (last_child_day < $3 OR coalesce(first_child_day, plan_day) > $3)`,
    [days, ids, plan.planDay],
  );
  return new Map(rows.map((row) => [row.id, row.outcome]));
}

/**
 * Nodes that somebody has frozen. Whoever freezes one locks the workflow, which this transaction has locked
 * by an earlier statement: none is missed meanwhile.
 */
async function frozenNodes(tx: Sql, { workflowId }: WorkflowPlan): Promise<Set<number>> {
  const rows = await tx.rows<{ id: number }>(
    `SELECT id FROM node WHERE workflow_id = $1 AND frozen`,
    [workflowId],
  );
  return new Set(rows.map((row) => row.id));
}

async function insertInstances(
  tx: Sql,
  plan: WorkflowPlan,
  workflowInstanceId: number,
  pending: Int32Array,
  frozenNodeIds: ReadonlySet<number>,
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
            last_child_day, in_backfill)
     SELECT $1, p.id, $2, $3, $4, p.version_id, p.node_id, $5, p.resource_group_id, p.node_type, $6,
            p.scheduled_at, p.period_no, p.path, p.run_at,
            CASE WHEN p.pending = 0 THEN 'waiting_time' ELSE 'waiting_upstream' END,
            p.pending, p.priority, p.slots, p.frozen, p.dry_run, p.reason,
            CASE WHEN p.dry_run THEN coalesce(p.reason, 'dry_run') END, $1, $22
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
      plan.instances.map(
        (each) => each.frozen || (each.isNeverFrozen !== true && frozenNodeIds.has(each.nodeId)),
      ),
      plan.instances.map((each) => each.dryRun),
      plan.instances.map((each) => each.reason),
      plan.backfill !== undefined,
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
  outcomes: Outcomes,
): Promise<void> {
  const inner = plan.edges.map((edge) => ({
    upstreamDay: plan.planDay,
    upstream: ids[edge.upstream],
    downstream: ids[edge.downstream],
    kind: edge.kind,
    inheritsDryRun: edge.inheritsDryRun,
    outcome: 'open',
  }));
  const outer = plan.outerEdges.map((edge) => ({
    upstreamDay: edge.upstream.planDay,
    upstream: edge.upstream.id,
    downstream: ids[edge.downstream],
    kind: edge.kind,
    inheritsDryRun: edge.inheritsDryRun,
    // Retention may have removed the row: its last outcome was looked up before the edge was planned.
    outcome: outcomes.get(edge.upstream.id) ?? 'success',
  }));
  const edges = [...inner, ...outer];
  if (edges.length === 0) return;
  await tx.run(
    `INSERT INTO instance_edge (plan_day, downstream_id, upstream_plan_day, upstream_id, kind, outcome,
            inherits_dry_run)
     SELECT $1, e.downstream_id, e.upstream_plan_day, e.upstream_id, e.kind, e.outcome, e.inherits_dry_run
       FROM unnest($2::bigint[], $3::date[], $4::bigint[], $5::text[], $6::text[], $7::boolean[])
            AS e(downstream_id, upstream_plan_day, upstream_id, kind, outcome, inherits_dry_run)
     ON CONFLICT DO NOTHING`,
    [
      plan.planDay,
      edges.map((edge) => edge.downstream),
      edges.map((edge) => edge.upstreamDay),
      edges.map((edge) => edge.upstream),
      edges.map((edge) => edge.kind),
      edges.map((edge) => edge.outcome),
      edges.map((edge) => edge.inheritsDryRun),
    ],
  );
}
