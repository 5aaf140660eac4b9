import type { Sql } from '../database.js';

/**
 * Keeps the daily plans of these workflows one after another, for the rest of the transaction. Two that are
 * planned at once do not see each other's rows: the downstream would await an upstream that is there, and
 * the upstream would not find anybody who awaits it (engine rule 4).
 */
export async function lockWorkflows(tx: Sql, ids: readonly number[]): Promise<void> {
  await tx.rows(`SELECT FROM workflow WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE`, [
    ids,
  ]);
}

/** Keeps these workflows as they are, before anything of several of them is inserted (engine rule 5). */
export async function shareWorkflows(tx: Sql, ids: readonly number[]): Promise<void> {
  await tx.rows(`SELECT FROM workflow WHERE id = ANY($1::bigint[]) ORDER BY id FOR SHARE`, [ids]);
}
