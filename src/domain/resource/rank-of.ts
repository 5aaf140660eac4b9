/** One step of priority is worth this much waiting: ten minutes older goes before one step higher. */
export const PRIORITY_STEP_MS = 600_000;

/** Scheduled rows have 1 to 8, backfills up to 11; larger goes first. */
export const MAX_PRIORITY = 11;

/**
 * The order in which ready rows are claimed, smaller first: ready time in ms since 1970 minus ten minutes for
 * each step of priority. Written once when the row becomes ready and never changed, because the age of a row
 * is in it (engine rule 7). In SQL: `(extract(epoch FROM ready_at) * 1000)::bigint - priority * 600000`.
 * RangeError for a priority that is no integer from 1 to 11.
 */
export function rankOf(row: { readonly readyAt: Date; readonly priority: number }): bigint {
  if (!Number.isInteger(row.priority) || row.priority < 1 || row.priority > MAX_PRIORITY) {
    throw new RangeError(`${row.priority} is not a priority from 1 to ${MAX_PRIORITY}`);
  }
  return BigInt(row.readyAt.getTime()) - BigInt(row.priority) * BigInt(PRIORITY_STEP_MS);
}
