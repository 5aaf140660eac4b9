import type { Sql } from '../database.js';
import { storableJson } from '../storable.js';

export interface HeldAttempt {
  readonly planDay: string;
  readonly instanceId: number;
  readonly epoch: number;
  readonly progress?: unknown;
}

/** Writes the progress that has changed, of the attempts in `own`. */
export const KEEP_PROGRESS = `
     changed AS (
       -- Whoever is ending one has it locked: its last progress comes with its report, and a renewal that
       -- waited could be chosen as the victim of a deadlock.
       SELECT a.instance_id, own.progress FROM running_attempt a JOIN own USING (instance_id, epoch)
        WHERE own.progress IS DISTINCT FROM a.progress AND own.progress IS NOT NULL
          FOR NO KEY UPDATE OF a SKIP LOCKED
     ), written AS (
       UPDATE running_attempt a SET progress = c.progress FROM changed c
        WHERE a.instance_id = c.instance_id
     )`;

/**
 * Renews a worker's lease and tells which attempts are no longer its own. One narrow row for each worker,
 * whatever it runs (engine rule 2): of the attempts only those are written whose progress has changed. The
 * lease lives on the database's own clock (rule 14).
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
    `WITH own AS (
       SELECT a.instance_id, a.epoch, r.progress
         FROM unnest($2::bigint[], $3::int[], $4::jsonb[]) AS r(instance_id, epoch, progress)
         JOIN running_attempt a ON a.instance_id = r.instance_id AND a.epoch = r.epoch
        WHERE a.worker_id = $1
     ), ${KEEP_PROGRESS}
     SELECT instance_id, epoch FROM own`,
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

/**
 * Before a claim: the lease of a worker that was frozen may have ended, and what it claims now would be
 * taken from it before it can renew.
 */
export async function refreshLease(sql: Sql, workerId: number, leaseMs: number): Promise<void> {
  await sql.run(
    `UPDATE worker_lease SET lease_until = clock_timestamp() + $2 * interval '1 ms'
      WHERE worker_id = $1 AND EXISTS (SELECT FROM worker WHERE id = $1 AND ended_at IS NULL)`,
    [workerId, leaseMs],
  );
}
