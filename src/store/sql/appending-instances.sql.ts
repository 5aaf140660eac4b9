import type { Sql } from '../database.js';
import { chunksOf } from './chunks.js';
import type { InstanceKey } from './instance-row.js';

/**
 * Which of these instances have written with the mode `append` and would write the same rows once more.
 * The configuration is that of the latest version, which is the one that would run (engine rule 11).
 */
export async function appendingAmong(tx: Sql, keys: readonly InstanceKey[]): Promise<number[]> {
  const found: number[] = [];
  for (const chunk of chunksOf(keys)) {
    const rows = await tx.rows<{ id: number }>(
      `SELECT i.id FROM node_instance i
         -- Append is what a writer does that is told nothing else.
         JOIN LATERAL (SELECT coalesce(config #>> '{target,mode}', 'append') AS mode FROM node_version
                        WHERE node_id = i.node_id ORDER BY version_id DESC LIMIT 1) v ON v.mode = 'append'
        WHERE i.plan_day = ANY($1::date[]) AND i.id = ANY($2::bigint[]) AND i.node_type = 'sync'
          AND EXISTS (SELECT FROM attempt a WHERE a.plan_day = i.plan_day AND a.instance_id = i.id
                         AND a.plan_day = ANY($1::date[]) AND a.state = 'succeeded')
        ORDER BY i.id`,
      [[...new Set(chunk.map((key) => key.planDay))], chunk.map((key) => key.id)],
    );
    found.push(...rows.map((row) => row.id));
  }
  return found;
}
