import type { InstanceStatus } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';

/** What became of a node in one cycle, over all run groups. */
export interface CycleOutcome {
  readonly nodeId: number;
  readonly scheduledAt: Date;
  /** It has really run and succeeded, or was set to success. */
  readonly succeeded: boolean;
  /** Of the instance that was made last. */
  readonly lastStatus: InstanceStatus;
}

/** Of these nodes between two scheduled times, both included. Cycles without an instance are not in it. */
export async function cycleHistory(
  sql: Sql,
  nodeIds: readonly number[],
  from: Date,
  to: Date,
): Promise<CycleOutcome[]> {
  return await sql.rows<CycleOutcome>(
    `SELECT node_id AS "nodeId", scheduled_at AS "scheduledAt",
            bool_or(status = 'succeeded' AND NOT dry_run) AS succeeded,
            (array_agg(status ORDER BY plan_day DESC, id DESC))[1] AS "lastStatus"
       FROM node_instance
      WHERE node_id = ANY($1::bigint[]) AND scheduled_at BETWEEN $2 AND $3 AND path = ''
      GROUP BY node_id, scheduled_at`,
    [nodeIds, from, to],
  );
}

/** A partition that a node is known to have produced (engine rule 15). */
export interface ProducedPartition {
  readonly nodeId: number;
  readonly dataSource: string;
  readonly tableName: string;
  readonly partition: string;
  /** Of the cycle that produced it last. */
  readonly scheduledAt: Date;
  readonly writtenAt: Date;
}

/** Everything these nodes of a workspace are known to have produced. */
export async function producedPartitions(
  sql: Sql,
  workspaceId: number,
  nodeIds: readonly number[],
): Promise<ProducedPartition[]> {
  return await sql.rows<ProducedPartition>(
    `SELECT node_id AS "nodeId", data_source AS "dataSource", table_name AS "tableName", partition,
            scheduled_at AS "scheduledAt", written_at AS "writtenAt"
       FROM partition_record WHERE workspace_id = $1 AND node_id = ANY($2::bigint[])`,
    [workspaceId, nodeIds],
  );
}
