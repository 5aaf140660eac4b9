import type { Sql } from '../database.js';
import {
  INSTANCE_COLUMNS,
  type InstanceKey,
  type InstanceRow,
  keyArrays,
  WAITING_COLUMNS,
  type WaitingRow,
  onDays,
} from './instance-row.js';

/**
 * Locks instances in id order and returns them as they are now. The order is what keeps two transactions
 * that touch the same instances from waiting for each other; `id = ANY(sorted array)` alone does not lock
 * in order (engine rule 5).
 */
export async function lockInstances(tx: Sql, keys: readonly InstanceKey[]): Promise<InstanceRow[]> {
  if (keys.length === 0) return [];
  return await tx.rows<InstanceRow>(
    `SELECT ${INSTANCE_COLUMNS} FROM node_instance i
      WHERE i.plan_day ${onDays('$1')} AND i.id = ANY($2::bigint[])
      ORDER BY i.id FOR NO KEY UPDATE`,
    keyArrays(keys),
  );
}

/** Which of these instances are there, and where they stand, for who only looks. */
export async function readStatuses(
  sql: Sql,
  keys: readonly InstanceKey[],
): Promise<Pick<InstanceRow, 'id' | 'status'>[]> {
  if (keys.length === 0) return [];
  return await sql.rows(
    `SELECT id, status FROM node_instance WHERE plan_day ${onDays('$1')} AND id = ANY($2::bigint[])
      ORDER BY id`,
    keyArrays(keys),
  );
}

/** As {@link lockInstances}, with what releasing them needs and nothing more. */
export async function lockWaiting(tx: Sql, keys: readonly InstanceKey[]): Promise<WaitingRow[]> {
  if (keys.length === 0) return [];
  return await tx.rows<WaitingRow>(
    `SELECT ${WAITING_COLUMNS} FROM node_instance i
      WHERE i.plan_day ${onDays('$1')} AND i.id = ANY($2::bigint[])
      ORDER BY i.id FOR NO KEY UPDATE`,
    keyArrays(keys),
  );
}
