import type { Sql } from '../database.js';

/** Counters of a run's instances by instance id: as they run, or as their last attempt left them. */
export async function runProgress(
  sql: Sql,
  { planDay, id }: { readonly planDay: string; readonly id: number },
): Promise<ReadonlyMap<number, unknown>> {
  const rows = await sql.rows<{ id: number; progress: unknown }>(
    `SELECT i.id, coalesce(r.progress, a.result->'progress') AS progress
       FROM node_instance i
       LEFT JOIN running_attempt r ON r.instance_id = i.id
       LEFT JOIN LATERAL (SELECT result FROM attempt
                           WHERE plan_day = $1 AND instance_id = i.id
                           ORDER BY epoch DESC LIMIT 1) a ON true
      WHERE i.plan_day = $1 AND i.workflow_instance_id = $2
        AND (r.progress IS NOT NULL OR a.result ? 'progress')`,
    [planDay, id],
  );
  return new Map(rows.map((row) => [row.id, row.progress]));
}
