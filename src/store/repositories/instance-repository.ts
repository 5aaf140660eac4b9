import type { InstanceStatus } from '../../domain/instance/status.js';
import type { ChannelChange } from '../../domain/channel/channel-change.js';
import type { Sql } from '../database.js';
import { refuseRemovedDate, refuseRemovedDays } from '../sql/removed-day.sql.js';
import { conditionsOf, type InstanceMatch, Values } from '../sql/matching-instances.js';
import type { AttemptInputs } from '../sql/resolve-inputs.sql.js';

/** Where an instance is: its partition and its id. */
export interface InstanceKey {
  /** `YYYY-MM-DD` */
  readonly planDay: string;
  readonly id: number;
}

export interface InstanceSummary extends InstanceKey {
  readonly workspaceId: number;
  readonly workflowId: number;
  readonly workflowName: string;
  readonly workflowInstanceId: number;
  readonly versionId: number;
  readonly nodeId: number;
  readonly nodeName: string;
  readonly nodeType: string;
  readonly runGroupId: number;
  readonly runGroupKind: string;
  readonly resourceGroup: string;
  readonly bizdate: string;
  readonly scheduledAt: Date;
  readonly periodNo: number;
  readonly path: string;
  readonly status: InstanceStatus;
  readonly frozen: boolean;
  readonly dryRun: boolean;
  readonly reason: string | null;
  readonly priority: number;
  readonly slots: number;
  readonly pending: number;
  /** It waits for an upstream that failed or was cancelled, or for one that waits for such a one. */
  readonly upstreamFailed: boolean;
  readonly epoch: number;
  readonly runNumber: number;
  readonly attempt: number;
  readonly createdAt: Date;
  readonly upstreamDoneAt: Date | null;
  readonly readyAt: Date | null;
  readonly dispatchedAt: Date | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}

export interface InstanceNeighbour extends InstanceKey {
  readonly nodeName: string;
  readonly status: string;
  readonly kind: string;
  readonly outcome: string;
}

export interface InstanceDetail extends InstanceSummary {
  readonly parameters: unknown;
  readonly progress: unknown;
  /** What an operator has set in place of what its node says. */
  readonly channel: ChannelChange | null;
  readonly upstream: readonly InstanceNeighbour[];
  readonly downstream: readonly InstanceNeighbour[];
}

export interface AttemptSummary {
  readonly epoch: number;
  readonly runNumber: number;
  readonly attempt: number;
  readonly state: string;
  readonly worker: string | null;
  readonly versionId: number;
  readonly claimedAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly errorCode: string | null;
  readonly errorDetail: string | null;
  readonly result: unknown;
  readonly inputs: AttemptInputs | null;
  /** By the names under which it produced them. */
  readonly outputs: Readonly<Record<string, string>> | null;
}

/** Which instances a list or its facets are about. */
export interface InstanceFilter extends Omit<InstanceMatch, 'window'> {
  readonly statuses?: readonly string[] | undefined;
  readonly frozen?: boolean | undefined;
  readonly upstreamFailed?: boolean | undefined;
  /** The name of the node. */
  readonly node?: string | undefined;
  readonly workflowInstanceId?: number | undefined;
  /** The one partition to look in, where the caller knows it. */
  readonly planDay?: string | undefined;
}

export interface InstancePage extends InstanceFilter {
  readonly before?: InstanceKey | undefined;
  readonly limit: number;
}

// Scalar queries by key, not EXISTS: the planner may answer an EXISTS from a hash of all edges.
const failedEdge = (planDay: string, downstream: string): string => `
  (SELECT true FROM instance_edge f WHERE f.plan_day = ${planDay} AND f.downstream_id = ${downstream}
      AND NOT f.removed AND f.outcome = 'failed' LIMIT 1)`;

