import type { Sql } from '../database.js';
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
