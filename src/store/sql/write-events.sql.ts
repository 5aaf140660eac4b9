import type { Sql } from '../database.js';
import { storableJson } from '../storable.js';
import type { InstanceRow } from './instance-row.js';

export interface NewEvent {
  readonly workspaceId: number;
  readonly type: string;
  readonly planDay?: string;
  readonly instanceId?: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Puts events into the outbox, in the transaction that made them true. */
export async function writeEvents(tx: Sql, now: Date, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.run(
    `INSERT INTO event_outbox (workspace_id, type, at, plan_day, instance_id, payload)
     SELECT e.workspace_id, e.type, $2, e.plan_day, e.instance_id, e.payload
       FROM jsonb_to_recordset($1::jsonb) AS e(workspace_id bigint, type text, plan_day date,
            instance_id bigint, payload jsonb)`,
    [
      storableJson(
        events.map((event) => ({
          workspace_id: event.workspaceId,
          type: event.type,
          plan_day: event.planDay ?? null,
          instance_id: event.instanceId ?? null,
          payload: event.payload,
        })),
      ),
      now,
    ],
  );
}

/** The event every change of an instance's status writes. */
export function statusEvent(
  row: InstanceRow,
  status: string,
  more: Readonly<Record<string, unknown>> = {},
): NewEvent {
  return {
    workspaceId: row.workspace_id,
    type: 'instance.status',
    planDay: row.plan_day,
    instanceId: row.id,
    payload: {
      from: row.status,
      status,
      workflowId: row.workflow_id,
      nodeId: row.node_id,
      bizdate: row.bizdate,
      runNumber: row.run_number,
      ...more,
    },
  };
}
