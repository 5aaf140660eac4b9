import type { Sql } from '../database.js';

/** Events after `seq`, up to `upTo`, have not been looked at; none lies in a partition before `planDay`. */
export interface AlertCursor {
  readonly seq: number;
  readonly upTo: number;
  readonly planDay: string;
  /** There are events after `upTo`. */
  readonly more: boolean;
}

const BATCH = 5_000;

/** Takes the cursor for this transaction; `undefined` while another scheduler has it. */
export async function lockAlertCursor(tx: Sql): Promise<AlertCursor | undefined> {
  const [locked] = await tx.rows<{ seq: number; planDay: string }>(
    `SELECT seq, plan_day AS "planDay" FROM alert_cursor FOR UPDATE SKIP LOCKED`,
  );
  if (locked === undefined) return undefined;
  // After the lock: with the snapshot of the statement above it could be behind the cursor.
  const [counter] = await tx.rows<{ seq: number }>('SELECT seq FROM event_counter');
  const newest = counter?.seq ?? locked.seq;
  const upTo = Math.min(newest, locked.seq + BATCH);
  return { ...locked, upTo, more: upTo < newest };
}

/** Notes that everything up to `cursor.upTo` has been looked at. */
export async function moveAlertCursor(tx: Sql, cursor: AlertCursor): Promise<void> {
  if (cursor.upTo <= cursor.seq) return;
  await tx.run(
    // A publisher takes the day of its partition before it commits: around midnight that is yesterday's.
    `UPDATE alert_cursor SET seq = $1, plan_day = CASE WHEN $2 THEN plan_day
       ELSE (clock_timestamp() AT TIME ZONE 'UTC')::date - 1 END`,
    [cursor.upTo, cursor.more],
  );
}
