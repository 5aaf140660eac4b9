import type { Sql } from '../database.js';
import { NOTICED, type NoticedAlert, watches } from './alert-watch.js';

interface PassedDeadline {
  readonly rule_id: number;
  readonly timezone: string;
  readonly bizdate: string;
  readonly plan_day: string;
}

/** A deadline that is older was missed with all schedulers away: what it would say is no news any more. */
const LOOK_BACK = `interval '48 hours'`;

const DEADLINE = `((p.bizdate + 1)::timestamp + r.due_minute * interval '1 minute') AT TIME ZONE p.timezone`;

/** What still has to be done for a rule `r` on the day of the workflow instance `wi`: a frozen instance counts as complete. */
export const UNFINISHED = `i.status <> 'succeeded' AND NOT i.frozen`;

/**
 * Opens an alert for each workflow (for rules on nodes: each node) of a day whose deadline has passed, and
 * that is not finished. Each day is looked at once, when its deadline has passed: what is unfinished
 * later was finished then.
 */
export async function noticeUnfinished(tx: Sql, now: Date): Promise<NoticedAlert[]> {
  const passed = await tx.rows<PassedDeadline>(
    `WITH due AS (
       INSERT INTO alert_deadline (rule_id, timezone, bizdate)
       SELECT r.id, p.timezone, p.bizdate
         FROM alert_rule r JOIN plan p ON p.workspace_id = r.workspace_id
        WHERE r.enabled AND r.condition = 'unfinished' AND p.bizdate > $1::timestamptz::date - 6
          AND ${DEADLINE} <= $1 AND ${DEADLINE} > $1::timestamptz - ${LOOK_BACK}
       ON CONFLICT DO NOTHING RETURNING rule_id, timezone, bizdate)
     SELECT d.rule_id, d.timezone, d.bizdate, p.plan_day
       FROM due d JOIN alert_rule r ON r.id = d.rule_id
       JOIN plan p ON p.workspace_id = r.workspace_id AND p.timezone = d.timezone AND p.bizdate = d.bizdate`,
    [now],
  );
  if (passed.length === 0) return [];
  return await tx.rows<NoticedAlert>(
    `INSERT INTO alert (workspace_id, rule_id, subject, workflow_id, node_id, timezone, bizdate, plan_day,
            instance_id, instances, first_at, last_at, next_at)
     SELECT r.workspace_id, r.id,
            format('workflow %s node %s bizdate %s', wi.workflow_id, coalesce(n.node_id::text, 'all'), wi.bizdate),
            wi.workflow_id, n.node_id, d.timezone, wi.bizdate, wi.plan_day,
            -- The one to look at first.
            (array_agg(i.id ORDER BY (i.status = 'failed') DESC, i.scheduled_at, i.id))[1], count(*),
            $1::timestamptz, $1, $1
       FROM unnest($2::bigint[], $3::text[], $4::date[], $5::date[]) AS d(rule_id, timezone, bizdate, plan_day)
       JOIN alert_rule r ON r.id = d.rule_id
       JOIN run_group g ON g.workspace_id = r.workspace_id AND g.kind = 'scheduled'
       JOIN workflow_instance wi ON wi.plan_day = d.plan_day AND wi.run_group_id = g.id AND wi.bizdate = d.bizdate
       JOIN workflow_version v ON v.id = wi.version_id AND v.timezone = d.timezone
       JOIN node_instance i ON i.plan_day = wi.plan_day AND i.workflow_instance_id = wi.id
       CROSS JOIN LATERAL (SELECT CASE r.target WHEN 'nodes' THEN i.node_id END) AS n(node_id)
      WHERE wi.plan_day = ANY($5::date[]) AND i.plan_day = ANY($5::date[]) AND ${UNFINISHED}
        AND ${watches('i.workflow_id', 'i.node_id', 'i.resource_group_id')}
      GROUP BY r.workspace_id, r.id, wi.plan_day, wi.workflow_id, n.node_id, d.timezone, wi.bizdate
     ON CONFLICT (rule_id, subject) DO NOTHING ${NOTICED}`,
    [
      now,
      passed.map((each) => each.rule_id),
      passed.map((each) => each.timezone),
      passed.map((each) => each.bizdate),
      passed.map((each) => each.plan_day),
    ],
  );
}
