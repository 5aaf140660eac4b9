import type { Sql } from '../database.js';
import { refuseRemovedDays } from '../sql/removed-day.sql.js';

/** One workflow on one business date in one run group. */
export interface WorkflowRun {
  readonly planDay: string;
  readonly id: number;
  readonly workspaceId: number;
  readonly workflowId: number;
  readonly workflowName: string;
  readonly version: number;
  readonly bizdate: string;
  readonly runGroupId: number;
  readonly runGroupKind: string;
  readonly runGroupName: string;
  readonly createdAt: Date;
}

/** @throws MR-S207 its day was removed */
export async function workflowRunById(
  sql: Sql,
  key: { readonly planDay: string; readonly id: number },
): Promise<WorkflowRun | undefined> {
  const rows = await sql.rows<WorkflowRun>(
    `SELECT r.plan_day AS "planDay", r.id, r.workspace_id AS "workspaceId",
            r.workflow_id AS "workflowId", w.name AS "workflowName", v.version, r.bizdate,
            r.run_group_id AS "runGroupId", g.kind AS "runGroupKind", g.name AS "runGroupName",
            r.created_at AS "createdAt"
       FROM workflow_instance r
       JOIN workflow w ON w.id = r.workflow_id
       JOIN workflow_version v ON v.id = r.version_id
       JOIN run_group g ON g.id = r.run_group_id
      WHERE r.plan_day = $1 AND r.id = $2`,
    [key.planDay, key.id],
  );
  if (rows.length === 0) await refuseRemovedDays(sql, [key.planDay]);
  return rows[0];
}

export interface PartitionRecord {
  readonly dataSource: string;
  readonly tableName: string;
  readonly partition: string;
  readonly nodeId: number;
  readonly nodeName: string;
  readonly planDay: string;
  readonly instanceId: number;
  readonly bizdate: string;
  readonly rows: number | null;
  readonly writtenAt: Date;
}

export type PartitionKey = Pick<
  PartitionRecord,
  'dataSource' | 'tableName' | 'partition' | 'nodeId'
>;

/** Page of what nodes have produced, by data source, table and partition. */
export async function listPartitions(
  sql: Sql,
  page: {
    readonly workspaceId: number;
    readonly dataSource: string | undefined;
    readonly table: string | undefined;
    readonly after: PartitionKey | undefined;
    readonly limit: number;
  },
): Promise<PartitionRecord[]> {
  return await sql.rows<PartitionRecord>(
    `SELECT p.data_source AS "dataSource", p.table_name AS "tableName", p.partition,
            p.node_id AS "nodeId", n.name AS "nodeName", p.plan_day AS "planDay",
            p.instance_id AS "instanceId", p.bizdate, p.rows, p.written_at AS "writtenAt"
       FROM partition_record p JOIN node n ON n.id = p.node_id
      WHERE p.workspace_id = $1 AND ($2::text IS NULL OR p.data_source = $2)
        AND ($3::text IS NULL OR p.table_name = $3)
        AND (p.data_source, p.table_name, p.partition, p.node_id) > ($4, $5, $6, $7)
      ORDER BY p.data_source, p.table_name, p.partition, p.node_id LIMIT $8`,
    [
      page.workspaceId,
      page.dataSource ?? null,
      page.table ?? null,
      page.after?.dataSource ?? '',
      page.after?.tableName ?? '',
      page.after?.partition ?? '',
      page.after?.nodeId ?? 0,
      page.limit,
    ],
  );
}
