import { type Bizdate, bizdateOf, parseBizdate, plusDays } from '../domain/calendar/bizdate.js';
import { MillraceError } from '../domain/errors.js';
import type { PluginHost } from '../plugin-host/plugin-host.js';
import type { Database, Sql } from '../store/database.js';
import { dataSourceTypes } from '../store/repositories/data-source-repository.js';
import { holdCalendars } from '../store/repositories/calendar-repository.js';
import { workspaceParameters } from '../store/repositories/workspace-parameter-repository.js';
import { requeue } from '../store/sql/requeue.sql.js';
import { writeEvents } from '../store/sql/write-events.sql.js';
import { dependencyProblems, foreignNodesOf } from './check-dependencies.js';
import { checkWorkflow, type GroupSlots } from './check-workflow.js';
import { refuseLoops } from './edge-findings.js';
import { insertNodes } from './insert-nodes.js';
import type { PlanPatch } from './patch/plan-patch.js';
import { planImmediately } from './patch/plan-immediately.js';
import { readSpec } from './read-spec.js';
import type { SubmitPlan } from './submit-plan.js';

export interface SubmitOptions {
  readonly workflowId: number;
  readonly userId: number | null;
  readonly comment: string;
  /** From when on it is planned; the next day without it. */
  readonly plan?: SubmitPlan | undefined;
  /** With `immediately`: also where instances would not wait for an upstream that they need. */
  readonly allowIsolated?: boolean | undefined;
}

export interface Submitted {
  readonly versionId: number;
  readonly version: number;
  /** The first business date the generator plans with it. */
  readonly firstBizdate: string;
  /** The last one that is planned without it, though its time is still to come; null: none. */
  readonly plannedWithout: string | null;
  /** What was changed of plans that were made already, the newest first. */
  readonly patched: readonly PlanPatch[];
}

interface WorkflowRow {
  readonly id: number;
  readonly workspace_id: number;
  readonly name: string;
  readonly draft: unknown;
  readonly timezone: string;
}

/**
 * Makes an immutable version of a workflow's draft. Unless another `plan` is asked for it takes effect
 * with the first business date that has not been planned yet: submitted today, it runs from tomorrow.
 */
export async function submitWorkflow(
  database: Database,
  plugins: PluginHost,
  now: Date,
  options: SubmitOptions,
): Promise<Submitted> {
  return await database.transaction((tx) => submitIn(tx, plugins, now, options));
}

export interface SubmitPreviewOptions {
  readonly workspaceId: number;
  /** Of the workflow; it need not be there yet. */
  readonly name: string;
  /** The saved one without it. */
  readonly draft?: object | undefined;
  readonly plan?: SubmitPlan | undefined;
}

/**
 * What a submit would do: it is done and taken back, so that the two cannot differ. Instances that would not
 * wait for an upstream are shown where a submit is refused for them. Others may wait for it as for a submit.
 */
export async function previewSubmit(
  database: Database,
  plugins: PluginHost,
  now: Date,
  { workspaceId, name, draft, plan }: SubmitPreviewOptions,
): Promise<Omit<Submitted, 'versionId'>> {
  return await database.rehearse(async (tx) => {
    const [workflow] = await tx.rows<{ id: number }>(
      draft === undefined
        ? `SELECT id FROM workflow WHERE workspace_id = $1 AND name = $2`
        : `INSERT INTO workflow (workspace_id, name, draft) VALUES ($1, $2, $3)
           ON CONFLICT (workspace_id, name) DO UPDATE SET draft = excluded.draft RETURNING id`,
      [workspaceId, name, ...(draft === undefined ? [] : [JSON.stringify(draft)])],
    );
    if (workflow === undefined)
      throw new MillraceError('MR-A104', `There is no workflow "${name}".`);
    const { versionId: _, ...submitted } = await submitIn(tx, plugins, now, {
      workflowId: workflow.id,
      userId: null,
      comment: '',
      plan,
      allowIsolated: true,
    });
    return submitted;
  });
}

