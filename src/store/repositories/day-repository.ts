import type { InstanceStatus } from '../../domain/instance/status.js';
import type { VisibleState } from '../../domain/instance/visible-state.js';
import type { Sql } from '../database.js';

/** Which instances a day is made of; `planDays` names the partitions they lie in. */
export interface DayScope {
  readonly workspaceId: number;
  readonly bizdate: string;
  readonly planDays: readonly string[];
}

export interface StateCount {
  readonly bizdate: string;
  readonly state: VisibleState;
  readonly n: number;
}

export interface DayInstance {
  readonly planDay: string;
  readonly id: number;
  readonly nodeName: string;
  readonly workflowName: string;
  readonly status: InstanceStatus;
  readonly at: Date | null;
}

export interface FailedInstance extends DayInstance {
  readonly errorCode: string | null;
  readonly errorDetail: string | null;
}

export interface DayPlan {
  readonly state: 'planned' | 'sealed';
  readonly plannedAt: Date;
  readonly instances: number;
}

const SHOWN = 10;

/** The latest business date up to `last` that has instances, or had some where all were removed. */
export async function latestBizdate(
  sql: Sql,
  workspaceId: number,
  last: string,
): Promise<string | undefined> {
  const [row] = await sql.rows<{ bizdate: string | null }>(
    `SELECT coalesce(
       (SELECT bizdate FROM node_instance WHERE workspace_id = $1 AND bizdate <= $2
         ORDER BY bizdate DESC LIMIT 1),
       (SELECT max(p.bizdate) FROM plan p JOIN removed_day d ON d.plan_day = p.plan_day
         WHERE p.workspace_id = $1 AND p.bizdate <= $2)) AS bizdate`,
    [workspaceId, last],
  );
  return row?.bizdate ?? undefined;
}

/** The partitions in which instances of these business dates may lie: those of plans and of run groups. */
export async function planDaysOfBizdates(
  sql: Sql,
  workspaceId: number,
  from: string,
  to: string,
): Promise<string[]> {
  const rows = await sql.rows<{ planDay: string }>(
    `SELECT plan_day AS "planDay" FROM plan WHERE workspace_id = $1 AND bizdate BETWEEN $2 AND $3
     UNION SELECT plan_day FROM run_group WHERE workspace_id = $1 AND plan_day IS NOT NULL`,
    [workspaceId, from, to],
  );
  return rows.map((row) => row.planDay);
}

/** How many instances of each business date from `from` to the scope's own are in each visible state. */
export async function countStates(sql: Sql, scope: DayScope, from: string): Promise<StateCount[]> {
  return await sql.rows<StateCount>(
    `SELECT i.bizdate, s.state, count(*)::int AS n
       FROM node_instance i
      CROSS JOIN LATERAL (SELECT CASE
              WHEN i.frozen AND i.status NOT IN ('succeeded', 'failed', 'cancelled') THEN 'frozen'
              WHEN i.status = 'succeeded' AND i.dry_run THEN 'dry_run'
              WHEN i.status = 'waiting_upstream' AND EXISTS (
                SELECT FROM instance_edge e
                 WHERE e.plan_day = i.plan_day AND e.plan_day = ANY ($1::date[])
                   AND e.downstream_id = i.id AND NOT e.removed AND e.outcome = 'failed')
                THEN 'upstream_failed'
              ELSE i.status END AS state) s
      WHERE i.plan_day = ANY ($1::date[]) AND i.workspace_id = $2 AND i.bizdate BETWEEN $3 AND $4
      GROUP BY i.bizdate, s.state`,
    [scope.planDays, scope.workspaceId, from, scope.bizdate],
  );
}

const LISTED = `i.plan_day AS "planDay", i.id, n.name AS "nodeName", w.name AS "workflowName", i.status`;
const FROM = `FROM node_instance i JOIN node n ON n.id = i.node_id JOIN workflow w ON w.id = i.workflow_id`;

/** What may start in the two hours after `now`, of any business date, the soonest first. */
export async function nextDue(
  sql: Sql,
  scope: Pick<DayScope, 'workspaceId' | 'planDays'>,
  now: Date,
): Promise<DayInstance[]> {
  return await sql.rows<DayInstance>(
    `SELECT ${LISTED}, i.run_at AS at ${FROM}
      WHERE i.plan_day = ANY ($1::date[]) AND i.workspace_id = $2
        AND i.status IN ('waiting_upstream', 'waiting_time') AND NOT i.frozen
        AND i.run_at > $3 AND i.run_at <= $3::timestamptz + interval '2 hours'
      ORDER BY i.run_at, i.id LIMIT $4`,
    [scope.planDays, scope.workspaceId, now, SHOWN],
  );
}

