import type { Sql } from '../database.js';
import { storableJson } from '../storable.js';

export interface HeldAttempt {
  readonly planDay: string;
  readonly instanceId: number;
  readonly epoch: number;
  readonly progress?: unknown;
}

/**
 * Renews a worker's lease and tells which attempts are still its own. One narrow row for each worker,
 * whatever it runs (engine rule 2). The lease lives on the database's own clock (rule 14).
 */
export async function renewLease(
  sql: Sql,
  workerId: number,
  leaseMs: number,
  attempts: readonly HeldAttempt[],
): Promise<readonly HeldAttempt[]> {
  await sql.run(
    `UPDATE worker_lease SET lease_until = clock_timestamp() + $2 * interval '1 ms' WHERE worker_id = $1`,
    [workerId, leaseMs],
  );
  const held = await sql.rows<{ instance_id: number; epoch: number }>(
    `UPDATE running_attempt a SET progress = coalesce(r.progress, a.progress)
       FROM unnest($2::bigint[], $3::int[], $4::jsonb[]) AS r(instance_id, epoch, progress)
      WHERE a.instance_id = r.instance_id AND a.epoch = r.epoch AND a.worker_id = $1
     RETURNING a.instance_id, a.epoch`,
    [
      workerId,
      attempts.map((each) => each.instanceId),
      attempts.map((each) => each.epoch),
      attempts.map((each) => (each.progress === undefined ? null : storableJson(each.progress))),
    ],
  );
  const own = new Set(held.map((row) => `${row.instance_id}:${row.epoch}`));
  return attempts.filter((each) => !own.has(`${each.instanceId}:${each.epoch}`));
}
