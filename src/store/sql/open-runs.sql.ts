import type { Sql } from '../database.js';

/**
 * Takes attempts from their workers. Runs named in `goOn` are not over with that: what the ledger of their
 * target says of them must stay (engine rule 25), under the fence of their first attempt.
 */
export async function dropHeldAttempts(
  tx: Sql,
  instanceIds: readonly number[],
  goOn: readonly number[],
): Promise<void> {
  await tx.send(`WITH ${droppedAttempts('$1', '$2')} SELECT`, [instanceIds, goOn]);
}

/** The same as parts of a larger statement; `ids` and `goOn` are arrays of instance ids as SQL. */
export function droppedAttempts(ids: string, goOn: string): string {
  return `gone AS (
       DELETE FROM running_attempt WHERE instance_id = ANY(${ids}::bigint[])
       RETURNING instance_id, node_id, fence
     ), opened AS (
       INSERT INTO open_run (instance_id, node_id, fence)
       SELECT instance_id, node_id, coalesce(fence, 0) FROM gone
        WHERE instance_id = ANY(${goOn}::bigint[])
       ON CONFLICT (instance_id) DO NOTHING
     )`;
}

/** Notes that these runs are over, in the transaction that ends them. */
export async function closeRuns(tx: Sql, instanceIds: readonly number[]): Promise<void> {
  if (instanceIds.length === 0) return;
  await tx.send(`DELETE FROM open_run WHERE instance_id = ANY($1::bigint[])`, [instanceIds]);
}
