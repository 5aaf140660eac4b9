import { DAILY_AT_MIDNIGHT } from '../domain/calendar/schedule-times-of.js';
import type { NamedOutput, NodeInput } from '../domain/params/named-output.js';
import type { Sql } from '../store/database.js';
import type { ForeignNodes } from './check-dependencies.js';
import { isSelf } from './check-inputs.js';
import type { CheckedNodes } from './check-workflow.js';
import { type DeclaredDependency, dependenciesOf, selfDependenceOf } from './needs-of.js';
import { nodeSchedule, type ScheduleSpec } from './schedule-spec.js';
import {
  namedOutputsOf,
  type NodeSpec,
  tableOutputsOf,
  type WorkflowSpec,
} from './workflow-spec.js';

/** Of retries that all wait alike. */
const MAX_INTERVAL_MS = 1_800_000;

interface NamedWorkflow {
  readonly id: number;
  readonly name: string;
}

/** The nodes of a version, with their edges and outputs. */
export async function insertNodes(
  tx: Sql,
  workflow: NamedWorkflow,
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
            dst_policy, effective_from, effective_to, calendar, self_dependence, self_inherits_dry_run, schedule_type,
            rerun_mode, priority, resource_group_id, slots, retry_max, retry_interval_ms, retry_factor, retry_cap_ms,
            timeout_ms, data_sources, labels, named_outputs, inputs, scheduling_group_id, backfill)
     SELECT $1, n.* FROM jsonb_to_recordset($2::jsonb) AS n(node_id bigint, type text, config jsonb,
            config_version int, parameters jsonb, cron text, period jsonb, dst_policy text, effective_from date,
            effective_to date, calendar text, self_dependence boolean, self_inherits_dry_run boolean,
            schedule_type text, rerun_mode text,
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
  await insertEdges(tx, versionId, dependenciesOf(spec, workflow.name, idOf, foreign.values()));
  await insertOutputs(tx, versionId, spec, ids);
}

/** The ids of its nodes by their names; a name that was there before keeps its id. */
async function insertNames(
  tx: Sql,
  workflow: NamedWorkflow,
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
  const { selfDependent, selfInheritsDryRun } = selfDependenceOf(node);
  return {
    self_dependence: selfDependent,
    self_inherits_dry_run: selfInheritsDryRun,
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

/** Of any number one statement: Insert on edge  ->  Function Scan on unnest. */
async function insertEdges(
  tx: Sql,
  versionId: number,
  dependencies: readonly DeclaredDependency[],
): Promise<void> {
  await tx.run(
    `INSERT INTO edge (version_id, upstream_node_id, downstream_node_id, kind, inherits_dry_run,
            of_children)
     SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::boolean[], $6::boolean[])`,
    [
      versionId,
      dependencies.map((each) => each.upstream),
      dependencies.map((each) => each.downstream),
      dependencies.map((each) => each.kind),
      dependencies.map((each) => each.inheritsDryRun),
      dependencies.map((each) => each.ofChildren),
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
