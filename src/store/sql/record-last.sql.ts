import type { FinalStatus } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';
import { daysOf, onDays } from './instance-row.js';

export const LAST_OF_NODES =
  'INSERT INTO node_last (node_id, scheduled_at, plan_day, instance_id, status)';
export const LATER_CYCLE_WINS = `ON CONFLICT (node_id) DO UPDATE SET scheduled_at = excluded.scheduled_at,
       plan_day = excluded.plan_day, instance_id = excluded.instance_id, status = excluded.status
       WHERE excluded.scheduled_at >= node_last.scheduled_at`;

/**
 * Keeps the last outcome of each node beyond the retention of its instances (engine rule 13), in the
 * transaction that makes an instance final, however that comes about.
 */
export async function recordLast(
  tx: Sql,
  ended: readonly {
    readonly row: { readonly plan_day: string; readonly id: number };
    readonly status: FinalStatus;
  }[],
): Promise<void> {
  if (ended.length === 0) return;
  await tx.send(
    // In the order of the nodes: two batches that end instances of the same nodes lock them in one order.
    `${LAST_OF_NODES}
     SELECT DISTINCT ON (i.node_id) i.node_id, i.scheduled_at, i.plan_day, i.id, e.status
       FROM unnest($1::date[], $2::bigint[], $3::text[]) AS e(plan_day, id, status)
       JOIN node_instance i ON i.plan_day = e.plan_day AND i.id = e.id
      WHERE i.plan_day ${onDays('$4')} AND i.id = ANY($2::bigint[])
      ORDER BY i.node_id, i.scheduled_at DESC, i.id DESC
     ${LATER_CYCLE_WINS}`,
    [
      ended.map(({ row }) => row.plan_day),
      ended.map(({ row }) => row.id),
      ended.map(({ status }) => status),
      daysOf(ended.map(({ row }) => row.plan_day)),
    ],
  );
}
