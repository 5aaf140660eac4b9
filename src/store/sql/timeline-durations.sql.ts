import type { Sql } from '../database.js';

/** So many of the latest successes say how long a node usually runs. */
const SUCCESSES = 20;
/** How many of the newest plan days are looked into: enough for a node that runs once a day. */
const PLAN_DAYS = 21;

/**
 * The median time, in ms, that each node ran in its last 20 successes; a node without any is not in the
 * map. What a user set to success, or a dry run, says nothing about how long the node takes.
 */
export async function medianDurations(
  sql: Sql,
  nodeIds: readonly number[],
): Promise<Map<number, number>> {
  const days = await sql.rows<{ planDay: string }>(
    `SELECT DISTINCT plan_day AS "planDay" FROM (
       SELECT plan_day FROM plan UNION ALL SELECT plan_day FROM run_group WHERE plan_day IS NOT NULL
     ) AS days ORDER BY plan_day DESC LIMIT ${PLAN_DAYS}`,
  );
  const rows = await sql.rows<{ nodeId: number; ms: number }>(
    `SELECT n.id AS "nodeId",
            round(percentile_cont(0.5) WITHIN GROUP (ORDER BY last.ms)) AS ms
       FROM unnest($2::bigint[]) AS n(id) CROSS JOIN LATERAL (
         SELECT date_part('epoch', i.ended_at - i.started_at) * 1000 AS ms FROM node_instance i
          WHERE i.plan_day = ANY($1::date[]) AND i.node_id = n.id AND i.status = 'succeeded'
            AND i.started_at IS NOT NULL AND i.reason IS DISTINCT FROM 'set_success'
          ORDER BY i.scheduled_at DESC LIMIT ${SUCCESSES}) AS last
      GROUP BY n.id`,
    [days.map((row) => row.planDay), nodeIds],
  );
  return new Map(rows.map((row) => [row.nodeId, row.ms]));
}
