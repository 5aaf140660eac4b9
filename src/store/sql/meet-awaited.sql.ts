import type { Sql } from '../database.js';

/**
 * Makes edges of what was awaited of the instances of this workflow instance, which the same transaction has
 * inserted. `pending` of the downstreams stays as it is: an awaited edge counted, an open one counts; one
 * that a forced rerun passed over did not, nor does its edge.
 */
export async function meetAwaited(
  tx: Sql,
  run: {
    readonly planDay: string;
    readonly id: number;
    readonly workflowId: number;
    readonly bizdate: string;
  },
): Promise<void> {
  await tx.run(
    `WITH met AS (
       DELETE FROM awaited_edge a USING node_instance i
        WHERE a.upstream_workflow_id = $3 AND a.upstream_bizdate = $4
          AND i.plan_day = $1 AND i.workflow_instance_id = $2 AND i.path = ''
          AND i.run_group_id = a.run_group_id AND i.node_id = a.upstream_node_id
          AND i.scheduled_at = a.scheduled_at
       RETURNING a.plan_day, a.downstream_id, i.id, a.kind, a.inherits_dry_run, a.forced
     ), made AS (
       INSERT INTO instance_edge (plan_day, downstream_id, upstream_plan_day, upstream_id, kind, outcome,
              inherits_dry_run, removed, forced)
       SELECT plan_day, downstream_id, $1, id, kind, 'open', inherits_dry_run, forced, forced FROM met
     )
     -- Its children may have been planned on an earlier day than it: its finish has to look there too.
     UPDATE node_instance i SET first_child_day = least(m.first, $1), last_child_day = greatest(m.last, $1)
       FROM (SELECT id, min(plan_day) AS first, max(plan_day) AS last FROM met GROUP BY id) m
      WHERE i.plan_day = $1 AND i.id = m.id`,
    [run.planDay, run.id, run.workflowId, run.bizdate],
  );
}
