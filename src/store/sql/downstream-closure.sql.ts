import type { Sql } from '../database.js';
import type { InstanceKey } from './instance-row.js';

/**
 * These instances and all that lies downstream of them over edges that are there, at most `limit`. Each
 * step is a lateral query: planned as a join it would read whole partitions, so it leads by the keys of
 * the step before into the few partitions that have its edges.
 */
export async function downstreamClosure(
  tx: Sql,
  keys: readonly InstanceKey[],
  limit: number,
): Promise<InstanceKey[]> {
  if (keys.length === 0) return [];
  return await tx.rows<InstanceKey>(
    `WITH RECURSIVE reached (plan_day, id) AS (
       SELECT * FROM unnest($1::date[], $2::bigint[])
       UNION
       SELECT e.plan_day, e.downstream_id
         FROM reached r
        CROSS JOIN LATERAL (SELECT coalesce(first_child_day, plan_day) AS first_child_day, last_child_day
                              FROM node_instance
                             WHERE plan_day = r.plan_day AND id = r.id OFFSET 0) u
        CROSS JOIN LATERAL (SELECT plan_day, downstream_id FROM instance_edge
                             WHERE plan_day BETWEEN u.first_child_day AND u.last_child_day
                               AND upstream_id = r.id AND NOT removed OFFSET 0) e
     )
     SELECT plan_day AS "planDay", id FROM reached LIMIT $3`,
    [keys.map((key) => key.planDay), keys.map((key) => key.id), limit],
  );
}
