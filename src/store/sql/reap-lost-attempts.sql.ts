import { MAX_LOST_LEASES } from '../../domain/instance/retry.js';
import { HELD_STATUSES } from '../../domain/instance/status.js';
import type { Move } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import { type InstanceRow, keyArrays, keyOf, onDays } from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { loseAttempts } from './lose-attempts.sql.js';
import { makeReadyAgain } from './make-ready.sql.js';
import { closeRuns } from './open-runs.sql.js';
import { recordLast } from './record-last.sql.js';
import { settleEdges } from './settle-edges.sql.js';
import { settlementOf } from './settlement.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

export const REAP_MOVES: readonly Move[] = [
  { from: [...HELD_STATUSES], events: ['poisoned'], to: 'failed' },
  { from: [...HELD_STATUSES], events: ['stopped'], to: 'cancelled' },
];

interface LostAttempt {
  readonly plan_day: string;
  readonly instance_id: number;
  readonly epoch: number;
  readonly stop_requested: boolean;
}

const CHUNK = 500;

// What runs is small whatever the day is, and nothing of a partition is looked at:
//   Nested Loop Left Join: Index Scan using ix_running_attempt_worker on running_attempt a,
//     Seq Scan on worker_lease l
const LOST = `SELECT a.plan_day, a.instance_id, a.epoch, a.stop_requested FROM running_attempt a
       LEFT JOIN worker_lease l ON l.worker_id = a.worker_id
      WHERE coalesce(l.lease_until, '-infinity') < clock_timestamp()`;

const IS_UP_LONG_ENOUGH = `pg_postmaster_start_time() < clock_timestamp() - $1 * interval '1 ms'`;

/** Whether {@link reapLostAttempts} would find any: asked each second, without a transaction. */
export async function hasLostAttempts(sql: Sql, leaseMs: number): Promise<boolean> {
  const [row] = await sql.rows<{ lost: boolean }>(
    `SELECT EXISTS (${LOST} AND ${IS_UP_LONG_ENOUGH}) AS lost`,
    [leaseMs],
  );
  return row?.lost === true;
}

/**
 * Takes attempts away from workers whose lease has ended and gives them back to the queue under a new
 * epoch; the third loss fails the instance (engine rule 19). Nothing is taken within one lease of the
 * database's own start: after an outage every lease looks ended although the workers are well.
 * Returns how many attempts it took.
 */
export async function reapLostAttempts(tx: Sql, now: Date, leaseMs: number): Promise<number> {
  const lost = await tx.rows<LostAttempt>(`${LOST} AND ${IS_UP_LONG_ENOUGH} LIMIT ${CHUNK}`, [
    leaseMs,
  ]);
  if (lost.length === 0) return 0;
  const locked = await lockInstances(
    tx,
    lost.map((row) => ({ planDay: row.plan_day, id: row.instance_id })),
  );
  // Again after the locks: a stop or a renewal may have been committed while this waited for them.
  const still = await tx.rows<LostAttempt>(`${LOST} AND a.instance_id = ANY($1::bigint[])`, [
    locked.map((row) => row.id),
  ]);
  const attempts = new Map(still.map((row) => [row.instance_id, row]));
  const rows = locked.filter(
    (row) =>
      row.epoch === attempts.get(row.id)?.epoch &&
      (HELD_STATUSES as readonly string[]).includes(row.status),
  );
  if (rows.length === 0) return 0;
  const isStopped = (row: InstanceRow): boolean => attempts.get(row.id)?.stop_requested === true;
  const stopped = rows.filter(isStopped);
  await loseAttempts(tx, stopped, now, LEASE_ENDED);
  await endLost(tx, stopped, now, 'cancelled', 'MR-S203');
  await takeBackLost(
    tx,
    rows.filter((row) => !isStopped(row)),
    now,
    LEASE_ENDED,
  );
  return rows.length;
}

const LEASE_ENDED = 'The lease of its worker ended.';

/** Ends the attempts of locked instances as lost and puts these back into the queue; the third loss fails one. */
export async function takeBackLost(
  tx: Sql,
  rows: readonly InstanceRow[],
  now: Date,
  detail: string,
): Promise<void> {
  const isPoisoned = (row: InstanceRow): boolean => row.lost_leases + 1 >= MAX_LOST_LEASES;
  await loseAttempts(tx, rows, now, detail);
  await makeReadyAgain(
    tx,
    rows.filter((row) => !isPoisoned(row)),
    now,
    'lost',
  );
  await endLost(tx, rows.filter(isPoisoned), now, 'failed', 'MR-S201');
}

/** Ends instances that do not come again: a stop was asked for, or their workers died too often. */
async function endLost(
  tx: Sql,
  rows: readonly InstanceRow[],
  now: Date,
  status: 'cancelled' | 'failed',
  code: 'MR-S201' | 'MR-S203',
): Promise<void> {
  if (rows.length === 0) return;
  const [days, ids] = keyArrays(rows.map(keyOf));
  await tx.run(
    `UPDATE node_instance SET status = $4, ended_at = $3, epoch = epoch + 1,
            lost_leases = lost_leases + 1, reason = $5
      WHERE plan_day ${onDays('$1')} AND id = ANY($2::bigint[])`,
    [days, ids, now, status, code],
  );
  await closeRuns(tx, ids);
  await recordLast(
    tx,
    rows.map((row) => ({ row, status })),
  );
  await writeEvents(
    tx,
    now,
    rows.map((row) => statusEvent(row, status, { code })),
  );
  await settleEdges(
    tx,
    rows.map((row) => settlementOf(row, 'failed')),
    now,
  );
}
