import { FINAL_STATUSES, type InstanceStatus } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';

/** An instance that has not ended, of a node and scheduled time that somebody else wants to run. */
export interface LiveTwin {
  readonly planDay: string;
  readonly id: number;
  readonly nodeId: number;
  readonly scheduledAt: Date;
  readonly status: InstanceStatus;
  readonly runGroupId: number;
  readonly runGroupKind: string;
  readonly runGroupName: string;
}

/** What lives of these nodes between two scheduled times, both included, in any run group. */
export async function liveTwins(
  sql: Sql,
  nodeIds: readonly number[],
  from: Date,
  to: Date,
): Promise<LiveTwin[]> {
  return await sql.rows<LiveTwin>(
    `SELECT i.plan_day AS "planDay", i.id, i.node_id AS "nodeId", i.scheduled_at AS "scheduledAt",
            i.status, g.id AS "runGroupId", g.kind AS "runGroupKind", g.name AS "runGroupName"
       FROM node_instance i JOIN run_group g ON g.id = i.run_group_id
      WHERE i.node_id = ANY($1::bigint[]) AND i.scheduled_at BETWEEN $2 AND $3 AND i.path = ''
        AND i.status <> ALL($4::text[])
      ORDER BY i.scheduled_at, i.id`,
    [nodeIds, from, to, FINAL_STATUSES],
  );
}
