import type { Sql } from '../database.js';

/** A message a sender has taken on itself until its claim ends. */
export interface ClaimedDelivery {
  readonly id: number;
  readonly channel: 'webhook' | 'email';
  readonly message: unknown;
  /** Of this one; the fence of what the sender reports. */
  readonly attempts: number;
  readonly secretId: number | null;
  readonly emails: readonly string[];
}

const BATCH = 10;

/**
 * Hands out waiting messages. Two senders get different ones; a sender that dies loses its claim with
 * time, so a message is delivered at least once and never lost.
 */
export async function claimDeliveries(sql: Sql, claimMs: number): Promise<ClaimedDelivery[]> {
  return await sql.rows<ClaimedDelivery>(
    `WITH due AS MATERIALIZED (
       SELECT id FROM alert_delivery WHERE status = 'waiting' AND next_at <= clock_timestamp()
        ORDER BY next_at, id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
     UPDATE alert_delivery d SET attempts = d.attempts + 1, attempted_at = clock_timestamp(),
            next_at = clock_timestamp() + $1 * interval '1 ms'
       FROM due, alert_rule r
      WHERE d.id = due.id AND r.id = d.rule_id
     RETURNING d.id, d.channel, d.message, d.attempts, r.secret_id AS "secretId", r.emails`,
    [claimMs],
  );
}

/** Notes that a receiver has taken it; a late report of an older claim is as true as one of the newest. */
export async function noteDelivered(sql: Sql, id: number, answer: string): Promise<void> {
  await sql.run(
    `UPDATE alert_delivery SET status = 'delivered', answer = $2, error_code = NULL, error_detail = NULL
      WHERE id = $1 AND status <> 'delivered'`,
    [id, answer],
  );
}

/** Notes why it was not taken; `retryMs` says when it is tried again, `undefined` that it is given up. */
export async function noteUndelivered(
  sql: Sql,
  claim: Pick<ClaimedDelivery, 'id' | 'attempts'>,
  error: { readonly code: string; readonly detail: string },
  retryMs: number | undefined,
): Promise<void> {
  await sql.run(
    `UPDATE alert_delivery SET status = $3, error_code = $4, error_detail = $5,
            next_at = clock_timestamp() + $6 * interval '1 ms'
      WHERE id = $1 AND attempts = $2 AND status = 'waiting'`,
    [
      claim.id,
      claim.attempts,
      retryMs === undefined ? 'failed' : 'waiting',
      error.code,
      error.detail,
      retryMs ?? 0,
    ],
  );
}
