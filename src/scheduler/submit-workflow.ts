import { type Bizdate, bizdateOf, parseBizdate, plusDays } from '../domain/calendar/bizdate.js';
import { MillraceError } from '../domain/errors.js';
import type { PluginHost } from '../plugin-host/plugin-host.js';
import { DAILY_AT_MIDNIGHT } from '../domain/calendar/schedule-times-of.js';
import type { NamedOutput, NodeInput } from '../domain/params/named-output.js';
import type { Database, Sql } from '../store/database.js';
import { dataSourceTypes } from '../store/repositories/data-source-repository.js';
import { holdCalendars } from '../store/repositories/calendar-repository.js';
import { workspaceParameters } from '../store/repositories/workspace-parameter-repository.js';
import { requeue } from '../store/sql/requeue.sql.js';
import { writeEvents } from '../store/sql/write-events.sql.js';
import { dependencyProblems, type ForeignNodes, foreignNodesOf } from './check-dependencies.js';
import { isSelf } from './check-inputs.js';
import { type CheckedNodes, checkWorkflow, type GroupSlots } from './check-workflow.js';
import { refuseLoops } from './edge-findings.js';
import { type Dependency, dependenciesOf } from './needs-of.js';
import type { PlanPatch } from './patch/plan-patch.js';
import { planImmediately } from './patch/plan-immediately.js';
import { readSpec } from './read-spec.js';
import { nodeSchedule, type ScheduleSpec } from './schedule-spec.js';
import type { SubmitPlan } from './submit-plan.js';
import {
  namedOutputsOf,
  type NodeSpec,
  tableOutputsOf,
  type WorkflowSpec,
} from './workflow-spec.js';

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

/** Of retries that all wait alike. */
const MAX_INTERVAL_MS = 1_800_000;

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

async function insertNodes(
  tx: Sql,
  workflow: WorkflowRow,
  versionId: number,
  spec: WorkflowSpec,
  {
    nodes: checked,
    groupIds,
    foreign,
  }: {
    readonly nodes: CheckedNodes;
    readonly groupIds: ReadonlyMap<string, number>;
    readonly foreign: ForeignNodes;
  },
): Promise<void> {
  const ids = await insertNames(tx, workflow, spec);
  const idOf = (node: string, other?: string): number | undefined =>
    other === undefined || other === workflow.name
      ? ids.get(node)
      : (foreign.get(`${other}/${node}`)?.nodeId ?? undefined);
  await tx.run(
    `INSERT INTO node_version (version_id, node_id, type, config, config_version, parameters, cron, period,
            dst_policy, effective_from, effective_to, calendar, self_dependence, schedule_type, rerun_mode,
            priority, resource_group_id, slots, retry_max, retry_interval_ms, retry_factor, retry_cap_ms,
            timeout_ms, data_sources, labels, named_outputs, inputs, scheduling_group_id, backfill)
     SELECT $1, n.* FROM jsonb_to_recordset($2::jsonb) AS n(node_id bigint, type text, config jsonb,
            config_version int, parameters jsonb, cron text, period jsonb, dst_policy text, effective_from date,
            effective_to date, calendar text, self_dependence boolean, schedule_type text, rerun_mode text,
            priority smallint, resource_group_id bigint, slots smallint, retry_max smallint,
            retry_interval_ms int, retry_factor double precision, retry_cap_ms int, timeout_ms bigint,
            data_sources text[], labels text[], named_outputs jsonb, inputs jsonb, scheduling_group_id bigint,
            backfill text)`,
    [
      versionId,
      JSON.stringify(
        spec.nodes.map((node) => ({
          node_id: ids.get(node.id),
          type: node.type,
          config: node.config,
          config_version: node.configVersion,
          parameters: { ...spec.parameters, ...node.parameters },
          ...scheduleColumns(nodeSchedule(node.schedule, spec.schedule)),
          ...ruleColumns(node),
          priority: node.priority,
          ...groupColumns(node, groupIds),
          slots: checked.get(node.id)?.isZeroLoad === true ? 0 : node.slots,
          ...retryColumns(node.retry),
          timeout_ms: node.timeoutMs,
          data_sources: checked.get(node.id)?.dataSources ?? [],
          labels: [...new Set(node.labels)].sort(),
          named_outputs: namedOutputColumn(node),
          inputs: inputColumn(node, workflow.name, idOf),
        })),
      ),
    ],
  );
  await insertEdges(tx, versionId, dependenciesOf(spec, workflow.name, idOf));
  await insertOutputs(tx, versionId, spec, ids);
}

