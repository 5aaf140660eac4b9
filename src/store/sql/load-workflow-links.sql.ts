import type { Sql } from '../database.js';

/** The latest versions of a workspace's workflows. */
const LATEST = `SELECT DISTINCT ON (v.workflow_id) v.id, v.workflow_id
   FROM workflow_version v JOIN workflow w ON w.id = v.workflow_id AND w.workspace_id = $1
  ORDER BY v.workflow_id, v.version DESC`;

/** Which workflow waits for which other one in the same cycle, by their latest versions. */
export async function loadWorkflowLinks(
  sql: Sql,
  workspaceId: number,
): Promise<{ readonly downstream: number; readonly upstream: number }[]> {
  return await sql.rows(
    `WITH latest AS (${LATEST})
     SELECT DISTINCT l.workflow_id AS downstream, n.workflow_id AS upstream
       FROM latest l JOIN edge e ON e.version_id = l.id AND e.kind = 'same_cycle'
       JOIN node n ON n.id = e.upstream_node_id
      WHERE n.workflow_id <> l.workflow_id`,
    [workspaceId],
  );
}

/** The same-cycle edges of these workflows' latest versions, their ends as `workflow/node`. */
export async function loadNamedEdges(
  sql: Sql,
  workspaceId: number,
  workflowIds: readonly number[],
): Promise<{ readonly from: string; readonly to: string }[]> {
  return await sql.rows(
    `WITH latest AS (${LATEST})
     SELECT uw.name || '/' || u.name AS from, dw.name || '/' || d.name AS to
       FROM latest l JOIN edge e ON e.version_id = l.id AND e.kind = 'same_cycle'
       JOIN node u ON u.id = e.upstream_node_id JOIN workflow uw ON uw.id = u.workflow_id
       JOIN node d ON d.id = e.downstream_node_id JOIN workflow dw ON dw.id = d.workflow_id
      WHERE l.workflow_id = ANY($2::bigint[])`,
    [workspaceId, workflowIds],
  );
}

/**
 * Who needs a node of this workflow that is not among `nodes`, by the latest versions: up to 20. A parent that
 * waits for its children names none of them, so none is missed.
 */
export async function loadNeedsOfMissing(
  sql: Sql,
  workflowId: number,
  nodes: readonly string[],
): Promise<{ readonly node: string; readonly neededBy: string }[]> {
  return await sql.rows(
    `SELECT DISTINCT u.name AS node, w.name || '/' || d.name AS "neededBy"
       FROM node u JOIN edge e ON e.upstream_node_id = u.id
       JOIN workflow_version v ON v.id = e.version_id AND v.workflow_id <> u.workflow_id
       JOIN workflow w ON w.id = v.workflow_id
       JOIN node d ON d.id = e.downstream_node_id
      WHERE u.workflow_id = $1 AND u.name <> ALL($2::text[]) AND NOT e.of_children
        AND v.version = (SELECT max(version) FROM workflow_version m WHERE m.workflow_id = v.workflow_id)
      ORDER BY 1, 2 LIMIT 20`,
    [workflowId, nodes],
  );
}

/**
 * Who takes an output of this workflow that is not among `outputs`, by the latest versions: up to 20. Edges of
 * other workflows first, and the lateral keeps it so: as one join the inputs of all versions of all nodes were
 * opened for each submit.
 */
export async function loadInputsOfMissing(
  sql: Sql,
  workflowId: number,
  outputs: readonly { readonly node: string; readonly output: string }[],
): Promise<{ readonly node: string; readonly output: string; readonly takenBy: string }[]> {
  return await sql.rows(
    `WITH outer_edge AS MATERIALIZED (
       SELECT u.id AS node_id, u.name AS node, e.downstream_node_id, v.id AS version_id, v.workflow_id
         FROM node u JOIN edge e ON e.upstream_node_id = u.id
         JOIN workflow_version v ON v.id = e.version_id AND v.workflow_id <> u.workflow_id
        WHERE u.workflow_id = $1
          AND v.version = (SELECT max(version) FROM workflow_version m WHERE m.workflow_id = v.workflow_id)
     )
     SELECT DISTINCT e.node, i.output, w.name || '/' || d.name AS "takenBy"
       FROM outer_edge e
      CROSS JOIN LATERAL (
        SELECT inputs FROM node_version
         WHERE version_id = e.version_id AND node_id = e.downstream_node_id OFFSET 0) nv
      CROSS JOIN LATERAL jsonb_to_recordset(nv.inputs) AS i("nodeId" bigint, output text)
       JOIN workflow w ON w.id = e.workflow_id
       JOIN node d ON d.id = e.downstream_node_id
      WHERE i."nodeId" = e.node_id
        AND (e.node, i.output) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))
      ORDER BY 1, 2, 3 LIMIT 20`,
    [workflowId, outputs.map((each) => each.node), outputs.map((each) => each.output)],
  );
}