/** What workers hold of the business date, the longest first. */
export async function runningOfDay(sql: Sql, scope: DayScope): Promise<DayInstance[]> {
  return await sql.rows<DayInstance>(
    `SELECT ${LISTED}, coalesce(i.started_at, i.dispatched_at) AS at ${FROM}
      WHERE i.plan_day = ANY ($1::date[]) AND i.workspace_id = $2 AND i.bizdate = $3
        AND i.status IN ('dispatched', 'running', 'checking', 'checking_condition')
      ORDER BY at, i.id LIMIT $4`,
    [scope.planDays, scope.workspaceId, scope.bizdate, SHOWN],
  );
}

/** What failed of the business date, the latest first, with what its last attempt said. */
export async function failedOfDay(sql: Sql, scope: DayScope): Promise<FailedInstance[]> {
  return await sql.rows<FailedInstance>(
    `SELECT f.*, a.error_code AS "errorCode", a.error_detail AS "errorDetail"
       FROM (SELECT ${LISTED}, i.ended_at AS at ${FROM}
              WHERE i.plan_day = ANY ($1::date[]) AND i.workspace_id = $2 AND i.bizdate = $3
                AND i.status = 'failed'
              ORDER BY i.ended_at DESC, i.id DESC LIMIT $4) f
       LEFT JOIN LATERAL (SELECT error_code, error_detail FROM attempt
              WHERE plan_day = f."planDay" AND instance_id = f.id ORDER BY epoch DESC LIMIT 1) a ON true
      ORDER BY f.at DESC, f.id DESC`,
    [scope.planDays, scope.workspaceId, scope.bizdate, SHOWN],
  );
}

/**
 * How many of the business date are late: not started five minutes after they might, or running longer
 * than 95 of 100 of the node's last 20 successes. Fewer than five successes say nothing.
 */
export async function countLate(sql: Sql, scope: DayScope, now: Date): Promise<number> {
  const [row] = await sql.rows<{ late: number }>(
    `SELECT count(*)::int AS late FROM node_instance i
      WHERE i.plan_day = ANY ($1::date[]) AND i.workspace_id = $2 AND i.bizdate = $3 AND (
        (i.status IN ('waiting_upstream', 'waiting_time', 'waiting_resource', 'gated') AND NOT i.frozen
          -- A date of a backfill waits for its turn, which is not late.
          AND NOT i.in_backfill
          AND i.run_at < $4::timestamptz - interval '5 minutes')
        OR (i.status IN ('running', 'checking', 'checking_condition') AND $4 - i.started_at > (
          SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY h.took)
            FROM (SELECT ended_at - started_at AS took FROM node_instance
                   WHERE node_id = i.node_id AND status = 'succeeded' AND started_at IS NOT NULL
                     AND ended_at IS NOT NULL AND reason IS NULL
                   ORDER BY scheduled_at DESC LIMIT 20) h
          HAVING count(*) >= 5)))`,
    [scope.planDays, scope.workspaceId, scope.bizdate, now],
  );
  return row?.late ?? 0;
}

/** The rows that sync nodes wrote for the business date; of an instance that ran again, the last time. */
export async function rowsWritten(sql: Sql, scope: DayScope): Promise<number> {
  const [row] = await sql.rows<{ rows: number }>(
    `SELECT coalesce(sum(a.rows), 0)::bigint AS rows FROM node_instance i
      CROSS JOIN LATERAL (SELECT (result ->> 'rows')::bigint AS rows FROM attempt
              WHERE plan_day = i.plan_day AND plan_day = ANY ($1::date[]) AND instance_id = i.id
                AND state = 'succeeded' AND jsonb_typeof(result -> 'rows') = 'number'
              ORDER BY epoch DESC LIMIT 1) a
      WHERE i.plan_day = ANY ($1::date[]) AND i.workspace_id = $2 AND i.bizdate = $3
        AND i.node_type = 'sync'`,
    [scope.planDays, scope.workspaceId, scope.bizdate],
  );
  return row?.rows ?? 0;
}

/** The daily plan of a business date; absent where only runs by hand or backfills made instances. */
export async function planOf(
  sql: Sql,
  workspaceId: number,
  timezone: string,
  bizdate: string,
): Promise<DayPlan | undefined> {
  const [row] = await sql.rows<DayPlan>(
    `SELECT state, planned_at AS "plannedAt", instances FROM plan
      WHERE workspace_id = $1 AND bizdate = $3 ORDER BY timezone = $2 DESC, timezone LIMIT 1`,
    [workspaceId, timezone, bizdate],
  );
  return row;
}

export async function databaseNow(sql: Sql): Promise<Date> {
  const [row] = await sql.rows<{ now: Date }>('SELECT clock_timestamp() AS now');
  return row?.now ?? new Date();
}
