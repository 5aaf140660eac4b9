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
  /** Nodes that it needs of the workflow that asks, and that wait for the previous cycle of their children. */
  readonly parents: readonly string[];
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
            (SELECT array_agg(o ->> 'name') FROM jsonb_array_elements(nv.named_outputs) o) AS outputs,
            '{}'::text[] AS parents
       FROM unnest($2::text[], $3::text[]) AS q(workflow, node)
       LEFT JOIN workflow w ON w.workspace_id = $1 AND w.name = q.workflow
       LEFT JOIN LATERAL (SELECT id, first_bizdate FROM workflow_version
                           WHERE workflow_id = w.id ORDER BY version DESC LIMIT 1) v ON true
       LEFT JOIN node n ON n.workflow_id = w.id AND n.name = q.node
       LEFT JOIN node_version nv ON nv.version_id = v.id AND nv.node_id = n.id`,
    [workspaceId, names.map((each) => each.workflow), names.map((each) => each.node)],
  );
}

/** The nodes of other workflows that need one of `parents`, nodes of this one, by their latest versions. */
export async function loadForeignChildren(
  sql: Sql,
  workflowId: number,
  parents: readonly string[],
): Promise<ForeignNode[]> {
  if (parents.length === 0) return [];
  return await sql.rows<ForeignNode>(
    `SELECT w.name AS workflow, d.name AS node, w.id AS "workflowId", w.scheduled AS "isScheduled",
            v.first_bizdate AS "firstBizdate", d.id AS "nodeId", NULL AS outputs,
            array_agg(u.name ORDER BY u.name) AS parents
       FROM node u JOIN edge e ON e.upstream_node_id = u.id AND e.kind = 'same_cycle'
       JOIN workflow_version v ON v.id = e.version_id AND v.workflow_id <> u.workflow_id
       JOIN workflow w ON w.id = v.workflow_id
       JOIN node d ON d.id = e.downstream_node_id
      WHERE u.workflow_id = $1 AND u.name = ANY($2::text[])
        AND v.version = (SELECT max(version) FROM workflow_version m WHERE m.workflow_id = v.workflow_id)
      GROUP BY w.id, v.id, d.id ORDER BY w.name, d.name`,
    [workflowId, parents],
  );
}

/**
 * Which of these nodes of other workflows wait for the previous cycle of their children, and not yet for that
 * of `child`, a node of this workflow: their version was made before it needed them.
 */
export async function loadForgetfulParents(
  sql: Sql,
  workflowId: number,
  pairs: readonly { readonly parentId: number; readonly child: string }[],
): Promise<{ readonly workflow: string; readonly parent: string; readonly child: string }[]> {
  if (pairs.length === 0) return [];
  return await sql.rows(
    `SELECT w.name AS workflow, p.name AS parent, q.child
       FROM unnest($2::bigint[], $3::text[]) AS q(parent_id, child)
       JOIN node p ON p.id = q.parent_id JOIN workflow w ON w.id = p.workflow_id
       JOIN LATERAL (SELECT id, spec FROM workflow_version
                      WHERE workflow_id = w.id ORDER BY version DESC LIMIT 1) v ON true
       LEFT JOIN node c ON c.workflow_id = $1 AND c.name = q.child
      WHERE jsonb_path_exists(v.spec, '$.nodes[*] ? (@.id == $name && @.childDependence != false)',
                              jsonb_build_object('name', p.name))
        AND NOT EXISTS (SELECT FROM edge e
                         WHERE e.version_id = v.id AND e.upstream_node_id = c.id
                           AND e.downstream_node_id = p.id AND e.kind = 'previous_cycle')
      ORDER BY 1, 2, 3`,
    [workflowId, pairs.map(({ parentId }) => parentId), pairs.map(({ child }) => child)],
  );
}
