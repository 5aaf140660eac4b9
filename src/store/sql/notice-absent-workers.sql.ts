import type { Sql } from '../database.js';
import { NOTICED, type NoticedAlert } from './alert-watch.js';

/** When a worker of the group `g` was alive last; a group that never had one counts from its creation. */
export const LAST_SEEN = `greatest(g.created_at, (SELECT max(coalesce(k.ended_at, l.lease_until))
    FROM worker k LEFT JOIN worker_lease l ON l.worker_id = k.id WHERE k.resource_group_id = g.id))`;

/** Opens an alert for each resource group that has had no live worker for as long as its rule says. */
export async function noticeAbsentWorkers(tx: Sql, now: Date): Promise<NoticedAlert[]> {
  return await tx.rows<NoticedAlert>(
    // Leases are written by the clock of the database, which `now` may be moved against.
    `INSERT INTO alert (workspace_id, rule_id, subject, resource_group_id, since, first_at, last_at, next_at)
     SELECT r.workspace_id, r.id, format('resource group %s since %s', g.id, extract(epoch FROM s.seen)),
            g.id, s.seen, $1::timestamptz, $1, $1
       FROM alert_rule r JOIN resource_group g ON g.id = r.resource_group_id
       CROSS JOIN LATERAL (SELECT ${LAST_SEEN}) AS s(seen)
      WHERE r.enabled AND r.condition = 'no_worker'
        AND s.seen < clock_timestamp() - r.absent_minutes * interval '1 minute'
     ON CONFLICT (rule_id, subject) DO NOTHING ${NOTICED}`,
    [now],
  );
}
