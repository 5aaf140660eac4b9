import { NOT_STARTED_STATUSES } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';
import type { InstanceKey } from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { moveChildren } from './move-children.sql.js';
import { settleEdges } from './settle-edges.sql.js';

const CHUNK = 500;

interface Dropped {
  readonly plan_day: string;
  readonly downstream_id: number;
  readonly edges: number;
  /** Without those that a forced rerun passed over: `pending` does not count them. */
  readonly held: number;
}

/** Still to come: its workflow is scheduled in that zone, and its day is not planned yet or not to its end. */
const IS_TO_COME = `EXISTS (
    SELECT FROM workflow w
      JOIN LATERAL (SELECT v.timezone FROM workflow_version v
                     WHERE v.workflow_id = w.id AND v.first_bizdate <= a.upstream_bizdate
                     ORDER BY v.version DESC LIMIT 1) v ON v.timezone = a.upstream_timezone
      LEFT JOIN plan p ON p.workspace_id = a.workspace_id AND p.timezone = a.upstream_timezone
                      AND p.bizdate = a.upstream_bizdate
     WHERE w.id = a.upstream_workflow_id AND w.scheduled
       AND CASE WHEN p.plan_day IS NULL
                THEN NOT EXISTS (SELECT FROM plan later
                                  WHERE later.workspace_id = a.workspace_id
                                    AND later.timezone = a.upstream_timezone
                                    AND later.bizdate > a.upstream_bizdate)
                ELSE p.revision = 0 AND NOT EXISTS (
                       SELECT FROM workflow_instance r
                        WHERE r.plan_day = p.plan_day AND r.run_group_id = a.run_group_id
                          AND r.workflow_id = a.upstream_workflow_id AND r.bizdate = a.upstream_bizdate)
           END)`;

/**
 * Lets go what is awaited of upstreams that will not be planned any more: their workflow was taken off the
 * schedule or has no such cycle, or their day is planned without them. Otherwise the downstream would wait
 * for ever. Returns how many edges that were, of at most 500 downstreams: call it until there are none.
 */
export async function dropAwaited(tx: Sql, now: Date): Promise<number> {
  const keys = await tx.rows<InstanceKey>(
    // Asked once for each day of an upstream workflow: a whole day of another zone may be awaited.
    `WITH past AS (
       SELECT a.* FROM (SELECT DISTINCT workspace_id, run_group_id, upstream_workflow_id,
                               upstream_timezone, upstream_bizdate FROM awaited_edge) a
        WHERE NOT ${IS_TO_COME}
     )
     SELECT DISTINCT e.plan_day AS "planDay", e.downstream_id AS id
       FROM awaited_edge e
       JOIN past USING (run_group_id, upstream_workflow_id, upstream_timezone, upstream_bizdate)
      ORDER BY id LIMIT ${CHUNK}`,
  );
  if (keys.length === 0) return 0;
  const rows = await lockInstances(tx, keys);
  const dropped = await tx.rows<Dropped>(
    `WITH gone AS (
       DELETE FROM awaited_edge a WHERE a.downstream_id = ANY($1::bigint[]) AND NOT ${IS_TO_COME}
       RETURNING plan_day, downstream_id, forced
     )
     SELECT plan_day, downstream_id, count(*)::int AS edges,
            count(*) FILTER (WHERE NOT forced)::int AS held
       FROM gone GROUP BY plan_day, downstream_id`,
    [rows.map((row) => row.id)],
  );
  const isWaiting = new Map(
    rows.map((row) => [row.id, (NOT_STARTED_STATUSES as readonly string[]).includes(row.status)]),
  );
  const ended = dropped.filter((each) => isWaiting.get(each.downstream_id) !== true);
  await tx.run(
    `UPDATE node_instance i SET pending = i.pending - d.held
       FROM unnest($1::date[], $2::bigint[], $3::int[]) AS d(plan_day, id, held)
      WHERE i.plan_day = d.plan_day AND i.id = d.id`,
    [
      ended.map((each) => each.plan_day),
      ended.map((each) => each.downstream_id),
      ended.map((each) => each.held),
    ],
  );
  const deltas = new Map(dropped.map((each) => [each.downstream_id, -each.held]));
  const waiting = rows.filter((row) => isWaiting.get(row.id) === true);
  await settleEdges(tx, await moveChildren(tx, waiting, deltas, now), now);
  return dropped.reduce((sum, each) => sum + each.edges, 0);
}
