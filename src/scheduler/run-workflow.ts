import { nearestName } from '../config/spelling.js';
import { type Bizdate, lastBizdate, parseBizdate } from '../domain/calendar/bizdate.js';
import { MillraceError } from '../domain/errors.js';
import { checkOutsideValue } from '../domain/params/check-outside-value.js';
import type { Database, Sql } from '../store/database.js';
import { insertPlan } from '../store/sql/insert-plan.sql.js';
import { planWorkflow } from './plan-workflow.js';

export interface RunOptions {
  readonly workflowId: number;
  readonly userId: number | null;
  readonly bizdate: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Takes a business date that is not over yet. */
  readonly allowFuture?: boolean | undefined;
}

export interface RunStarted {
  readonly runGroupId: number;
  readonly planDay: string;
  readonly workflowInstanceId: number;
}

/** A test run: the latest version for one business date, at once, beside the daily plan. */
export async function runWorkflow(
  database: Database,
  now: Date,
  options: RunOptions,
): Promise<RunStarted> {
  const bizdate = parseBizdate(options.bizdate);
  for (const [name, value] of Object.entries(options.parameters)) checkOutsideValue(name, value);
  return await database.transaction(async (tx) => {
    const version = await latestVersion(tx, options.workflowId);
    if (options.allowFuture !== true) refuseFuture(bizdate, now, version.timezone);
    await refuseUnknownParameters(tx, [version], Object.keys(options.parameters));
    const group = await createRunGroup(tx, 'test', `test ${bizdate}`, version.workspaceId, options);
    const plan = await planWorkflow(tx, {
      ...version,
      runGroupId: group.id,
      planDay: group.planDay,
      bizdate,
      runAt: now,
      parameters: options.parameters,
    });
    const run = await insertPlan(tx, plan, now);
    if (run === undefined) throw new MillraceError('MR-A109', 'The run group was not empty.');
    return { runGroupId: group.id, planDay: group.planDay, workflowInstanceId: run.id };
  });
}

function refuseFuture(bizdate: Bizdate, now: Date, timezone: string): void {
  const last = lastBizdate(now, timezone);
  if (bizdate <= last) return;
  throw new MillraceError(
    'MR-S110',
    `${bizdate} is not over in ${timezone}; the last business date that is over is ${last}.`,
    { errors: [{ pointer: '/bizdate', detail: `later than ${last}` }] },
  );
}

/** A misspelt name would leave the declared value in force without a word. */
export async function refuseUnknownParameters(
  tx: Sql,
  versions: readonly [LatestVersion, ...LatestVersion[]],
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const rows = await tx.rows<{ name: string }>(
    `SELECT jsonb_object_keys(parameters) AS name FROM node_version WHERE version_id = ANY($1::bigint[])
     UNION SELECT i ->> 'name' FROM node_version, jsonb_array_elements(inputs) i
            WHERE version_id = ANY($1::bigint[])
     UNION SELECT name FROM workspace_parameter WHERE workspace_id = $2 ORDER BY name`,
    [versions.map(({ versionId }) => versionId), versions[0].workspaceId],
  );
  const declared = rows.map((row) => row.name);
  const unknown = names.filter((name) => !declared.includes(name));
  if (unknown.length === 0) return;
  const errors = unknown.map((name) => {
    const near = nearestName(name, declared);
    const offer = near === undefined ? '' : `; did you mean "${near}"?`;
    return { pointer: `/parameters/${name}`, detail: `"${name}" is not declared${offer}` };
  });
  const known = declared.length === 0 ? 'none is' : `declared: ${declared.join(', ')}`;
  throw new MillraceError(
    'MR-S111',
    `${errors.map(({ detail }) => detail).join('; ')} (${known}).`,
    { errors },
  );
}

export interface LatestVersion {
  readonly workspaceId: number;
  readonly workflowId: number;
  readonly versionId: number;
  /** Its number among the versions of the workflow. */
  readonly version: number;
  readonly timezone: string;
}

/** MR-A105 for a workflow that was never submitted. */
export async function latestVersion(tx: Sql, workflowId: number): Promise<LatestVersion> {
  const [row] = await tx.rows<LatestVersion>(
    `SELECT w.workspace_id AS "workspaceId", w.id AS "workflowId", v.id AS "versionId", v.version,
            v.timezone
       FROM workflow w JOIN workflow_version v ON v.workflow_id = w.id
      WHERE w.id = $1 ORDER BY v.version DESC LIMIT 1`,
    [workflowId],
  );
  if (row === undefined) {
    throw new MillraceError(
      'MR-A105',
      'The workflow has not been submitted: there is no version to run.',
    );
  }
  return row;
}

export async function createRunGroup(
  tx: Sql,
  kind: 'test' | 'backfill',
  name: string,
  workspaceId: number,
  options: { readonly userId: number | null },
): Promise<{ id: number; planDay: string }> {
  const { userId, ...spec } = options;
  const [group] = await tx.rows<{ id: number; planDay: string }>(
    `INSERT INTO run_group (workspace_id, kind, name, spec, plan_day, created_by)
     VALUES ($1, $2, $3, $4, (clock_timestamp() AT TIME ZONE 'UTC')::date, $5)
     RETURNING id, plan_day AS "planDay"`,
    [workspaceId, kind, name, JSON.stringify(spec), userId],
  );
  if (group === undefined) throw new MillraceError('MR-A109', 'No run group was inserted.');
  return group;
}