const UPSTREAM_FAILED = `(i.status = 'waiting_upstream' AND coalesce(
  (SELECT true FROM instance_edge e WHERE e.plan_day = i.plan_day AND e.downstream_id = i.id
      AND NOT e.removed AND (e.outcome = 'failed' OR e.outcome = 'open'
      AND ${failedEdge('e.upstream_plan_day', 'e.upstream_id')}) LIMIT 1), false))`;

const COLUMNS = `
  i.plan_day AS "planDay", i.id, i.workspace_id AS "workspaceId", i.workflow_id AS "workflowId",
  w.name AS "workflowName", i.workflow_instance_id AS "workflowInstanceId",
  i.version_id AS "versionId", i.node_id AS "nodeId", n.name AS "nodeName",
  i.node_type AS "nodeType", i.run_group_id AS "runGroupId", r.kind AS "runGroupKind",
  g.name AS "resourceGroup", i.bizdate,
  i.scheduled_at AS "scheduledAt", i.period_no AS "periodNo", i.path, i.status, i.frozen,
  i.dry_run AS "dryRun", i.reason, i.priority, i.slots, i.pending, ${UPSTREAM_FAILED} AS "upstreamFailed", i.epoch,
  i.run_number AS "runNumber", i.attempt, i.created_at AS "createdAt",
  i.upstream_done_at AS "upstreamDoneAt", i.ready_at AS "readyAt",
  i.dispatched_at AS "dispatchedAt", i.started_at AS "startedAt", i.ended_at AS "endedAt"`;

const FROM = `
  FROM node_instance i
  JOIN workflow w ON w.id = i.workflow_id
  JOIN node n ON n.id = i.node_id
  JOIN run_group r ON r.id = i.run_group_id
  JOIN resource_group g ON g.id = i.resource_group_id`;

/**
 * Page of instances, newest plan day and id first.
 *
 * @throws MR-S207 those of the business date were removed
 */
export async function listInstances(sql: Sql, page: InstancePage): Promise<InstanceSummary[]> {
  const days = page.planDay === undefined ? await planDaysOf(sql, page) : [page.planDay];
  if (days.length === 0) return [];
  const values = new Values();
  const where = filterOf(page, days, values);
  const { before } = page;
  const rows = await sql.rows<InstanceSummary>(
    `SELECT ${COLUMNS} ${FROM}
      WHERE ${where}
        ${before === undefined ? '' : `AND (i.plan_day, i.id) < (${values.add(before.planDay)}::date, ${values.add(before.id)}::bigint)`}
      ORDER BY i.plan_day DESC, i.id DESC
      LIMIT ${values.add(page.limit)}`,
    values.list,
  );
  if (rows.length === 0 && before === undefined && page.bizdate !== undefined)
    await refuseRemovedDate(sql, page.workspaceId, page.bizdate);
  return rows;
}

export interface InstanceFacet {
  readonly facet: 'status' | 'nodeType' | 'resourceGroup' | 'workflow';
  readonly value: string;
  /** The workflow's; `null` for the other facets. */
  readonly id: number | null;
  readonly count: number;
}

/** How many instances of a list have each status, node type, resource group and workflow. */
export async function instanceFacets(sql: Sql, filter: InstanceFilter): Promise<InstanceFacet[]> {
  const days = filter.planDay === undefined ? await planDaysOf(sql, filter) : [filter.planDay];
  if (days.length === 0) return [];
  const values = new Values();
  return await sql.rows<InstanceFacet>(
    `WITH counted AS (
       SELECT i.status, i.node_type, i.resource_group_id, i.workflow_id, count(*)::int AS count
         FROM node_instance i
        WHERE ${filterOf(filter, days, values)}
        GROUP BY GROUPING SETS (i.status, i.node_type, i.resource_group_id, i.workflow_id)
     )
     SELECT CASE WHEN c.status IS NOT NULL THEN 'status' WHEN c.node_type IS NOT NULL THEN 'nodeType'
                 WHEN g.id IS NOT NULL THEN 'resourceGroup' ELSE 'workflow' END AS facet,
            coalesce(c.status, c.node_type, g.name, w.name) AS value, w.id, c.count
       FROM counted c LEFT JOIN resource_group g ON g.id = c.resource_group_id
       LEFT JOIN workflow w ON w.id = c.workflow_id
      ORDER BY facet, c.count DESC, value`,
    values.list,
  );
}

