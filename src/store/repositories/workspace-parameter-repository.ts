import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../database.js';

/** Name to expression, by name. They stand under those of workflows and nodes: the nearest wins. */
export async function workspaceParameters(
  sql: Sql,
  workspaceId: number,
): Promise<Record<string, string>> {
  const rows = await sql.rows<{ name: string; expression: string }>(
    `SELECT name, expression FROM workspace_parameter WHERE workspace_id = $1 ORDER BY name`,
    [workspaceId],
  );
  return Object.fromEntries(rows.map(({ name, expression }) => [name, expression]));
}

/**
 * Sets the names that are sent and removes those sent as null; the others stay. Call in a transaction.
 * MR-A105 when a latest version mentions a name that would be removed and declares none of its own.
 */
export async function saveWorkspaceParameters(
  tx: Sql,
  workspaceId: number,
  changes: Readonly<Record<string, string | null>>,
): Promise<void> {
  const entries = Object.entries(changes);
  const removed = entries.filter(([, value]) => value === null).map(([name]) => name);
  const set = entries.filter(([, value]) => value !== null);
  const users = await usersOf(tx, workspaceId, removed);
  if (users.length > 0) {
    const list = users.map(({ name, workflow }) => `${name} by ${workflow}`).join(', ');
    throw new MillraceError('MR-A105', `workflows use what would be removed: ${list}`);
  }
  await tx.run(
    `DELETE FROM workspace_parameter WHERE workspace_id = $1 AND name = ANY ($2::text[])`,
    [workspaceId, removed],
  );
  await tx.run(
    `INSERT INTO workspace_parameter (workspace_id, name, expression)
     SELECT $1, p.name, p.expression FROM unnest($2::text[], $3::text[]) AS p(name, expression)
     ON CONFLICT (workspace_id, name) DO UPDATE
        SET expression = excluded.expression, updated_at = clock_timestamp()`,
    [workspaceId, set.map(([name]) => name), set.map(([, expression]) => expression)],
  );
}

/** Where a latest version's code or output says `${name}`, or `$name` as shell code does. */
async function usersOf(
  tx: Sql,
  workspaceId: number,
  names: readonly string[],
): Promise<{ name: string; workflow: string }[]> {
  if (names.length === 0) return [];
  return await tx.rows(
    `SELECT DISTINCT p.name, w.name AS workflow
       FROM workflow w
       JOIN LATERAL (SELECT id FROM workflow_version v WHERE v.workflow_id = w.id
                      ORDER BY v.version DESC LIMIT 1) latest ON true
       JOIN node_version n ON n.version_id = latest.id
       LEFT JOIN node_output o ON o.version_id = n.version_id AND o.node_id = n.node_id
       CROSS JOIN unnest($2::text[]) AS p(name)
      WHERE w.workspace_id = $1 AND NOT n.parameters ? p.name
        AND concat_ws(' ', n.config::text, o.partition_expression) ~ ('\\$\\{?' || p.name || '\\M')
      ORDER BY p.name, w.name`,
    [workspaceId, names],
  );
}
