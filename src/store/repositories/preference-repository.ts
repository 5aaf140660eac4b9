import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../database.js';
import { storableJson } from '../storable.js';

/** What all preferences of one person may be together, as JSON text. */
export const MAX_PREFERENCE_BYTES = 32 * 1024;

export interface Preference {
  readonly key: string;
  readonly value: unknown;
  readonly updatedAt: Date;
}

export async function preferencesOf(sql: Sql, userId: number): Promise<Preference[]> {
  return await sql.rows<Preference>(
    `SELECT key, value, updated_at AS "updatedAt" FROM user_preference
      WHERE user_id = $1 ORDER BY key`,
    [userId],
  );
}

/**
 * Sets the keys that are sent and removes those sent as null; the others stay. Call in a transaction.
 * MR-A101 when the person would have more than {@link MAX_PREFERENCE_BYTES} then.
 */
export async function savePreferences(
  tx: Sql,
  userId: number,
  changes: Readonly<Record<string, unknown>>,
): Promise<void> {
  // Two pages that save at once would each find room that only one of them has.
  await tx.rows('SELECT FROM app_user WHERE id = $1 FOR NO KEY UPDATE', [userId]);
  const entries = Object.entries(changes);
  const removed = entries.filter(([, value]) => value === null).map(([key]) => key);
  const set = entries.filter(([, value]) => value !== null);
  await tx.run('DELETE FROM user_preference WHERE user_id = $1 AND key = ANY ($2::text[])', [
    userId,
    removed,
  ]);
  await tx.run(
    `INSERT INTO user_preference (user_id, key, value)
     SELECT $1, p.key, p.value FROM unnest($2::text[], $3::jsonb[]) AS p(key, value)
     ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value, updated_at = clock_timestamp()`,
    [userId, set.map(([key]) => key), set.map(([, value]) => storableJson(value))],
  );
  const [size] = await tx.rows<{ bytes: number }>(
    `SELECT coalesce(sum(octet_length(key) + octet_length(value::text)), 0)::int AS bytes
       FROM user_preference WHERE user_id = $1`,
    [userId],
  );
  const bytes = size?.bytes ?? 0;
  if (bytes > MAX_PREFERENCE_BYTES) {
    throw new MillraceError(
      'MR-A101',
      `Your preferences would take ${bytes} bytes; ${MAX_PREFERENCE_BYTES} are allowed. Remove some by sending null for their keys.`,
    );
  }
}