/** The WHERE of a filter for `node_instance i`. */
function filterOf(filter: InstanceFilter, days: readonly string[], values: Values): string {
  const { statuses, frozen, upstreamFailed, node, workflowInstanceId } = filter;
  const conditions = [
    `i.plan_day = ANY(${values.add(days)}::date[])`,
    conditionsOf(filter, values),
  ];
  if (statuses !== undefined) conditions.push(`i.status = ANY(${values.add(statuses)}::text[])`);
  if (frozen !== undefined) conditions.push(`i.frozen = ${values.add(frozen)}::boolean`);
  if (upstreamFailed !== undefined)
    conditions.push(upstreamFailed ? UPSTREAM_FAILED : `NOT ${UPSTREAM_FAILED}`);
  if (node !== undefined)
    conditions.push(`i.node_id = ANY(ARRAY(SELECT id FROM node WHERE name = ${values.add(node)}))`);
  if (workflowInstanceId !== undefined)
    conditions.push(`i.workflow_instance_id = ${values.add(workflowInstanceId)}::bigint`);
  return conditions.join('\n        AND ');
}

// Without the partition key a list probes every day that is kept (engine rule 1). The small tables that
// know it are asked first: a plan has one plan day, a test run or a backfill too.
async function planDaysOf(
  sql: Sql,
  filter: InstanceFilter & Partial<InstancePage>,
): Promise<string[]> {
  const rows = await sql.rows<{ planDay: string }>(
    `SELECT DISTINCT plan_day AS "planDay" FROM (
       SELECT plan_day FROM plan
        WHERE workspace_id = $1 AND ($2::date IS NULL OR bizdate = $2)
          AND ($3::bigint IS NULL
               OR EXISTS (SELECT FROM run_group WHERE id = $3 AND kind = 'scheduled'))
       UNION ALL
       SELECT plan_day FROM run_group
        WHERE workspace_id = $1 AND plan_day IS NOT NULL AND ($3::bigint IS NULL OR id = $3)
     ) AS days
      WHERE $4::date IS NULL OR plan_day <= $4
      ORDER BY plan_day DESC`,
    [
      filter.workspaceId,
      filter.bizdate ?? null,
      filter.runGroupId ?? null,
      filter.before?.planDay ?? null,
    ],
  );
  return rows.map((row) => row.planDay);
}

/**
 * The workspace an instance belongs to.
 *
 * @throws MR-S207 its day was removed
 */
export async function workspaceOfInstance(
  sql: Sql,
  { planDay, id }: InstanceKey,
): Promise<number | undefined> {
  const rows = await sql.rows<{ workspaceId: number }>(
    'SELECT workspace_id AS "workspaceId" FROM node_instance WHERE plan_day = $1 AND id = $2',
    [planDay, id],
  );
  if (rows.length === 0) await refuseRemovedDays(sql, [planDay]);
  return rows[0]?.workspaceId;
}

export async function instanceById(
  sql: Sql,
  { planDay, id }: InstanceKey,
): Promise<InstanceDetail | undefined> {
  const rows = await sql.rows<Omit<InstanceDetail, 'upstream' | 'downstream'>>(
    `SELECT ${COLUMNS}, d.parameters, d.channel,
            (SELECT r.progress FROM running_attempt r WHERE r.instance_id = i.id) AS progress
       ${FROM}
       LEFT JOIN node_instance_detail d ON d.plan_day = $1 AND d.instance_id = $2
      WHERE i.plan_day = $1 AND i.id = $2`,
    [planDay, id],
  );
  const found = rows[0];
  if (found === undefined) return undefined;
  const [upstream, downstream] = await Promise.all([
    upstreamOf(sql, { planDay, id }),
    downstreamOf(sql, { planDay, id }),
  ]);
  return { ...found, upstream, downstream };
}

