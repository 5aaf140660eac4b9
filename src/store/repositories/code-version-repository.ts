import type { Sql } from '../database.js';
import { chunksOf } from '../sql/chunks.js';
import type { InstanceKey } from './instance-repository.js';

/** What a run takes of a version beside cycle, edges and parameters (engine rule 11). */
export interface CodeVersion {
  readonly version: number;
  readonly submittedAt: Date;
  /** Null: nobody that is still there. */
  readonly submittedBy: string | null;
  readonly comment: string;
  readonly code: Readonly<Record<string, unknown>>;
}

/** The version an instance was planned with and the latest that has its node; undefined: no such instance. */
export async function codeVersionsOf(
  sql: Sql,
  { planDay, id }: InstanceKey,
): Promise<{ readonly planned: CodeVersion; readonly latest: CodeVersion } | undefined> {
  const rows = await sql.rows<CodeVersion & { readonly isPlanned: boolean }>(
    `SELECT v.id = i.version_id AS "isPlanned", v.version, v.submitted_at AS "submittedAt",
            u.name AS "submittedBy", v.comment,
            jsonb_build_object('type', nv.type, 'config', nv.config, 'configVersion', nv.config_version,
                               'timeoutMs', nv.timeout_ms) AS code
       FROM node_instance i
       JOIN node_version nv ON nv.node_id = i.node_id
       JOIN workflow_version v ON v.id = nv.version_id
       LEFT JOIN app_user u ON u.id = v.submitted_by
      WHERE i.plan_day = $1 AND i.id = $2
        AND nv.version_id IN (i.version_id, (SELECT max(l.version_id) FROM node_version l
                                              WHERE l.node_id = i.node_id))
      ORDER BY v.version`,
    [planDay, id],
  );
  const planned = rows.find((row) => row.isPlanned);
  const latest = rows.at(-1);
  return planned === undefined || latest === undefined ? undefined : { planned, latest };
}

/** How many of these instances would run other code or configuration with the latest version than with their planned one. */
export async function countChangedCode(sql: Sql, keys: readonly InstanceKey[]): Promise<number> {
  let count = 0;
  for (const chunk of chunksOf(keys)) {
    const [found] = await sql.rows<{ count: number }>(
      `SELECT count(*)::int AS count
         FROM node_instance i
         JOIN node_version p ON p.node_id = i.node_id AND p.version_id = i.version_id
         JOIN LATERAL (SELECT * FROM node_version
                        WHERE node_id = i.node_id ORDER BY version_id DESC LIMIT 1) l
           ON (l.type, l.config, l.config_version, l.timeout_ms)
              IS DISTINCT FROM (p.type, p.config, p.config_version, p.timeout_ms)
        WHERE i.plan_day = ANY($1::date[]) AND i.id = ANY($2::bigint[])`,
      [[...new Set(chunk.map((key) => key.planDay))], chunk.map((key) => key.id)],
    );
    count += found?.count ?? 0;
  }
  return count;
}
