import type { Move } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import { lockWaiting } from './lock-instances.sql.js';
import { makeReady } from './make-ready.sql.js';
import { finishAtOnce, rowEndsAtOnce, settleEdges } from './settle-edges.sql.js';

export const RELEASE_DUE_MOVES: readonly Move[] = [
  { from: ['waiting_time', 'waiting_resource'], events: ['dry_run_done'], to: 'succeeded' },
];

/** Releases at most `limit` instances whose time has come and returns how many it found. */
export async function releaseDue(tx: Sql, now: Date, limit: number): Promise<number> {
  const due = await tx.rows<{ plan_day: string; instance_id: number }>(
    `SELECT plan_day, instance_id FROM due_instance WHERE due_at <= $1
      ORDER BY due_at, instance_id LIMIT $2`,
    [now, limit],
  );
  if (due.length === 0) return 0;
  const rows = await lockWaiting(
    tx,
    due.map((each) => ({ planDay: each.plan_day, id: each.instance_id })),
  );
  // Another scheduler may have been first, or the instance was stopped or moved in the meantime; it may
  // also have run, failed and got a later time.
  const still = await tx.rows<{ instance_id: number }>(
    `SELECT instance_id FROM due_instance WHERE instance_id = ANY($1::bigint[]) AND due_at <= $2`,
    [rows.map((row) => row.id), now],
  );
  const isDue = new Set(still.map((each) => each.instance_id));
  const waiting = rows.filter(
    (row) => isDue.has(row.id) && (row.status === 'waiting_time' || row.status === 'retry_wait'),
  );
  await makeReady(
    tx,
    waiting.filter((row) => !rowEndsAtOnce(row)),
    now,
  );
  await settleEdges(tx, await finishAtOnce(tx, waiting.filter(rowEndsAtOnce), now), now);
  await tx.run(`DELETE FROM due_instance WHERE instance_id = ANY($1::bigint[]) AND due_at <= $2`, [
    // Also where there is no instance: such a row would be due for ever.
    due.map((each) => each.instance_id),
    now,
  ]);
  return due.length;
}

/** When the next instance falls due, or `undefined` while none waits. */
export async function nextDueAt(sql: Sql): Promise<Date | undefined> {
  const [row] = await sql.rows<{ due_at: Date }>(
    `SELECT due_at FROM due_instance ORDER BY due_at LIMIT 1`,
  );
  return row?.due_at;
}
