import type { Sql } from '../database.js';
import { ALERT_COLUMNS, ALERT_NAMES, type AlertRow, type AlertState } from '../sql/alert-row.js';

/** Page of the workspace's alerts: open ones first, the newest of each first. */
export async function listAlerts(
  sql: Sql,
  page: {
    readonly workspaceId: number;
    readonly state: AlertState | undefined;
    readonly after: { readonly isOpen: boolean; readonly id: number } | undefined;
    readonly limit: number;
  },
): Promise<AlertRow[]> {
  return await sql.rows<AlertRow>(
    `SELECT ${ALERT_COLUMNS} FROM alert a ${ALERT_NAMES}
      WHERE a.workspace_id = $1 AND ($2::text IS NULL OR a.state = $2)
        AND ($3::boolean IS NULL OR (a.state = 'open', a.id) < ($3, $4))
      ORDER BY (a.state = 'open') DESC, a.id DESC LIMIT $5`,
    [
      page.workspaceId,
      page.state ?? null,
      page.after?.isOpen ?? null,
      page.after?.id ?? 0,
      page.limit,
    ],
  );
}

export async function alertById(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<AlertRow | undefined> {
  const rows = await sql.rows<AlertRow>(
    `SELECT ${ALERT_COLUMNS} FROM alert a ${ALERT_NAMES} WHERE a.workspace_id = $1 AND a.id = $2`,
    [workspaceId, id],
  );
  return rows[0];
}

/**
 * Keeps an open alert quiet for so many minutes, 0 ends that; afterwards a message is due, unless all
 * its rule allows have been sent. `false` for one that is closed.
 */
export async function muteAlert(
  sql: Sql,
  id: number,
  minutes: number,
  now: Date,
): Promise<boolean> {
  const changed = await sql.run(
    `UPDATE alert a SET muted_until = CASE WHEN $2 > 0 THEN $3::timestamptz + $2 * interval '1 minute' END,
            next_at = CASE WHEN a.count < r.max_count
                           THEN greatest(a.next_at, $3::timestamptz + $2 * interval '1 minute') END
       FROM alert_rule r WHERE r.id = a.rule_id AND a.id = $1 AND a.state = 'open'`,
    [id, minutes, now],
  );
  return changed === 1;
}

/** Closes an open alert for good: what it is about opens no other one. `false` for one that is closed. */
export async function closeAlert(sql: Sql, id: number, userId: number): Promise<boolean> {
  const changed = await sql.run(
    `UPDATE alert SET state = 'closed', closed_at = clock_timestamp(), closed_by = $2, next_at = NULL
      WHERE id = $1 AND state = 'open'`,
    [id, userId],
  );
  return changed === 1;
}
