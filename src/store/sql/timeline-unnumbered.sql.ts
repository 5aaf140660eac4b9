import type { Sql } from '../database.js';

/** Instances whose latest changes have no event number yet, as columns, and what they were before. */
export interface Unnumbered {
  readonly ids: readonly number[];
  /** The payload of the first such status event; `null`: the status is an old one. */
  readonly was: readonly (string | null)[];
  /** `null`: frozen or not, it is so since before. */
  readonly wasFrozen: readonly (boolean | null)[];
}

/**
 * Reads the outbox of a workspace. It is a statement of its own, and its answer goes into the others as
 * values: a scan of a CTE in them would keep them from running in parallel.
 */
export async function readUnnumbered(sql: Sql, workspaceId: number): Promise<Unnumbered> {
  const rows = await sql.rows<{ id: number; was: string | null; wasFrozen: boolean | null }>(
    `SELECT instance_id AS id,
            (array_agg(payload::text ORDER BY id, no) FILTER (WHERE type = 'instance.status'))[1] AS was,
            (array_agg(NOT (payload ->> 'frozen')::boolean ORDER BY id, no)
               FILTER (WHERE type = 'instance.frozen'))[1] AS "wasFrozen"
       FROM unnumbered_event
      WHERE workspace_id = $1 AND type IN ('instance.status', 'instance.frozen')
      GROUP BY instance_id`,
    [workspaceId],
  );
  return {
    ids: rows.map((row) => row.id),
    was: rows.map((row) => row.was),
    wasFrozen: rows.map((row) => row.wasFrozen),
  };
}
