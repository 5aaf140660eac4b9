import type { Sql } from '../database.js';
import type { WaitingRow } from './instance-row.js';

/**
 * The due time of an instance whose business date waits for its turn in a backfill. Its `run_at` stays
 * what it is, because lists and the timeline show that one.
 */
export const NOT_DUE = new Date('9999-12-31T00:00:00Z');

/**
 * Those of `rows` whose business date has not been opened by their backfill yet. The locks make a date
 * that is being opened wait for this transaction, and find what it has put aside.
 */
export async function closedDates(tx: Sql, rows: readonly WaitingRow[]): Promise<Set<number>> {
  const asked = rows.filter((row) => row.in_backfill);
  if (asked.length === 0) return new Set();
  const dates = new Map(asked.map((row) => [`${row.run_group_id} ${row.bizdate}`, row]));
  const found = await tx.rows<{ run_group_id: number; bizdate: string }>(
    `SELECT d.run_group_id, d.bizdate FROM backfill_date d
       JOIN unnest($1::bigint[], $2::date[]) AS a(run_group_id, bizdate) USING (run_group_id, bizdate)
      WHERE d.state = 'waiting' ORDER BY d.run_group_id, d.no FOR SHARE OF d`,
    [
      [...dates.values()].map((row) => row.run_group_id),
      [...dates.values()].map((row) => row.bizdate),
    ],
  );
  const closed = new Set(found.map((each) => `${each.run_group_id} ${each.bizdate}`));
  return new Set(
    asked.filter((row) => closed.has(`${row.run_group_id} ${row.bizdate}`)).map((row) => row.id),
  );
}
