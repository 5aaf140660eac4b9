import type { RerunCode } from '../../domain/instance/operation.js';
import type { Sql } from '../database.js';
import { chunksOf } from './chunks.js';
import type { InstanceKey } from './instance-row.js';

/**
 * Which of these instances have written with the mode `append` and would write the same rows once more.
 * The configuration is that of the version which would run (engine rule 11). An
 * increment goes on where the last run ended, and `neverAppending` are types of data sources that replace.
 */
export async function appendingAmong(
  tx: Sql,
  keys: readonly InstanceKey[],
  neverAppending: readonly string[],
  code: RerunCode = 'latest',
): Promise<number[]> {
  const found: number[] = [];
  for (const chunk of chunksOf(keys)) {
    const rows = await tx.rows<{ id: number }>(
      `SELECT i.id FROM node_instance i
         JOIN LATERAL (SELECT config FROM node_version
                        WHERE node_id = i.node_id AND (NOT $4 OR version_id = i.version_id)
                        ORDER BY version_id DESC LIMIT 1) v
           -- Append is what a writer does that is told nothing else.
           ON coalesce(v.config #>> '{target,mode}', 'append') = 'append'
              AND v.config -> 'incremental' IS NULL
              AND NOT EXISTS (SELECT FROM data_source d
                               WHERE d.workspace_id = i.workspace_id AND d.type = ANY($3)
                                 AND d.name = v.config #>> '{target,dataSource}')
        WHERE i.plan_day = ANY($1::date[]) AND i.id = ANY($2::bigint[]) AND i.node_type = 'sync'
          AND EXISTS (SELECT FROM attempt a WHERE a.plan_day = i.plan_day AND a.instance_id = i.id
                         AND a.plan_day = ANY($1::date[]) AND a.state = 'succeeded')
        ORDER BY i.id`,
      [
        [...new Set(chunk.map((key) => key.planDay))],
        chunk.map((key) => key.id),
        neverAppending,
        code === 'planned',
      ],
    );
    found.push(...rows.map((row) => row.id));
  }
  return found;
}