async function submitIn(
  tx: Sql,
  plugins: PluginHost,
  now: Date,
  options: SubmitOptions,
): Promise<Submitted> {
  const workflow = await lockWorkflow(tx, options.workflowId);
  const spec = readSpec(workflow.draft);
  const timezone = spec.timezone ?? workflow.timezone;
  const groups = await resourceGroups(tx);
  const dependent = { ...workflow, workspaceId: workflow.workspace_id };
  const foreign = await foreignNodesOf(tx, dependent, spec);
  // No day is opened to be planned from here on. Two that submit at once would not see the half of a
  // circle that the other one makes; and one that plans immediately may open a day itself.
  const isAlone = foreign.size > 0 || options.plan === 'immediately';
  await tx.rows(`SELECT FROM workspace WHERE id = $1 FOR ${isAlone ? 'NO KEY UPDATE' : 'SHARE'}`, [
    workflow.workspace_id,
  ]);
  const nodes = await checkWorkflow(spec, {
    plugins,
    timezone,
    now,
    workflowName: workflow.name,
    foreign,
    dependencyProblems: await dependencyProblems(tx, dependent, spec, foreign),
    dataSources: await dataSourceTypes(tx, workflow.workspace_id),
    resourceGroups: new Map(groups.map((group) => [group.name, group])),
    calendars: await holdCalendars(tx, workflow.workspace_id),
    parameters: await workspaceParameters(tx, workflow.workspace_id),
  });
  const zoned = { ...dependent, timezone };
  const { firstBizdate, plannedWithout } = await firstBizdateOf(tx, zoned, now, options.plan);
  await refuseLoops(tx, { ...dependent, spec, timezone, bizdate: firstBizdate }, foreign);
  const version = await insertVersion(tx, options, { spec, timezone, firstBizdate });
  const groupIds = new Map(groups.map((group) => [group.name, group.id]));
  await insertNodes(tx, workflow, version.id, spec, { nodes, groupIds, foreign });
  await requeue(tx, { versionId: version.id });
  const patched =
    options.plan === 'immediately'
      ? await planImmediately(tx, now, dependent, { ...options, timezone, firstBizdate })
      : [];
  const first = patched.at(-1)?.bizdate ?? firstBizdate;
  await writeEvents(tx, now, [
    {
      workspaceId: workflow.workspace_id,
      type: 'workflow.submitted',
      payload: { workflowId: workflow.id, version: version.version, firstBizdate: first },
    },
  ]);
  return {
    versionId: version.id,
    version: version.version,
    firstBizdate: first,
    plannedWithout,
    patched,
  };
}

async function insertVersion(
  tx: Sql,
  { workflowId, userId, comment }: SubmitOptions,
  of: { readonly spec: object; readonly timezone: string; readonly firstBizdate: Bizdate },
): Promise<{ readonly id: number; readonly version: number }> {
  const [version] = await tx.rows<{ id: number; version: number }>(
    `INSERT INTO workflow_version (workflow_id, version, spec, timezone, first_bizdate, submitted_by, comment)
     SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6
       FROM workflow_version WHERE workflow_id = $1
     RETURNING id, version`,
    [workflowId, JSON.stringify(of.spec), of.timezone, of.firstBizdate, userId, comment],
  );
  if (version === undefined) throw new MillraceError('MR-A109', 'No version was inserted.');
  return version;
}

/** The first business date that is not planned and that `plan` does not put off, and what it comes too late for. */
async function firstBizdateOf(
  tx: Sql,
  { workspaceId, timezone }: { readonly workspaceId: number; readonly timezone: string },
  now: Date,
  plan: SubmitPlan | undefined,
): Promise<{ readonly firstBizdate: Bizdate; readonly plannedWithout: Bizdate | null }> {
  const unplanned = await firstUnplanned(tx, workspaceId, timezone, now);
  const tomorrow = plusDays(bizdateOf(now, timezone), 1);
  const after = plusDays(tomorrow, plan === 'third-day' ? 1 : 0);
  const isLate = unplanned > tomorrow && (plan ?? 'next-day') === 'next-day';
  return {
    firstBizdate: unplanned < after ? after : unplanned,
    plannedWithout: isLate ? plusDays(unplanned, -1) : null,
  };
}

async function lockWorkflow(tx: Sql, workflowId: number): Promise<WorkflowRow> {
  const [row] = await tx.rows<WorkflowRow>(
    `SELECT w.id, w.workspace_id, w.name, w.draft, s.timezone
       FROM workflow w JOIN workspace s ON s.id = w.workspace_id WHERE w.id = $1 FOR UPDATE OF w`,
    [workflowId],
  );
  if (row === undefined) throw new MillraceError('MR-A104', `There is no workflow ${workflowId}.`);
  return row;
}

async function resourceGroups(
  tx: Sql,
): Promise<readonly (GroupSlots & { readonly id: number; readonly name: string })[]> {
  return await tx.rows(
    `SELECT id, name, slots, EXISTS (SELECT FROM gate WHERE gate.scope = 'scheduling'
              AND gate.resource_group_id = resource_group.id) AS schedules FROM resource_group`,
  );
}

/** Today's business date runs tomorrow; after tomorrow has been planned, the day behind it is the first. */
async function firstUnplanned(
  tx: Sql,
  workspaceId: number,
  timezone: string,
  now: Date,
): Promise<Bizdate> {
  const today = plusDays(bizdateOf(now, timezone), 1);
  const [row] = await tx.rows<{ last: string | null }>(
    `SELECT max(bizdate) AS last FROM plan WHERE workspace_id = $1 AND timezone = $2`,
    [workspaceId, timezone],
  );
  if (row === undefined || row.last === null || row.last < today) return today;
  return plusDays(parseBizdate(row.last), 1);
}
