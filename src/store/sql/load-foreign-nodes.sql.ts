import type { Sql } from '../database.js';

/** What the workspace has under the names of a dependency on another workflow. */
export interface ForeignNode {
  readonly workflow: string;
  readonly node: string;
  /** Null: there is no such workflow. */
  readonly workflowId: number | null;
  readonly isScheduled: boolean | null;
  /** Of its latest version; null: it was never submitted. */
  readonly firstBizdate: string | null;
  /** Null: its latest version has no such node. */
  readonly nodeId: number | null;
  /** Names of the values it leaves for downstreams. */
  readonly outputs: readonly string[] | null;
}

export async function loadForeignNodes(
  sql: Sql,
  workspaceId: number,
  names: readonly { readonly workflow: string; readonly node: string }[],
): Promise<ForeignNode[]> {
  if (names.length === 0) return [];
  return await sql.rows<ForeignNode>(
    `SELECT q.workflow, q.node, w.id AS "workflowId", w.scheduled AS "isScheduled",
            v.first_bizdate AS "firstBizdate", nv.node_id AS "nodeId",
            (SELECT array_agg(o ->> 'name') FROM jsonb_array_elements(nv.named_outputs) o) AS outputs
       FROM unnest($2::text[], $3::text[]) AS q(workflow, node)
       LEFT JOIN workflow w ON w.workspace_id = $1 AND w.name = q.workflow
       LEFT JOIN LATERAL (SELECT id, first_bizdate FROM workflow_version
                           WHERE workflow_id = w.id ORDER BY version DESC LIMIT 1) v ON true
       LEFT JOIN node n ON n.workflow_id = w.id AND n.name = q.node
       LEFT JOIN node_version nv ON nv.version_id = v.id AND nv.node_id = n.id`,
    [workspaceId, names.map((each) => each.workflow), names.map((each) => each.node)],
  );
}
