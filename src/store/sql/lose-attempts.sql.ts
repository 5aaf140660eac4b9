import type { Sql } from '../database.js';
import { type InstanceRow, keyArrays, keyOf, onDays } from './instance-row.js';
import { dropHeldAttempts } from './open-runs.sql.js';

/**
 * Ends the present attempts of locked instances as lost: their slots are free, their history says why. The ids as
 * values too: by the join alone all attempts of the day were read.
 *
 *   Update on attempt a  ->  Hash Join
 *     ->  Bitmap Index Scan on attempt_20261123_pkey;  ->  Hash  ->  Function Scan on e
 */
export async function loseAttempts(
  tx: Sql,
  rows: readonly InstanceRow[],
  now: Date,
  detail: string,
): Promise<void> {
  if (rows.length === 0) return;
  const [days, ids] = keyArrays(rows.map(keyOf));
  await dropHeldAttempts(tx, ids, ids);
  await tx.run(
    `UPDATE attempt a SET state = 'lost', ended_at = $4, error_code = 'MR-S204', error_detail = $5
       FROM unnest($2::bigint[], $3::int[]) AS e(id, epoch)
      WHERE a.plan_day ${onDays('$1')} AND a.instance_id = e.id AND a.epoch = e.epoch
        AND a.instance_id = ANY($2::bigint[])`,
    [days, ids, rows.map((row) => row.epoch), now, detail],
  );
}
