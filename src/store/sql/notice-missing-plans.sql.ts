import type { Sql } from '../database.js';
import { NOTICED, type NoticedAlert } from './alert-watch.js';

/**
 * Opens an alert for each zone of a workspace whose newest sealed day has no whole plan. `seal` is the
 * wall clock `HH:MM` from which the plan of the next day stands.
 */
export async function noticeMissingPlans(
  tx: Sql,
  now: Date,
  seal: string,
): Promise<NoticedAlert[]> {
  return await tx.rows<NoticedAlert>(
    `WITH sealed AS (
       SELECT w.workspace_id, v.timezone, min(v.first_bizdate) AS first,
              -- Before the seal this is yesterday.
              (($1::timestamptz AT TIME ZONE v.timezone) - $2::interval)::date AS bizdate
         FROM workflow w JOIN workflow_version v ON v.workflow_id = w.id
        WHERE w.scheduled
          AND w.workspace_id IN (SELECT workspace_id FROM alert_rule
                                  WHERE enabled AND condition = 'plan_missing')
        GROUP BY w.workspace_id, v.timezone)
     INSERT INTO alert (workspace_id, rule_id, subject, timezone, bizdate, first_at, last_at, next_at)
     SELECT r.workspace_id, r.id, format('plan %s %s', s.timezone, s.bizdate), s.timezone, s.bizdate,
            $1, $1, $1
       FROM alert_rule r JOIN sealed s ON s.workspace_id = r.workspace_id
      WHERE r.enabled AND r.condition = 'plan_missing' AND s.first <= s.bizdate
        AND NOT EXISTS (SELECT FROM plan p WHERE p.workspace_id = s.workspace_id AND p.timezone = s.timezone
                           AND p.bizdate = s.bizdate AND p.revision > 0)
     ON CONFLICT (rule_id, subject) DO NOTHING ${NOTICED}`,
    [now, seal],
  );
}
