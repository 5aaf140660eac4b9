import { MillraceError } from '../../domain/errors.js';
import { type Sql, sqlStateOf } from '../database.js';

export type WorkflowDraft = Readonly<Record<string, unknown>>;

export interface Workflow {
  readonly id: number;
  readonly workspaceId: number;
  readonly name: string;
  readonly description: string;
  readonly draft: WorkflowDraft;
  /** Rises with every change of the draft; the ETag. */
  readonly revision: number;
  /** Whether the generator plans it. */
  readonly scheduled: boolean;
  /** The latest submitted version, null before the first submit. */
  readonly latestVersion: number | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface WorkflowVersion {
  readonly id: number;
  readonly version: number;
  readonly firstBizdate: string;
  readonly timezone: string;
  readonly comment: string;
  readonly submittedAt: Date;
  readonly submittedBy: string | null;
  readonly spec: unknown;
}

const UNIQUE_VIOLATION = '23505';

const SELECT = `
  SELECT w.id, w.workspace_id AS "workspaceId", w.name, w.description, w.draft, w.revision,
         w.scheduled, w.created_at AS "createdAt", w.updated_at AS "updatedAt",
         (SELECT max(v.version) FROM workflow_version v WHERE v.workflow_id = w.id) AS "latestVersion"
    FROM workflow w`;

/** Page of the workspace's workflows by name, after `afterName`. */
export async function listWorkflows(
  sql: Sql,
  page: { readonly workspaceId: number; readonly afterName: string; readonly limit: number },
): Promise<Workflow[]> {
  return await sql.rows<Workflow>(
    `${SELECT} WHERE w.workspace_id = $1 AND w.name > $2 ORDER BY w.name LIMIT $3`,
    [page.workspaceId, page.afterName, page.limit],
  );
}

export async function workflowById(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<Workflow | undefined> {
  const rows = await sql.rows<Workflow>(`${SELECT} WHERE w.workspace_id = $1 AND w.id = $2`, [
    workspaceId,
    id,
  ]);
  return rows[0];
}

export async function workflowByName(
  sql: Sql,
  workspaceId: number,
  name: string,
): Promise<Workflow | undefined> {
  const rows = await sql.rows<Workflow>(`${SELECT} WHERE w.workspace_id = $1 AND w.name = $2`, [
    workspaceId,
    name,
  ]);
  return rows[0];
}

/** MR-A105 when the name is taken. */
export async function insertWorkflow(
  sql: Sql,
  workflow: {
    readonly workspaceId: number;
    readonly userId: number;
    readonly name: string;
    readonly description: string;
    readonly draft: WorkflowDraft;
  },
): Promise<number> {
  return await nameChecked(workflow.name, async () => {
    const rows = await sql.rows<{ id: number }>(
      `INSERT INTO workflow (workspace_id, name, description, draft, created_by)
       VALUES ($1, $2, $3, $4, $5) RETURNING id`,
      [
        workflow.workspaceId,
        workflow.name,
        workflow.description,
        JSON.stringify(workflow.draft),
        workflow.userId,
      ],
    );
    return rows[0]?.id ?? 0;
  });
}

export interface WorkflowChange {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly draft?: WorkflowDraft | undefined;
  readonly scheduled?: boolean | undefined;
}

/** `false` when `revision` is not the present one any more. MR-A105 when the new name is taken. */
export async function updateWorkflow(
  sql: Sql,
  current: Workflow,
  change: WorkflowChange,
): Promise<boolean> {
  const next = { ...current, ...definedOf(change) };
  return await nameChecked(next.name, async () => {
    const changed = await sql.run(
      `UPDATE workflow SET name = $3, description = $4, draft = $5, scheduled = $6,
              revision = revision + 1, updated_at = clock_timestamp()
        WHERE id = $1 AND revision = $2`,
      [
        current.id,
        current.revision,
        next.name,
        next.description,
        JSON.stringify(next.draft),
        next.scheduled,
      ],
    );
    return changed === 1;
  });
}

/** Removes a workflow that was never submitted. `false` when `revision` is not the present one any more. */
export async function deleteWorkflow(sql: Sql, workflow: Workflow): Promise<boolean> {
  // Instances, partitions and the history of its nodes refer to its versions.
  if (workflow.latestVersion !== null)
    throw new MillraceError(
      'MR-A105',
      `${workflow.name} was submitted; set \`scheduled\` to false to have it planned no more`,
    );
  return (
    (await sql.run('DELETE FROM workflow WHERE id = $1 AND revision = $2', [
      workflow.id,
      workflow.revision,
    ])) === 1
  );
}

/** Versions of a workflow, newest first, below `beforeVersion`. */
export async function listVersions(
  sql: Sql,
  page: { readonly workflowId: number; readonly beforeVersion: number; readonly limit: number },
): Promise<WorkflowVersion[]> {
  return await sql.rows<WorkflowVersion>(
    `SELECT v.id, v.version, v.first_bizdate AS "firstBizdate", v.timezone, v.comment,
            v.submitted_at AS "submittedAt", u.name AS "submittedBy", v.spec
       FROM workflow_version v LEFT JOIN app_user u ON u.id = v.submitted_by
      WHERE v.workflow_id = $1 AND v.version < $2
      ORDER BY v.version DESC LIMIT $3`,
    [page.workflowId, page.beforeVersion, page.limit],
  );
}

function definedOf<T extends object>(change: T): Partial<{ [K in keyof T]: NonNullable<T[K]> }> {
  const entries = Object.entries(change).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<{ [K in keyof T]: NonNullable<T[K]> }>;
}

async function nameChecked<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    throw new MillraceError('MR-A105', `a workflow named ${name} is there already`, {
      cause: error,
    });
  }
}

export interface WorkflowNode {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  /** Somebody has frozen it: what is planned of it is frozen. */
  readonly frozen: boolean;
  /** `normal`, `frozen` or `dry_run`, as the latest version says. */
  readonly scheduleType: string;
}

/** The nodes of the latest version, by name. */
export async function nodesOfWorkflow(sql: Sql, workflowId: number): Promise<WorkflowNode[]> {
  return await sql.rows<WorkflowNode>(
    `SELECT n.id, n.name, v.type, n.frozen, v.schedule_type AS "scheduleType"
       FROM node_version v JOIN node n ON n.id = v.node_id
      WHERE v.version_id = (SELECT id FROM workflow_version WHERE workflow_id = $1
                             ORDER BY version DESC LIMIT 1)
      ORDER BY n.name`,
    [workflowId],
  );
}
