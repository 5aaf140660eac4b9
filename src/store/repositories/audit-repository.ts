import type { Sql } from '../database.js';
import type { SecretBox } from '../secret-box.js';

export interface AuditEntry {
  readonly workspaceId: number | undefined;
  readonly userId: number;
  /** `dataSource.create`, `instance.rerun`, … */
  readonly action: string;
  /** The API id or name of what was changed. */
  readonly target: string;
  /** What was sent; stored as field names with a keyed hash each, never as values (engine rule 33). */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export async function writeAudit(sql: Sql, box: SecretBox, entry: AuditEntry): Promise<void> {
  const context = `${entry.action} ${entry.target}`;
  const fields = Object.entries(entry.fields ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, box.fingerprint(context, value)]);
  await sql.run(
    'INSERT INTO audit (workspace_id, user_id, action, target, detail) VALUES ($1, $2, $3, $4, $5)',
    [
      entry.workspaceId ?? null,
      entry.userId,
      entry.action,
      entry.target,
      JSON.stringify({ fields: Object.fromEntries(fields) }),
    ],
  );
}
