import type { Sql } from '../database.js';

/** A dependency that a version declares, and the workflow of its upstream. */
export interface DependencyRow {
  readonly upstream: number;
  readonly downstream: number;
  readonly kind: 'same_cycle' | 'previous_cycle';
  /** Null: what its kind does. */
  readonly inheritsDryRun: boolean | null;
  readonly upstreamWorkflowId: number;
}

export async function loadDependencies(sql: Sql, versionId: number): Promise<DependencyRow[]> {
  return await sql.rows<DependencyRow>(
    `SELECT e.upstream_node_id AS upstream, e.downstream_node_id AS downstream, e.kind,
            e.inherits_dry_run AS "inheritsDryRun", n.workflow_id AS "upstreamWorkflowId"
       FROM edge e JOIN node n ON n.id = e.upstream_node_id
      WHERE e.version_id = $1
      ORDER BY e.downstream_node_id, e.upstream_node_id, e.kind DESC`,
    [versionId],
  );
}
