import type { Sql } from '../database.js';
import { type InstanceRow, keyArrays, keyOf } from './instance-row.js';
import { enqueue } from './make-ready.sql.js';
import { releaseSatisfied, rowEndsAtOnce } from './move-children.sql.js';
import { settleEdges } from './settle-edges.sql.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

/** Freezes locked instances that wait where they are, or thaws them back to where they were. */
export async function freezeRows(
  tx: Sql,
  rows: readonly InstanceRow[],
  frozen: boolean,
  now: Date,
): Promise<void> {
  if (rows.length === 0) return;
  const [days, ids] = keyArrays(rows.map(keyOf));
  await tx.run(
    `UPDATE node_instance SET frozen = $3 WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])`,
    [days, ids, frozen],
  );
  // Before the thaw moves them: the status in this event is the one they were frozen in.
  await writeEvents(
    tx,
    now,
    rows.map((row) => ({
      ...statusEvent(row, row.status, { frozen }),
      type: 'instance.frozen',
    })),
  );
  if (frozen) {
    await tx.run(`DELETE FROM ready_instance WHERE instance_id = ANY($1::bigint[])`, [ids]);
    return;
  }
  const thawed = rows
    .filter((row) => row.status === 'waiting_resource')
    .map((row) => ({ ...row, frozen: false }));
  await enqueue(
    tx,
    thawed.filter((row) => !rowEndsAtOnce(row)),
    now,
  );
  await settleEdges(tx, await releaseSatisfied(tx, thawed.filter(rowEndsAtOnce), now), now);
}
