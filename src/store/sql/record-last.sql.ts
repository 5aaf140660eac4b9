import type { FinalStatus } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';
import type { InstanceRow } from './instance-row.js';

/**
 * Keeps the last outcome of each node beyond the retention of its instances (engine rule 13), in the
 * transaction that makes an instance final, however that comes about.
 */
export async function recordLast(
  tx: Sql,
  ended: readonly { readonly row: InstanceRow; readonly status: FinalStatus }[],
): Promise<void> {
  if (ended.length === 0) return;
  await tx.run(
    // In the order of the nodes: two batches that end instances of the same nodes lock them in one order.
    `INSERT INTO node_last (node_id, scheduled_at, plan_day, instance_id, status)
     SELECT DISTINCT ON (node_id) * FROM unnest($1::bigint[], $2::timestamptz[], $3::date[], $4::bigint[],
            $5::text[]) AS e(node_id, scheduled_at, plan_day, instance_id, status)
      ORDER BY node_id, scheduled_at DESC, instance_id DESC
     ON CONFLICT (node_id) DO UPDATE SET scheduled_at = excluded.scheduled_at,
       plan_day = excluded.plan_day, instance_id = excluded.instance_id, status = excluded.status
       WHERE excluded.scheduled_at >= node_last.scheduled_at`,
    [
      ended.map(({ row }) => row.node_id),
      ended.map(({ row }) => row.scheduled_at),
      ended.map(({ row }) => row.plan_day),
      ended.map(({ row }) => row.id),
      ended.map(({ status }) => status),
    ],
  );
}
