import { createHash, randomBytes } from 'node:crypto';

import type { Sql } from '../database.js';

/** What is known of a token; the token itself is only ever told to who made it. */
export interface WorkerToken {
  readonly id: number;
  readonly name: string;
  readonly resourceGroup: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

const SELECT = `
  SELECT t.id, t.name, g.name AS "resourceGroup", t.created_at AS "createdAt", t.revoked_at AS "revokedAt"
    FROM worker_token t JOIN resource_group g ON g.id = t.resource_group_id`;

/** Of all resource groups, the newest first. */
export async function listWorkerTokens(
  sql: Sql,
  page: { readonly beforeId: number | undefined; readonly limit: number },
): Promise<WorkerToken[]> {
  return await sql.rows<WorkerToken>(
    `${SELECT} WHERE $1::bigint IS NULL OR t.id < $1 ORDER BY t.id DESC LIMIT $2`,
    [page.beforeId ?? null, page.limit],
  );
}

export async function workerTokenById(sql: Sql, id: number): Promise<WorkerToken> {
  const [found] = await sql.rows<WorkerToken>(`${SELECT} WHERE t.id = $1`, [id]);
  if (found === undefined) throw new Error(`there is no worker token ${id}`);
  return found;
}

/** A token for workers of a resource group that is there. */
export async function insertWorkerToken(
  sql: Sql,
  { resourceGroup, name }: { readonly resourceGroup: string; readonly name: string },
): Promise<{ readonly id: number; readonly token: string }> {
  const token = `mrw_${randomBytes(32).toString('base64url')}`;
  const [row] = await sql.rows<{ id: number }>(
    `INSERT INTO worker_token (token_hash, resource_group_id, name)
     SELECT $1, id, $3 FROM resource_group WHERE name = $2 RETURNING id`,
    [createHash('sha256').update(token).digest(), resourceGroup, name],
  );
  if (row === undefined) throw new Error(`there is no resource group "${resourceGroup}"`);
  return { id: row.id, token };
}

/** Whether it was valid until now. */
export async function revokeWorkerToken(sql: Sql, id: number): Promise<boolean> {
  const rows = await sql.rows(
    `UPDATE worker_token SET revoked_at = clock_timestamp()
      WHERE id = $1 AND revoked_at IS NULL RETURNING id`,
    [id],
  );
  return rows.length > 0;
}

/** Revokes the valid tokens of that name. */
export async function revokeWorkerTokensNamed(sql: Sql, name: string): Promise<void> {
  await sql.run(
    `UPDATE worker_token SET revoked_at = clock_timestamp() WHERE name = $1 AND revoked_at IS NULL`,
    [name],
  );
}