async function upstreamOf(sql: Sql, { planDay, id }: InstanceKey): Promise<InstanceNeighbour[]> {
  return await sql.rows<InstanceNeighbour>(
    `SELECT e.upstream_plan_day AS "planDay", e.upstream_id AS id, n.name AS "nodeName", i.status,
            e.kind, e.outcome
       FROM instance_edge e
       JOIN node_instance i ON i.plan_day = e.upstream_plan_day AND i.id = e.upstream_id
       JOIN node n ON n.id = i.node_id
      WHERE e.plan_day = $1 AND e.downstream_id = $2 AND NOT e.removed
      ORDER BY e.upstream_id LIMIT 1000`,
    [planDay, id],
  );
}

async function downstreamOf(sql: Sql, { planDay, id }: InstanceKey): Promise<InstanceNeighbour[]> {
  return await sql.rows<InstanceNeighbour>(
    `SELECT e.plan_day AS "planDay", e.downstream_id AS id, n.name AS "nodeName", i.status,
            e.kind, e.outcome
       FROM node_instance u
       JOIN instance_edge e ON e.plan_day BETWEEN coalesce(u.first_child_day, u.plan_day)
                                              AND u.last_child_day
                           AND e.upstream_id = u.id
       JOIN node_instance i ON i.plan_day = e.plan_day AND i.id = e.downstream_id
       JOIN node n ON n.id = i.node_id
      WHERE u.plan_day = $1 AND u.id = $2 AND NOT e.removed
      ORDER BY e.downstream_id LIMIT 1000`,
    [planDay, id],
  );
}

/** Every execution of the instance, the latest first. */
export async function attemptsOf(
  sql: Sql,
  { planDay, id }: InstanceKey,
): Promise<AttemptSummary[]> {
  return await sql.rows<AttemptSummary>(
    `SELECT a.epoch, a.run_number AS "runNumber", a.attempt, a.state, k.name AS worker,
            a.version_id AS "versionId", a.claimed_at AS "claimedAt", a.started_at AS "startedAt",
            a.ended_at AS "endedAt", a.error_code AS "errorCode", a.error_detail AS "errorDetail",
            a.result, a.inputs, a.outputs
       FROM attempt a LEFT JOIN worker k ON k.id = a.worker_id
      WHERE a.plan_day = $1 AND a.instance_id = $2
      ORDER BY a.epoch DESC`,
    [planDay, id],
  );
}

export interface DirtyRecord {
  readonly epoch: number;
  readonly no: number;
  readonly sliceNo: number | null;
  readonly columnName: string | null;
  readonly code: string;
  readonly sqlState: string | null;
  readonly reason: string;
  readonly cells: unknown;
  readonly columns: readonly string[] | null;
  readonly key: readonly string[] | null;
  readonly class: string | null;
  readonly stage: 'source' | 'mapping' | 'target';
  readonly original: { readonly place: string; readonly base64: string } | null;
  readonly editedAt: Date | null;
  readonly replayedAt: Date | null;
}

/** Page of the rows an instance's attempts put into quarantine, after (epoch, no). */
export async function dirtyRecordsOf(
  sql: Sql,
  page: InstanceKey & {
    readonly after: { readonly epoch: number; readonly no: number } | undefined;
    readonly limit: number;
  },
): Promise<DirtyRecord[]> {
  return await sql.rows<DirtyRecord>(
    `SELECT epoch, no, slice_no AS "sliceNo", column_name AS "columnName", code, sql_state AS "sqlState", reason, cells,
            columns, key, class, stage, original, edited_at AS "editedAt", replayed_at AS "replayedAt"
       FROM dirty_record
      WHERE plan_day = $1 AND instance_id = $2 AND (epoch, no) > ($3, $4)
      ORDER BY epoch, no LIMIT $5`,
    [page.planDay, page.id, page.after?.epoch ?? -1, page.after?.no ?? -1, page.limit],
  );
}
