import { isSkippedBy } from '../../domain/instance/operation.js';
import type { EdgeKind, EdgeOutcome } from '../../domain/instance/status.js';
import { CopyRows } from '../copy-rows.js';
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

const INSTANCE_COLUMNS = `plan_day, id, workspace_id, workflow_id, workflow_instance_id, version_id,
  node_id, run_group_id, resource_group_id, node_type, bizdate, scheduled_at, period_no, path, run_at,
  status, pending, priority, slots, frozen, dry_run, reason, dry_run_reason, last_child_day, in_backfill`;

/** What the edge from each upstream that is there says, by its id. */
type Outcomes = ReadonlyMap<number, EdgeOutcome>;

interface InsertedPlan {
  /** Of the workflow instance. */
  readonly id: number;
  /** In the plan's order. */
  readonly instanceIds: readonly number[];
}

/**
 * Inserts one workflow's instances and edges for one business date. Returns `undefined` when this plan is
 * there already: planning twice changes nothing.
 */
export async function insertPlan(
  tx: Sql,
  plan: WorkflowPlan,
  now: Date,
): Promise<InsertedPlan | undefined> {
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
  return { id: run.id, instanceIds: await fillRun(tx, plan, run.id, now) };
}

/**
 * Inserts instances and edges into a workflow instance that is there. Returns the ids, in the plan's order.
 *
 * Rows go by COPY, those of daily plans, backfills and patches alike: there is no plan to choose, and no value
 * is a parameter that a server has to parse.
 */
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
  await insertDue(tx, plan, ids, pending);
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

/** What waits for nothing but its time. */
async function insertDue(
  tx: Sql,
  plan: WorkflowPlan,
  ids: readonly number[],
  pending: Int32Array,
): Promise<void> {
  const rows = new CopyRows(3);
  for (const [at, { runAt }] of plan.instances.entries()) {
    if (pending[at] !== 0) continue;
    rows
      .row()
      .date(plan.planDay)
      .bigint(ids[at] ?? 0);
    rows.timestamptz(plan.backfill === 'closed' ? NOT_DUE : runAt);
  }
  if (rows.count > 0) await tx.copy('due_instance (plan_day, instance_id, due_at)', rows);
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
  const outcomes = new Map(rows.map((row) => [row.id, row.outcome]));
  const gone = ids.filter((id) => !outcomes.has(id));
  return new Map([...outcomes, ...(await keptOutcomes(tx, gone))]);
}

/** What is known of instances whose day was removed: how the last one of each node ended. */
async function keptOutcomes(
  tx: Sql,
  ids: readonly number[],
): Promise<readonly (readonly [number, EdgeOutcome])[]> {
  if (ids.length === 0) return [];
  const rows = await tx.rows<{ id: number; outcome: EdgeOutcome }>(
    `SELECT instance_id AS id, CASE status WHEN 'succeeded' THEN 'success' ELSE 'failed' END AS outcome
       FROM node_last WHERE instance_id = ANY($1::bigint[])`,
    [ids],
  );
  return rows.map(({ id, outcome }) => [id, outcome]);
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
  const [drawn] = await tx.rows<{ ids: number[] }>(
    `SELECT json_agg(nextval('instance_id_seq')) AS ids FROM generate_series(1, $1)`,
    [plan.instances.length],
  );
  const ids = drawn?.ids ?? [];
  const rows = new CopyRows(INSTANCE_COLUMNS.split(',').length);
  for (const [at, each] of plan.instances.entries()) {
    const frozen = each.frozen || (each.isNeverFrozen !== true && frozenNodeIds.has(each.nodeId));
    const isPending = (pending[at] ?? 0) > 0;
    rows
      .row()
      .date(plan.planDay)
      .bigint(ids[at] ?? 0)
      .bigint(plan.workspaceId);
    rows.bigint(plan.workflowId).bigint(workflowInstanceId).bigint(each.versionId);
    rows.bigint(each.nodeId).bigint(plan.runGroupId).bigint(each.resourceGroupId);
    rows.text(each.nodeType).date(plan.bizdate).timestamptz(each.scheduledAt);
    rows.smallint(each.periodNo).text(each.path).timestamptz(each.runAt);
    rows.text(isPending ? 'waiting_upstream' : 'waiting_time').int(pending[at] ?? 0);
    rows.smallint(each.priority).smallint(each.slots).boolean(frozen).boolean(each.dryRun);
    if (each.reason === null) rows.null();
    else rows.text(each.reason);
    if (each.dryRun) rows.text(each.reason ?? 'dry_run');
    else rows.null();
    rows.date(plan.planDay).boolean(plan.backfill !== undefined);
  }
  await tx.copy(`node_instance (${INSTANCE_COLUMNS})`, rows);
  await insertDetails(tx, plan, ids);
  return ids;
}

async function insertDetails(tx: Sql, plan: WorkflowPlan, ids: readonly number[]): Promise<void> {
  const rows = new CopyRows(3);
  for (const [at, each] of plan.instances.entries()) {
    const id = ids[at] ?? 0;
    rows
      .row()
      .date(plan.planDay)
      .bigint(id)
      .jsonb(JSON.stringify(each.parameters(id)));
  }
  await tx.copy('node_instance_detail (plan_day, instance_id, parameters)', rows);
}

async function insertEdges(
  tx: Sql,
  plan: WorkflowPlan,
  ids: readonly number[],
  outcomes: Outcomes,
): Promise<void> {
  const rows = new CopyRows(7);
  const write = (
    { downstream, kind, inheritsDryRun }: PlannedEdge | PlannedOuterEdge,
    upstreamDay: string,
    upstream: number,
    outcome: EdgeOutcome,
  ): void => {
    rows
      .row()
      .date(plan.planDay)
      .bigint(ids[downstream] ?? 0)
      .date(upstreamDay)
      .bigint(upstream);
    rows.text(kind).text(outcome);
    if (inheritsDryRun === null) rows.null();
    else rows.boolean(inheritsDryRun);
  };
  for (const edge of plan.edges) write(edge, plan.planDay, ids[edge.upstream] ?? 0, 'open');
  for (const edge of plan.outerEdges) {
    const { planDay, id } = edge.upstream;
    // Of a row that is gone, and was not the last of its node, nothing is known that one could wait for.
    write(edge, planDay, id, outcomes.get(id) ?? 'success');
  }
  if (rows.count === 0) return;
  await tx.copy(
    `instance_edge (plan_day, downstream_id, upstream_plan_day, upstream_id, kind, outcome,
            inherits_dry_run)`,
    rows,
  );
}
