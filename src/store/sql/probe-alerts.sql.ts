import type { Sql } from '../database.js';

/** What there is to do for alerts. */
export interface AlertWork {
  /** There are rules that are on, or alerts that are open. */
  readonly watched: boolean;
  /** Events that have not been looked at. */
  readonly events: boolean;
  /** A message is due. */
  readonly messages: boolean;
}

/** One statement for everything, because most rounds find nothing. */
export async function probeAlerts(sql: Sql, now: Date): Promise<AlertWork> {
  const [work] = await sql.rows<AlertWork>(
    `SELECT EXISTS (SELECT FROM alert_rule WHERE enabled)
              OR EXISTS (SELECT FROM alert WHERE state = 'open') AS watched,
            (SELECT c.seq > a.seq FROM event_counter c, alert_cursor a) AS events,
            EXISTS (SELECT FROM alert a JOIN alert_rule r ON r.id = a.rule_id AND r.enabled
                     WHERE a.state = 'open' AND a.next_at <= $1) AS messages`,
    [now],
  );
  return work ?? { watched: false, events: false, messages: false };
}
