import type { Role } from '../../domain/access/roles.js';
import type { Sql } from '../database.js';

/** A workspace as one of its members sees it. */
export interface Workspace {
  readonly id: number;
  readonly name: string;
  readonly displayName: string;
  readonly timezone: string;
  readonly role: Role;
}

const SELECT = `SELECT w.id, w.name, w.display_name AS "displayName", w.timezone, m.role
  FROM workspace w JOIN member m ON m.workspace_id = w.id`;

export async function workspacesOf(sql: Sql, userId: number): Promise<Workspace[]> {
  return await sql.rows<Workspace>(`${SELECT} WHERE m.user_id = $1 ORDER BY w.name`, [userId]);
}

/** `undefined` as well when the user is no member: what one may not see does not exist. */
export async function workspaceByName(
  sql: Sql,
  name: string,
  userId: number,
): Promise<Workspace | undefined> {
  const rows = await sql.rows<Workspace>(`${SELECT} WHERE m.user_id = $1 AND w.name = $2`, [
    userId,
    name,
  ]);
  return rows[0];
}

export async function workspaceById(
  sql: Sql,
  id: number,
  userId: number,
): Promise<Workspace | undefined> {
  const rows = await sql.rows<Workspace>(`${SELECT} WHERE m.user_id = $1 AND w.id = $2`, [
    userId,
    id,
  ]);
  return rows[0];
}
