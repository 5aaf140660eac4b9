import type { Sql } from '../database.js';

export type BackfillDateState = 'waiting' | 'open' | 'done' | 'skipped' | 'cancelled';

export interface Backfill {
  readonly id: number;
  readonly name: string;
  /** Whose nodes it runs; the one that was asked for first. */
  readonly workflows: readonly string[];
  readonly spec: unknown;
  readonly planDay: string;
  readonly createdAt: Date;
  readonly createdBy: string | null;
  readonly state: string;
  readonly parallelism: number;
  readonly endedAt: Date | null;
  /** Instances by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Business dates by state. */
  readonly dates: Readonly<Partial<Record<BackfillDateState, number>>>;
  /** Business dates whose instances are made. */
  readonly made: number;
  /** Why it was paused while it was made. */
  readonly problem: { readonly code: string; readonly detail: string } | null;
}

export interface BackfillDate {
  readonly no: number;
  readonly bizdate: string;
  readonly state: BackfillDateState;
  readonly openedAt: Date | null;
  readonly endedAt: Date | null;
  readonly statuses: Readonly<Record<string, number>>;
}

export interface BackfillPage {
  readonly workspaceId: number;
  readonly beforeId: number | undefined;
  readonly limit: number;
}

/** Page of the workspace's backfills, newest first, below `beforeId`. */
export async function listBackfills(sql: Sql, page: BackfillPage): Promise<Backfill[]> {
  return await select(
    sql,
    `b.workspace_id = $1 AND ($2::bigint IS NULL OR b.run_group_id < $2)
      ORDER BY b.run_group_id DESC LIMIT $3`,
    [page.workspaceId, page.beforeId ?? null, page.limit],
  );
}

export async function backfillById(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<Backfill | undefined> {
  const found = await select(sql, `b.workspace_id = $1 AND b.run_group_id = $2`, [workspaceId, id]);
  return found[0];
}

async function select(sql: Sql, where: string, values: readonly unknown[]): Promise<Backfill[]> {
  const backfills = await sql.rows<Omit<Backfill, 'statuses' | 'dates' | 'made'>>(
    `SELECT g.id, g.name, g.spec, b.plan_day AS "planDay", g.created_at AS "createdAt",
            u.name AS "createdBy", b.state, b.parallelism, b.ended_at AS "endedAt",
            ARRAY(SELECT w.name FROM unnest(b.version_ids) WITH ORDINALITY AS a(id, no)
                    JOIN workflow_version v ON v.id = a.id JOIN workflow w ON w.id = v.workflow_id
                   ORDER BY a.no) AS workflows,
            CASE WHEN b.error_code IS NOT NULL
                 THEN jsonb_build_object('code', b.error_code, 'detail', b.error_detail) END AS problem
       FROM backfill b JOIN run_group g ON g.id = b.run_group_id
       LEFT JOIN app_user u ON u.id = g.created_by
      WHERE ${where}`,
    values,
  );
  if (backfills.length === 0) return [];
  const ids = backfills.map((each) => each.id);
  // Days and groups as values, not as a join: only so are the other partitions left out of the plan.
  const instances = await sql.rows<{ id: number; key: string; n: number }>(
    `SELECT run_group_id AS id, status AS key, count(*)::int AS n FROM node_instance
      WHERE plan_day = ANY ($1::date[]) AND run_group_id = ANY ($2::bigint[])
      GROUP BY run_group_id, status`,
    [[...new Set(backfills.map((each) => each.planDay))], ids],
  );
  const dates = await sql.rows<{ id: number; key: string; n: number; made: number }>(
    `SELECT run_group_id AS id, state AS key, count(*)::int AS n,
            count(workflow_instance_ids)::int AS made FROM backfill_date
      WHERE run_group_id = ANY ($1::bigint[]) GROUP BY run_group_id, state`,
    [ids],
  );
  const of = (
    counts: readonly { readonly id: number; readonly key: string; readonly n: number }[],
    id: number,
  ): Record<string, number> =>
    Object.fromEntries(counts.filter((each) => each.id === id).map(({ key, n }) => [key, n]));
  return backfills.map((backfill) => ({
    ...backfill,
    statuses: of(instances, backfill.id),
    dates: of(dates, backfill.id),
    made: dates.filter((each) => each.id === backfill.id).reduce((sum, { made }) => sum + made, 0),
  }));
}

/** All business dates of a backfill in its order, with their instances by status. */
export async function backfillDatesOf(
  sql: Sql,
  backfill: Pick<Backfill, 'id' | 'planDay'>,
): Promise<BackfillDate[]> {
  return await sql.rows<BackfillDate>(
    `WITH counts AS (
       SELECT bizdate, status, count(*) AS n FROM node_instance
        WHERE plan_day = $2 AND run_group_id = $1 GROUP BY bizdate, status
     )
     SELECT d.no, d.bizdate, d.state, d.opened_at AS "openedAt", d.ended_at AS "endedAt",
            coalesce(jsonb_object_agg(c.status, c.n) FILTER (WHERE c.status IS NOT NULL), '{}') AS statuses
       FROM backfill_date d LEFT JOIN counts c USING (bizdate)
      WHERE d.run_group_id = $1 GROUP BY d.run_group_id, d.no ORDER BY d.no`,
    [backfill.id, backfill.planDay],
  );
}
