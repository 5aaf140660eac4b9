import type { Sql } from '../database.js';
import { NOTICED, type NoticedAlert } from './alert-watch.js';

/** True for a plan `p` of an unusual size whose run day is not over at `$1`. */
export const JUMPED = `p.size_jump IS NOT NULL
  AND p.bizdate >= ($1::timestamptz AT TIME ZONE p.timezone)::date - 1`;

/** Opens an alert for each plan with far more or fewer instances than the plans before it. */
export async function noticeJumpedPlans(tx: Sql, now: Date): Promise<NoticedAlert[]> {
  return await tx.rows<NoticedAlert>(
    `INSERT INTO alert (workspace_id, rule_id, subject, timezone, bizdate, instances, first_at, last_at,
            next_at)
     SELECT r.workspace_id, r.id, format('plan %s %s', p.timezone, p.bizdate), p.timezone, p.bizdate,
            p.instances, $1, $1, $1
       FROM alert_rule r JOIN plan p ON p.workspace_id = r.workspace_id
      WHERE r.enabled AND r.condition = 'plan_jump' AND ${JUMPED}
     ON CONFLICT (rule_id, subject) DO NOTHING ${NOTICED}`,
    [now],
  );
}
