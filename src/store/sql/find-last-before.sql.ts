import type { Sql } from '../database.js';

export interface LastBefore {
  readonly nodeId: number;
  readonly planDay: string;
  readonly id: number;
  readonly scheduledAt: Date;
  /** Where it comes from; what this looks at first wins. */
  readonly from: 'date before' | 'run group' | 'any group';
}

/**
 * The cycle before `before` of each of these nodes: the latest of its own run group, which it waits for, else
 * the latest final one of any run group, else its last one of all, which was removed with its day, else none
 * (engine rules 8 and 13). Nodes of one workflow.
 *
 * The business date before has it nearly always, and one join finds it for all nodes at once. The rest is
 * looked up one by one in the index of each partition, so nodes that never had an instance are not asked for.
 */
export async function findLastBefore(
  sql: Sql,
  order: {
    readonly workspaceId: number;
    readonly workflowId: number;
    readonly runGroupId: number;
    readonly bizdate: string;
    readonly dayBefore: string;
    /** Instances that are to be gone. */
    readonly without?: readonly number[];
  },
  firsts: readonly { readonly nodeId: number; readonly before: Date }[],
): Promise<LastBefore[]> {
  if (firsts.length === 0) return [];
  const near = await yesterday(sql, order, firsts);
  const found = new Set(near.map((each) => each.nodeId));
  const rest = firsts.filter((each) => !found.has(each.nodeId));
  return rest.length === 0 ? near : [...near, ...(await anyEarlier(sql, order, rest))];
}

async function yesterday(
  sql: Sql,
  order: Parameters<typeof findLastBefore>[1],
  firsts: Parameters<typeof findLastBefore>[2],
): Promise<LastBefore[]> {
  return await sql.rows<LastBefore>(
    `SELECT DISTINCT ON (i.node_id) i.node_id AS "nodeId", i.plan_day AS "planDay", i.id,
            i.scheduled_at AS "scheduledAt", 'date before' AS "from"
       FROM node_instance i
      WHERE i.workspace_id = $1 AND i.bizdate = $2 AND i.run_group_id = $3
        AND i.node_id = ANY($4::bigint[])
        -- Not by time: a cycle that a zone's leap has moved may be due after the first of the next date.
        AND i.path = '' AND i.id <> ALL($5::bigint[])
        AND i.plan_day = ANY(ARRAY(
              SELECT plan_day FROM plan WHERE workspace_id = $1 AND bizdate = $2
              UNION SELECT plan_day FROM run_group WHERE id = $3 AND plan_day IS NOT NULL))
      ORDER BY i.node_id, i.scheduled_at DESC, i.id DESC`,
    [
      order.workspaceId,
      order.dayBefore,
      order.runGroupId,
      firsts.map((each) => each.nodeId),
      order.without ?? [],
    ],
  );
}

async function anyEarlier(
  sql: Sql,
  order: Parameters<typeof findLastBefore>[1],
  firsts: Parameters<typeof findLastBefore>[2],
): Promise<LastBefore[]> {
  const recent = `i.node_id = f.node_id AND i.scheduled_at < f.before AND i.path = ''
    AND i.scheduled_at > f.before - interval '32 days' AND i.id <> ALL($6::bigint[])`;
  return await sql.rows<LastBefore>(
    `SELECT f.node_id AS "nodeId", coalesce(own.plan_day, final.plan_day, kept.plan_day) AS "planDay",
            coalesce(own.id, final.id, kept.instance_id) AS id,
            coalesce(own.scheduled_at, final.scheduled_at, kept.scheduled_at) AS "scheduledAt",
            CASE WHEN own.id IS NULL THEN 'any group' ELSE 'run group' END AS "from"
       FROM unnest($1::bigint[], $2::timestamptz[]) AS f(node_id, before)
       LEFT JOIN LATERAL (
         SELECT i.plan_day, i.id, i.scheduled_at FROM node_instance i WHERE ${recent} AND i.run_group_id = $3
            AND EXISTS (SELECT FROM workflow_instance w
                         WHERE w.workflow_id = $4 AND w.run_group_id = $3 AND w.bizdate < $5)
          ORDER BY i.scheduled_at DESC, i.id DESC LIMIT 1
       ) own ON true
       LEFT JOIN LATERAL (
         SELECT i.plan_day, i.id, i.scheduled_at FROM node_instance i WHERE ${recent} AND own.id IS NULL
            AND i.status IN ('succeeded', 'failed', 'cancelled')
            AND EXISTS (SELECT FROM node_last l WHERE l.node_id = f.node_id)
          ORDER BY i.scheduled_at DESC, i.id DESC LIMIT 1
       ) final ON true
       -- Of a node that was idle for longer than its instances are kept (engine rule 13).
       LEFT JOIN node_last kept ON own.id IS NULL AND final.id IS NULL AND kept.node_id = f.node_id
        AND kept.scheduled_at < f.before AND kept.plan_day IN (SELECT plan_day FROM removed_day)
      WHERE coalesce(own.id, final.id, kept.instance_id) IS NOT NULL`,
    [
      firsts.map((each) => each.nodeId),
      firsts.map((each) => each.before),
      order.runGroupId,
      order.workflowId,
      order.bizdate,
      order.without ?? [],
    ],
  );
}
