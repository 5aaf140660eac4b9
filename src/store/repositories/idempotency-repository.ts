import type { Sql } from '../database.js';

export interface StoredAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly location?: string;
}

export interface IdempotentCall {
  readonly userId: number;
  readonly key: string;
  readonly route: string;
  readonly bodyHash: Buffer;
}

export type Reservation =
  | { readonly state: 'mine' }
  | { readonly state: 'other_request' }
  | { readonly state: 'in_flight' }
  | { readonly state: 'answered'; readonly answer: StoredAnswer };

/** Takes the key for this call, or says what the first call with it did. Keys live for 24 h. */
export async function reserveKey(sql: Sql, call: IdempotentCall): Promise<Reservation> {
  await sql.run(
    `DELETE FROM idempotency_key
      WHERE user_id = $1 AND created_at < clock_timestamp() - interval '24 hours'`,
    [call.userId],
  );
  const taken = await sql.run(
    `INSERT INTO idempotency_key (user_id, key, route, body_hash) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [call.userId, call.key, call.route, call.bodyHash],
  );
  if (taken === 1) return { state: 'mine' };
  const rows = await sql.rows<{
    route: string;
    body_hash: Buffer;
    status: number | null;
    answer: { body: unknown; location?: string } | null;
  }>(
    'SELECT route, body_hash, status, answer FROM idempotency_key WHERE user_id = $1 AND key = $2',
    [call.userId, call.key],
  );
  const first = rows[0];
  if (first === undefined) return { state: 'in_flight' };
  if (first.route !== call.route || !first.body_hash.equals(call.bodyHash))
    return { state: 'other_request' };
  if (first.status === null || first.answer === null) return { state: 'in_flight' };
  return { state: 'answered', answer: { status: first.status, ...first.answer } };
}

export async function saveAnswer(
  sql: Sql,
  call: IdempotentCall,
  { status, ...answer }: StoredAnswer,
): Promise<void> {
  await sql.run(
    'UPDATE idempotency_key SET status = $3, answer = $4 WHERE user_id = $1 AND key = $2',
    [call.userId, call.key, status, JSON.stringify(answer)],
  );
}

/** Gives the key back: a call that was refused has started nothing and may be sent again. */
export async function releaseKey(sql: Sql, call: IdempotentCall): Promise<void> {
  await sql.run('DELETE FROM idempotency_key WHERE user_id = $1 AND key = $2 AND status IS NULL', [
    call.userId,
    call.key,
  ]);
}
