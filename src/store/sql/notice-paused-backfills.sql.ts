import type { Sql } from '../database.js';
import { NOTICED, type NoticedAlert, watches } from './alert-watch.js';

/** True for a backfill `b` that has paused itself; one that a user has paused has no error. */
export const STUCK = `b.state = 'paused' AND b.error_code IS NOT NULL`;

/**
 * Opens an alert for each backfill that cannot be made any further, and another one when it pauses again. It is
 * of the first of its workflows that the rule watches.
 */
export async function noticePausedBackfills(tx: Sql, now: Date): Promise<NoticedAlert[]> {
  return await tx.rows<NoticedAlert>(
    `INSERT INTO alert (workspace_id, rule_id, subject, workflow_id, run_group_id, error_code, since, first_at,
            last_at, next_at)
     SELECT r.workspace_id, r.id, format('backfill %s since %s', b.run_group_id, extract(epoch FROM b.paused_at)),
            w.id, b.run_group_id, b.error_code, b.paused_at, $1::timestamptz, $1, $1
       FROM alert_rule r JOIN backfill b ON b.workspace_id = r.workspace_id AND ${STUCK}
      CROSS JOIN LATERAL (
        SELECT v.workflow_id AS id FROM unnest(b.version_ids) WITH ORDINALITY AS a(id, no)
          JOIN workflow_version v ON v.id = a.id
         WHERE ${watches('v.workflow_id', 'NULL::bigint', 'NULL::bigint')} ORDER BY a.no LIMIT 1) w
      WHERE r.enabled AND r.condition = 'backfill_paused'
     ON CONFLICT (rule_id, subject) DO NOTHING ${NOTICED}`,
    [now],
  );
}
