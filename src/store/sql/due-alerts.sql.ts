import type { Sql } from '../database.js';
import { ALERT_COLUMNS, ALERT_NAMES, type AlertRow } from './alert-row.js';

/** An open alert whose message is due, with what its rule says of messages. */
export interface DueAlert extends AlertRow {
  readonly workspace: string;
  /** Of the workspace: the mute window is in it. */
  readonly zone: string;
  readonly owner: string;
  readonly hasWebhook: boolean;
  readonly emails: readonly string[];
  readonly muteFrom: string | null;
  readonly muteTo: string | null;
  readonly repeatMinutes: number | null;
  readonly maxCount: number;
  readonly messagedAt: Date | null;
}

const BATCH = 1_000;

/** Locks up to 1,000 due alerts, those of one rule together; what another scheduler holds is left out. */
export async function lockDueAlerts(tx: Sql, now: Date): Promise<DueAlert[]> {
  return await tx.rows<DueAlert>(
    `SELECT ${ALERT_COLUMNS}, s.name AS workspace, s.timezone AS zone, r.owner,
            r.webhook_origin IS NOT NULL AS "hasWebhook", r.emails, r.mute_from AS "muteFrom", r.mute_to AS "muteTo",
            r.repeat_minutes AS "repeatMinutes", r.max_count AS "maxCount", r.messaged_at AS "messagedAt"
       FROM alert a ${ALERT_NAMES} JOIN workspace s ON s.id = a.workspace_id
      WHERE a.state = 'open' AND a.next_at <= $1 AND r.enabled
      ORDER BY a.rule_id, a.id LIMIT ${BATCH} FOR UPDATE OF a SKIP LOCKED`,
    [now],
  );
}

/** Puts messages off, because a mute window or the pause between two messages is not over. */
export async function postponeAlerts(tx: Sql, ids: readonly number[], until: Date): Promise<void> {
  await tx.run(
    `UPDATE alert SET next_at = greatest($2::timestamptz, muted_until) WHERE id = ANY($1::bigint[])`,
    [ids, until],
  );
}

export interface NewDelivery {
  readonly ruleId: number;
  readonly channel: 'webhook' | 'email';
  readonly alertIds: readonly number[];
  readonly message: unknown;
}

/** Writes one rule's messages and counts them on the alerts they name, in the transaction that noticed them. */
export async function writeDeliveries(
  tx: Sql,
  ruleId: number,
  alertIds: readonly number[],
  messages: readonly NewDelivery[],
  now: Date,
): Promise<void> {
  for (const { channel, message } of messages)
    await tx.run(
      `INSERT INTO alert_delivery (rule_id, channel, alert_ids, message) VALUES ($1, $2, $3, $4)`,
      [ruleId, channel, alertIds, JSON.stringify(message)],
    );
  await tx.run(
    `UPDATE alert a SET count = a.count + 1, last_at = $2,
            next_at = CASE WHEN a.count + 1 < r.max_count
                           THEN $2::timestamptz + r.repeat_minutes * interval '1 minute' END
       FROM alert_rule r WHERE r.id = a.rule_id AND a.id = ANY($1::bigint[])`,
    [alertIds, now],
  );
  await tx.run(`UPDATE alert_rule SET messaged_at = $2 WHERE id = $1`, [ruleId, now]);
}
