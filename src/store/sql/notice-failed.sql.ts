import type { Sql } from '../database.js';
import { NOTICED, type NoticedAlert, watches } from './alert-watch.js';
import type { AlertCursor } from './lock-alert-cursor.sql.js';

/**
 * Opens an alert for each instance that has failed for good within the cursor's events: an instance that
 * is tried again by itself has no such event. Numbered events, because `node_instance` has no index that
 * finds what failed lately, and must not get one (engine rule 2).
 */
export async function noticeFailed(
  tx: Sql,
  cursor: AlertCursor,
  now: Date,
): Promise<NoticedAlert[]> {
  if (cursor.upTo <= cursor.seq) return [];
  return await tx.rows<NoticedAlert>(
    `INSERT INTO alert (workspace_id, rule_id, subject, workflow_id, node_id, resource_group_id, bizdate,
            plan_day, instance_id, run_number, error_code, first_at, last_at, next_at)
     SELECT r.workspace_id, r.id, format('instance %s run %s', e.instance_id, e.payload ->> 'runNumber'),
            (e.payload ->> 'workflowId')::bigint, (e.payload ->> 'nodeId')::bigint, g.id,
            (e.payload ->> 'bizdate')::date, e.instance_plan_day, e.instance_id,
            (e.payload ->> 'runNumber')::int, e.payload ->> 'code', $4::timestamptz, $4, $4
       FROM event e
       LEFT JOIN resource_group g ON g.name = e.payload ->> 'resourceGroup'
       JOIN alert_rule r ON r.workspace_id = e.workspace_id AND r.enabled AND r.condition = 'failed'
            AND e.seq > r.from_seq AND e.payload ->> 'runGroupKind' = ANY(r.run_kinds)
      WHERE e.plan_day >= $1 AND e.seq > $2 AND e.seq <= $3
        AND e.type = 'instance.status' AND e.payload ->> 'status' = 'failed'
        AND ${watches(`(e.payload ->> 'workflowId')::bigint`, `(e.payload ->> 'nodeId')::bigint`, 'g.id')}
      ORDER BY e.seq
     ON CONFLICT (rule_id, subject) DO NOTHING ${NOTICED}`,
    [cursor.planDay, cursor.seq, cursor.upTo, now],
  );
}
