import { MAX_LOST_LEASES } from '../../domain/instance/retry.js';
import { HELD_STATUSES } from '../../domain/instance/status.js';
import type { Move } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import { type InstanceRow, keyArrays, keyOf } from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { loseAttempts } from './lose-attempts.sql.js';
import { makeReady } from './make-ready.sql.js';
import { settleEdges } from './settle-edges.sql.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

export const REAP_MOVES: readonly Move[] = [
  { from: [...HELD_STATUSES], events: ['poisoned'], to: 'failed' },
];

const CHUNK = 500;

/**
 * Takes attempts away from workers whose lease has ended and gives them back to the queue under a new
 * epoch; the third loss fails the instance (engine rule 19). Nothing is taken within one lease of the
 * database's own start: after an outage every lease looks ended although the workers are well.
 * Returns how many attempts it took.
 */
export async function reapLostAttempts(tx: Sql, now: Date, leaseMs: number): Promise<number> {
  const lost = await tx.rows<{ plan_day: string; instance_id: number; epoch: number }>(
    `SELECT a.plan_day, a.instance_id, a.epoch FROM running_attempt a
       LEFT JOIN worker_lease l ON l.worker_id = a.worker_id
      WHERE coalesce(l.lease_until, '-infinity') < clock_timestamp()
        AND pg_postmaster_start_time() < clock_timestamp() - $1 * interval '1 ms'
      LIMIT ${CHUNK}`,
    [leaseMs],
  );
  if (lost.length === 0) return 0;
  const epochs = new Map(lost.map((row) => [row.instance_id, row.epoch]));
  const locked = await lockInstances(
    tx,
    lost.map((row) => ({ planDay: row.plan_day, id: row.instance_id })),
  );
  const rows = locked.filter(
    (row) =>
      row.epoch === epochs.get(row.id) && (HELD_STATUSES as readonly string[]).includes(row.status),
  );
  if (rows.length === 0) return 0;
  await loseAttempts(tx, rows, now, 'The lease of its worker ended.');
  const poisoned = rows.filter((row) => row.lost_leases + 1 >= MAX_LOST_LEASES);
  await makeReady(
    tx,
    rows.filter((row) => !poisoned.includes(row)),
    now,
    'lost',
  );
  await failPoisoned(tx, poisoned, now);
  return rows.length;
}

async function failPoisoned(tx: Sql, rows: readonly InstanceRow[], now: Date): Promise<void> {
  if (rows.length === 0) return;
  const [days, ids] = keyArrays(rows.map(keyOf));
  await tx.run(
    `UPDATE node_instance SET status = 'failed', ended_at = $3, epoch = epoch + 1,
            lost_leases = lost_leases + 1, reason = 'MR-S201'
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])`,
    [days, ids, now],
  );
  await writeEvents(
    tx,
    now,
    rows.map((row) => statusEvent(row, 'failed', { code: 'MR-S201' })),
  );
  await settleEdges(
    tx,
    rows.map((row) => ({
      ...keyOf(row),
      lastChildDay: row.last_child_day,
      outcome: 'failed' as const,
    })),
    now,
  );
}
