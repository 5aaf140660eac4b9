import type { Move } from '../../domain/instance/transitions.js';
import { FEW, type Sql } from '../database.js';
import { type InstanceKey, keyArrays, onDays } from './instance-row.js';
import { lockWaiting } from './lock-instances.sql.js';
import { moveDueToReady } from './move-due-to-ready.sql.js';
import { finishAtOnce, rowEndsAtOnce } from './move-children.sql.js';
import { settleEdges } from './settle-edges.sql.js';

export const RELEASE_DUE_MOVES: readonly Move[] = [
  { from: ['waiting_time', 'waiting_resource'], events: ['dry_run_done'], to: 'succeeded' },
];

/** One of `of` equal parts of what is due, for releasers that work side by side. */
export interface DueShare {
  readonly of: number;
  readonly no: number;
}

const ALL_DUE: DueShare = { of: 1, no: 0 };
/**
 * Neighbours stay together: they are mostly of one run, and a downstream whose upstreams end in two transactions
 * is written in both.
 */
const NEIGHBOURS = 1024;

/**
 * Releases at most `limit` instances whose time has come and returns how many it found.
 *
 * While few are due the index on the time leads; of 20,000 that are due at once the planner rather sorts all:
 *
 *   Limit  ->  Index Scan using ix_due_instance_due on due_instance
 *   Limit  ->  Sort  ->  Seq Scan on due_instance
 */
export async function releaseDue(
  tx: Sql,
  now: Date,
  limit: number,
  share: DueShare = ALL_DUE,
): Promise<number> {
  const due = await tx.rows<InstanceKey>(
    `SELECT plan_day AS "planDay", instance_id AS id FROM due_instance
      WHERE due_at <= $1 AND instance_id / ${NEIGHBOURS} % $3 = $4 ORDER BY due_at, instance_id LIMIT $2`,
    [now, limit, share.of, share.no],
  );
  if (due.length === 0) return 0;
  if (due.length > FEW) await tx.expectMany();
  const locked = await lockDue(tx, due);
  const ending = locked.filter((row) => row.ends);
  if (ending.length > 0) await endAtOnce(tx, ending, now);
  await moveDueToReady(
    tx,
    locked.filter((row) => !row.ends),
    now,
  );
  await tx.send(`DELETE FROM due_instance WHERE instance_id = ANY($1::bigint[]) AND due_at <= $2`, [
    // Also where there is no instance: such a row would be due for ever.
    due.map((each) => each.id),
    now,
  ]);
  return due.length;
}

interface DueRow extends InstanceKey {
  readonly priority: number;
  /** It needs no worker. */
  readonly ends: boolean;
}

/**
 * In id order, as everybody locks instances; no more of each row than says what becomes of it.
 *
 *   LockRows  ->  Index Scan using node_instance_20261123_pkey on node_instance_20261123
 */
async function lockDue(tx: Sql, due: readonly InstanceKey[]): Promise<DueRow[]> {
  return await tx.rows<DueRow>(
    `SELECT plan_day AS "planDay", id, priority, (dry_run OR slots = 0) AND NOT frozen AS ends
       FROM node_instance WHERE plan_day ${onDays('$1')} AND id = ANY($2::bigint[])
      ORDER BY id FOR NO KEY UPDATE`,
    keyArrays(due),
  );
}

/** Dry runs and nodes of zero load succeed when their time comes, and so do what waits for them. */
async function endAtOnce(tx: Sql, locked: readonly InstanceKey[], now: Date): Promise<void> {
  const rows = await lockWaiting(tx, locked);
  // Another scheduler may have been first, or the instance was stopped or moved in the meantime; it may
  // also have run, failed and got a later time.
  const still = await tx.rows<{ instance_id: number }>(
    `SELECT instance_id FROM due_instance WHERE instance_id = ANY($1::bigint[]) AND due_at <= $2`,
    [rows.map((row) => row.id), now],
  );
  const isDue = new Set(still.map((each) => each.instance_id));
  const ending = rows.filter(
    (row) =>
      isDue.has(row.id) &&
      rowEndsAtOnce(row) &&
      (row.status === 'waiting_time' || row.status === 'retry_wait'),
  );
  await settleEdges(tx, await finishAtOnce(tx, ending, now), now);
}

/** When the next instance falls due, or `undefined` while none waits. */
export async function nextDueAt(sql: Pick<Sql, 'rows'>): Promise<Date | undefined> {
  const [row] = await sql.rows<{ due_at: Date }>(
    `SELECT due_at FROM due_instance ORDER BY due_at LIMIT 1`,
  );
  return row?.due_at;
}
