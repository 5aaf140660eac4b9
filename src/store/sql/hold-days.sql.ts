import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../database.js';
import { ensurePartitions } from './ensure-partitions.sql.js';
import { refuseRemovedDays, STATE_OF_LOGS } from './removed-day.sql.js';

/** The lock of one plan day, by its number: shared by reruns, alone for who removes something of it. */
export const DAY_LOCKS = 7_263_005;
export const NUMBER_OF_DAY = `day - '2000-01-01'::date`;

/**
 * Keeps plan days from being removed until the transaction ends, before something in them is started again:
 * nothing else leaves a final state, so nothing else brings life into an old day. The log partition of a day
 * goes earlier than its instances; a run that begins there gets a new one.
 *
 * @throws MR-S207 a day is gone, MR-S208 one is just going
 */
export async function holdDays(tx: Sql, days: readonly string[]): Promise<void> {
  if (days.length === 0) return;
  const [lock] = await tx.rows<{ had: boolean }>(
    `SELECT bool_and(pg_try_advisory_xact_lock_shared(${DAY_LOCKS}, ${NUMBER_OF_DAY})) AS had
       FROM unnest($1::date[]) AS day`,
    [days],
  );
  if (lock?.had !== true) throw isGoing(days);
  // Only now: the lock is had after whoever removed one has said so.
  await refuseRemovedDays(tx, days);
  const logs = await tx.rows<{ day: string; state: 'there' | 'going' | 'left' | null }>(
    `SELECT day, coalesce(${STATE_OF_LOGS},
              CASE WHEN to_regclass(to_char(day, '"log_chunk_"YYYYMMDD')) IS NOT NULL THEN 'left' END) AS state
       FROM unnest($1::date[]) AS day`,
    [days],
  );
  for (const { day, state } of logs) {
    if (state === null) await ensurePartitions(tx, day, day, ['log_chunk']);
    else if (state !== 'there') throw isGoing([day]);
  }
}

function isGoing(days: readonly string[]): MillraceError {
  return new MillraceError('MR-S208', `Something of ${days.join(', ')} is being removed.`);
}
