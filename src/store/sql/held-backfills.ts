/**
 * Selects the backfills of which nothing is handed to a worker now: paused ones, such as are being
 * cancelled, and such as are outside of their clock window. `now` is the placeholder of the scheduling time.
 */
export function heldBackfills(now: string): string {
  const clock = `to_char(${now}::timestamptz AT TIME ZONE timezone, 'HH24:MI')`;
  return `SELECT run_group_id FROM backfill
     WHERE state IN ('running', 'paused', 'cancelling') AND (state <> 'running' OR NOT CASE
       WHEN window_from IS NULL THEN true
       WHEN window_from < window_to THEN ${clock} >= window_from AND ${clock} < window_to
       -- Over midnight.
       ELSE ${clock} >= window_from OR ${clock} < window_to END)`;
}