/** The ids of its nodes by their names; a name that was there before keeps its id. */
async function insertNames(
  tx: Sql,
  workflow: WorkflowRow,
  spec: WorkflowSpec,
): Promise<Map<string, number>> {
  const rows = await tx.rows<{ id: number; name: string }>(
    `INSERT INTO node (workflow_id, name) SELECT $1, unnest($2::text[])
     ON CONFLICT (workflow_id, name) DO UPDATE SET name = excluded.name RETURNING id, name`,
    [workflow.id, spec.nodes.map((node) => node.id)],
  );
  return new Map(rows.map((row) => [row.name, row.id]));
}

function scheduleColumns(schedule: ScheduleSpec): Record<string, unknown> {
  const { cron, period, dstPolicy, effectiveFrom, effectiveTo, calendar } = schedule;
  return {
    cron: period === undefined ? (cron ?? DAILY_AT_MIDNIGHT) : undefined,
    period,
    dst_policy: dstPolicy,
    effective_from: effectiveFrom,
    effective_to: effectiveTo,
    calendar,
  };
}

function ruleColumns(node: NodeSpec): Record<string, unknown> {
  return {
    self_dependence: node.selfDependence,
    schedule_type: node.scheduleType,
    rerun_mode: node.rerunMode,
    backfill: node.backfill,
  };
}

function groupColumns(
  { resourceGroup, schedulingGroup }: NodeSpec,
  groupIds: ReadonlyMap<string, number>,
): Record<string, unknown> {
  return {
    resource_group_id: groupIds.get(resourceGroup),
    scheduling_group_id: groupIds.get(schedulingGroup ?? ''),
  };
}

function retryColumns(retry: NodeSpec['retry']): Record<string, unknown> {
  return {
    retry_max: retry.max,
    retry_interval_ms: retry.intervalMs,
    retry_factor: retry.backoff?.factor ?? 1,
    retry_cap_ms: retry.backoff?.capMs ?? MAX_INTERVAL_MS,
  };
}

function namedOutputColumn(node: NodeSpec): NamedOutput[] {
  return namedOutputsOf(node).map(({ name, value, from }) =>
    value === undefined ? { name, from: from ?? name } : { name, value },
  );
}

function inputColumn(
  node: NodeSpec,
  workflowName: string,
  idOf: (node: string, workflow?: string) => number | undefined,
): NodeInput[] {
  return Object.entries(node.inputs).flatMap(([name, input]) => {
    const { output, cycle, pattern, default: fallback } = input;
    const nodeId = idOf(input.node, input.workflow);
    if (nodeId === undefined) return [];
    return [
      {
        name,
        nodeId,
        output,
        cycle: isSelf(input, node, { workflowName }) ? 'previous' : cycle,
        ...(pattern === undefined ? {} : { pattern }),
        ...(fallback === undefined ? {} : { default: fallback }),
      },
    ];
  });
}

async function insertEdges(
  tx: Sql,
  versionId: number,
  dependencies: readonly Dependency[],
): Promise<void> {
  await tx.run(
    `INSERT INTO edge (version_id, upstream_node_id, downstream_node_id, kind, inherits_dry_run)
     SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::boolean[])`,
    [
      versionId,
      dependencies.map((each) => each.upstream),
      dependencies.map((each) => each.downstream),
      dependencies.map((each) => each.kind),
      dependencies.map((each) => each.inheritsDryRun),
    ],
  );
}

async function insertOutputs(
  tx: Sql,
  versionId: number,
  spec: WorkflowSpec,
  ids: ReadonlyMap<string, number>,
): Promise<void> {
  const outputs = spec.nodes.flatMap((node) =>
    tableOutputsOf(node).map((output) => ({
      node_id: ids.get(node.id),
      no: output.no,
      data_source: output.dataSource,
      table_name: output.table,
      partition_expression: output.partition,
    })),
  );
  await tx.run(
    `INSERT INTO node_output (version_id, node_id, no, data_source, table_name, partition_expression)
     SELECT $1, o.* FROM jsonb_to_recordset($2::jsonb) AS o(node_id bigint, no smallint, data_source text,
            table_name text, partition_expression text)`,
    [versionId, JSON.stringify(outputs)],
  );
}
