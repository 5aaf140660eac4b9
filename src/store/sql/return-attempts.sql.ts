import type { Sql } from '../database.js';
import { finishInstances } from './finish-instances.sql.js';

export interface ReturnOrder {
  readonly workerId: number;
  /** Ids of instances that the worker says it holds. */
  readonly held: readonly number[];
  /** Only what was claimed at least this long ago: a younger claim may still be on its way. */
  readonly minAgeMs: number;
}

/**
 * Gives back what a worker was handed and does not have: the answer to its claim was lost on the way, or
 * it is saying goodbye. Without this they would wait for the whole lease. Returns how many.
 */
export async function returnAttempts(tx: Sql, order: ReturnOrder, now: Date): Promise<number> {
  const orphans = await tx.rows<{ planDay: string; instanceId: number; epoch: number }>(
    `SELECT plan_day AS "planDay", instance_id AS "instanceId", epoch FROM running_attempt
      WHERE worker_id = $1 AND instance_id <> ALL($2::bigint[])
        AND claimed_at <= clock_timestamp() - $3 * interval '1 ms'`,
    [order.workerId, order.held, order.minAgeMs],
  );
  if (orphans.length === 0) return 0;
  await finishInstances(
    tx,
    orphans.map((each) => ({ ...each, outcome: 'returned', result: {} })),
    now,
  );
  return orphans.length;
}
