import type { Sql } from '../database.js';
import type { SecretBox } from '../secret-box.js';

export interface AuditEntry {
  readonly workspaceId: number | undefined;
  readonly userId: number;
  /** `dataSource.create`, `instance.rerun`, … */
  readonly action: string;
  /** The API id or name of what was changed. */
  readonly target: string;
  /**
   * What was sent; stored as field names with a keyed hash each, never as values (engine rule 33). But for
   * `comment`: that is what the user says to whoever reads the audit.
   */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export async function writeAudit(sql: Sql, box: SecretBox, entry: AuditEntry): Promise<void> {
  await writeAudits(sql, box, [entry]);
}

/** In one statement: a rerun may take along twenty thousand instances. */
export async function writeAudits(
  sql: Sql,
  box: SecretBox,
  entries: readonly AuditEntry[],
): Promise<void> {
  await sql.run(
    `INSERT INTO audit (workspace_id, user_id, action, target, detail)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::jsonb[])`,
    [
      entries.map((entry) => entry.workspaceId ?? null),
      entries.map((entry) => entry.userId),
      entries.map((entry) => entry.action),
      entries.map((entry) => entry.target),
      entries.map((entry) => detailOf(box, entry)),
    ],
  );
}

function detailOf(box: SecretBox, { action, target, fields = {} }: AuditEntry): string {
  const context = `${action} ${target}`;
  const { comment, ...sent } = fields;
  const hashed = Object.entries(sent)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, box.fingerprint(context, value)]);
  return JSON.stringify({ fields: Object.fromEntries(hashed), comment });
}

export interface AuditRow {
  readonly id: number;
  readonly at: Date;
  /** Null: a user that is gone. */
  readonly user: string | null;
  readonly action: string;
  readonly target: string;
  /** Names of what was sent. */
  readonly fields: readonly string[];
  readonly comment: string | null;
}

/** What was done in a workspace or to the installation as a whole, the newest first. */
export async function listAudit(
  sql: Sql,
  page: {
    readonly workspaceId: number;
    readonly target: string | undefined;
    readonly user: string | undefined;
    /** Its name, or its part before the dot. */
    readonly action: string | undefined;
    readonly from: Date | undefined;
    readonly to: Date | undefined;
    readonly beforeId: number | undefined;
    readonly limit: number;
  },
): Promise<AuditRow[]> {
  return await sql.rows<AuditRow>(
    `SELECT a.id, a.at, u.name AS "user", a.action, a.target, a.detail ->> 'comment' AS comment,
            ARRAY(SELECT jsonb_object_keys(a.detail -> 'fields') ORDER BY 1) AS fields
       FROM audit a LEFT JOIN app_user u ON u.id = a.user_id
      WHERE (a.workspace_id = $1 OR a.workspace_id IS NULL)
        AND ($2::text IS NULL OR a.target = $2) AND ($3::text IS NULL OR u.name = $3)
        AND ($4::text IS NULL OR a.action = $4 OR starts_with(a.action, $4 || '.'))
        AND ($5::timestamptz IS NULL OR a.at >= $5) AND ($6::timestamptz IS NULL OR a.at < $6)
        AND ($7::bigint IS NULL OR a.id < $7)
      ORDER BY a.id DESC LIMIT $8`,
    [
      page.workspaceId,
      page.target,
      page.user,
      page.action,
      page.from,
      page.to,
      page.beforeId,
      page.limit,
    ].map((v) => v ?? null),
  );
}
