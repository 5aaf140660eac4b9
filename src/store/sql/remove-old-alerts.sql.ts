import type { Sql } from '../database.js';

const KEPT_ALERTS = `interval '90 days'`;
const KEPT_DELIVERIES = `interval '30 days'`;
const KEPT_DEADLINES = `interval '10 days'`;

/** Removes closed alerts, ended messages and looked-at deadlines that nobody asks for any more. */
export async function removeOldAlerts(tx: Sql, now: Date): Promise<void> {
  await tx.run(
    `DELETE FROM alert WHERE state = 'closed' AND closed_at < $1::timestamptz - ${KEPT_ALERTS}`,
    [now],
  );
  await tx.run(
    `DELETE FROM alert_delivery
      WHERE status <> 'waiting' AND created_at < clock_timestamp() - ${KEPT_DELIVERIES}`,
  );
  await tx.run(
    `DELETE FROM alert_deadline WHERE bizdate < ($1::timestamptz - ${KEPT_DEADLINES})::date`,
    [now],
  );
}
