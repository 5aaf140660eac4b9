import type { Move } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import { keyArrays, onDays } from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

export const MARK_STARTED_MOVES: readonly Move[] = [
  { from: ['dispatched'], events: ['started'], to: 'running' },
];

/** Moves claimed attempts to running, where they still are their worker's. */
export async function markStarted(
  tx: Sql,
  attempts: readonly {
    readonly planDay: string;
    readonly instanceId: number;
    readonly epoch: number;
  }[],
  now: Date,
): Promise<void> {
  const epochs = new Map(attempts.map((each) => [each.instanceId, each.epoch]));
  const locked = await lockInstances(
    tx,
    attempts.map((each) => ({ planDay: each.planDay, id: each.instanceId })),
  );
  const rows = locked.filter(
    (row) => row.status === 'dispatched' && row.epoch === epochs.get(row.id),
  );
  if (rows.length === 0) return;
  const [days, ids] = keyArrays(rows.map((row) => ({ planDay: row.plan_day, id: row.id })));
  await tx.send(
    `UPDATE node_instance SET status = 'running', started_at = $3
      WHERE plan_day ${onDays('$1')} AND id = ANY($2::bigint[])`,
    [days, ids, now],
  );
  await tx.send(
    `UPDATE attempt a SET state = 'running', started_at = $4
       FROM unnest($2::bigint[], $3::int[]) AS e(id, epoch)
      WHERE a.plan_day ${onDays('$1')} AND a.instance_id = e.id AND a.epoch = e.epoch
        AND a.instance_id = ANY($2::bigint[])`,
    [days, ids, rows.map((row) => row.epoch), now],
  );
  await writeEvents(
    tx,
    now,
    rows.map((row) => statusEvent(row, 'running')),
  );
}
