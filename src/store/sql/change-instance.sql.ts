import { MillraceError } from '../../domain/errors.js';
import { type InstanceChange, judgeChange } from '../../domain/instance/operation.js';
import type { Sql } from '../database.js';
import type { InstanceKey } from './instance-row.js';
import { enqueue } from './make-ready.sql.js';
import { lockOne } from './operate-instance.sql.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

/**
 * Gives an instance that waits another priority or resource group, also for its later reruns. One that is
 * in the queue moves there with its age: its ready time stays. MR-S142 for an unknown resource group.
 */
export async function changeInstance(
  tx: Sql,
  key: InstanceKey,
  change: InstanceChange,
  now: Date,
): Promise<void> {
  await requireResourceGroup(tx, change.resourceGroup);
  const groups = await groupsOf(tx);
  const row = await lockOne(tx, key);
  const current = {
    priority: row.priority,
    resourceGroup: groups.get(row.resource_group_id) ?? '',
  };
  const verdict = judgeChange({ ...row, rerunMode: 'always', ...current }, change);
  if (verdict.verdict === 'refused') throw new MillraceError(verdict.code, verdict.reason);
  if (verdict.verdict === 'nothing') return;
  const [group] = [...groups].find(([, name]) => name === change.resourceGroup) ?? [];
  const changed = {
    ...row,
    priority: change.priority ?? row.priority,
    resource_group_id: group ?? row.resource_group_id,
  };
  await tx.run(
    `UPDATE node_instance SET priority = $3, resource_group_id = $4 WHERE plan_day = $1 AND id = $2`,
    [row.plan_day, row.id, changed.priority, changed.resource_group_id],
  );
  const queued = await tx.run(`DELETE FROM ready_instance WHERE instance_id = $1`, [row.id]);
  if (queued > 0) await enqueue(tx, [changed], row.ready_at ?? now);
  await writeEvents(tx, now, [
    {
      ...statusEvent(changed, row.status, { priority: changed.priority }),
      type: 'instance.changed',
    },
  ]);
}

async function groupsOf(sql: Sql): Promise<Map<number, string>> {
  const rows = await sql.rows<{ id: number; name: string }>(`SELECT id, name FROM resource_group`);
  return new Map(rows.map((row) => [row.id, row.name]));
}

/** MR-S142 for a name that no resource group has. */
export async function requireResourceGroup(sql: Sql, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  const known = [...(await groupsOf(sql)).values()];
  if (known.includes(name)) return;
  throw new MillraceError('MR-S142', `There is no resource group "${name}".`, {
    errors: [{ pointer: '/resourceGroup', detail: `one of: ${[...known].sort().join(', ')}` }],
  });
}
