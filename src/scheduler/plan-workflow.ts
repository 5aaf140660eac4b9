import type { Bizdate } from '../domain/calendar/bizdate.js';
import { type Cycle, cyclesOf } from '../domain/calendar/cycles-of.js';
import { evaluateDeclarations } from '../domain/params/declarations.js';
import { substitute } from '../domain/params/substitute.js';
import type { Sql } from '../store/database.js';
import type { PlannedInstance, WorkflowPlan } from '../store/sql/insert-plan.sql.js';
import type { OwnNode } from './edges-of.js';
import { planEdges } from './plan-edges.js';
import { calendarsOfNodes, type PlannedSchedule, plannedSchedule } from './planned-schedule.js';

/** Which version to plan, for which business date, into which run group. */
export interface PlanOrder {
  readonly workspaceId: number;
  readonly workflowId: number;
  readonly versionId: number;
  readonly timezone: string;
  readonly runGroupId: number;
  readonly planDay: string;
  readonly bizdate: Bizdate;
  /** `undefined`: at its scheduled time; otherwise nothing waits for its time beyond this instant. */
  readonly runAt?: Date;
  /** Values that replace declared parameters. */
  readonly parameters?: Readonly<Record<string, string>>;
}

interface NodeRow extends PlannedSchedule {
  readonly node_id: number;
  readonly name: string;
  readonly type: string;
  readonly parameters: Record<string, string>;
  readonly inputs: readonly string[] | null;
  readonly self_dependence: boolean;
  readonly schedule_type: 'normal' | 'frozen' | 'dry_run';
  readonly priority: number;
  readonly resource_group_id: number;
  readonly slots: number;
  readonly outputs: readonly { readonly no: number; readonly partition: string }[] | null;
}

interface PlannedCycle extends Cycle {
  /** Its place in the plan's instances. */
  readonly index: number;
}

/**
 * Works out the instances and edges of one workflow for one business date. In the daily plan it also holds
 * back the plans of the workflows it depends on until the caller's transaction ends.
 */
export async function planWorkflow(sql: Sql, order: PlanOrder): Promise<WorkflowPlan> {
  const { instances, own } = await planInstances(sql, order);
  return { ...order, instances, ...(await planEdges(sql, order, own)) };
}

/** The instances alone, and the cycles of each node that say which place each of them has. */
export async function planInstances(
  sql: Sql,
  order: PlanOrder,
): Promise<{
  readonly instances: readonly PlannedInstance[];
  readonly own: ReadonlyMap<number, OwnNode<PlannedCycle>>;
}> {
  const nodes = await nodesOf(sql, order);
  const calendars = await calendarsOfNodes(sql, order.workspaceId, nodes);
  const instances: PlannedInstance[] = [];
  const cycles = new Map<number, readonly PlannedCycle[]>();
  const cyclesOfNode = sharedCycles(order, calendars);
  for (const node of nodes) {
    const planned = cyclesOfNode(node).map((cycle, at) => ({
      ...cycle,
      index: instances.length + at,
    }));
    cycles.set(node.node_id, planned);
    for (const cycle of planned) instances.push(instanceOf(node, cycle, order));
  }
  const own = new Map(
    nodes.map((node) => [
      node.node_id,
      { selfDependent: node.self_dependence, cycles: cycles.get(node.node_id) ?? [] },
    ]),
  );
  return { instances, own };
}

/** Most nodes of a workflow have the same schedule: its cycles are worked out once. */
function sharedCycles(
  order: PlanOrder,
  calendars: Awaited<ReturnType<typeof calendarsOfNodes>>,
): (node: NodeRow) => readonly Cycle[] {
  const known = new Map<string, readonly Cycle[]>();
  return (node) => {
    const { cron, period, dst_policy, effective_from, effective_to, calendar } = node;
    const key = JSON.stringify([cron, period, dst_policy, effective_from, effective_to, calendar]);
    let cycles = known.get(key);
    if (cycles === undefined) {
      cycles = cyclesOf(plannedSchedule(node, order.timezone, calendars), order.bizdate);
      known.set(key, cycles);
    }
    return cycles;
  };
}

async function nodesOf(sql: Sql, { workspaceId, versionId }: PlanOrder): Promise<NodeRow[]> {
  return await sql.rows<NodeRow>(
    // The nearest declaration wins; those of workflow and node were joined at the submit.
    `SELECT nv.node_id, n.name, nv.type,
            coalesce((SELECT jsonb_object_agg(p.name, p.expression) FROM workspace_parameter p
                       WHERE p.workspace_id = $2), '{}') || nv.parameters AS parameters,
            (SELECT array_agg(i ->> 'name') FROM jsonb_array_elements(nv.inputs) i) AS inputs,
            nv.cron, nv.period, nv.dst_policy, nv.effective_from, nv.effective_to, nv.calendar,
            nv.self_dependence, nv.schedule_type, nv.priority, nv.resource_group_id, nv.slots,
            (SELECT jsonb_agg(jsonb_build_object('no', o.no, 'partition', o.partition_expression))
               FROM node_output o WHERE o.version_id = nv.version_id AND o.node_id = nv.node_id) AS outputs
       FROM node_version nv JOIN node n ON n.id = nv.node_id
      WHERE nv.version_id = $1 ORDER BY nv.node_id`,
    [versionId, workspaceId],
  );
}

function instanceOf(node: NodeRow, cycle: Cycle, order: PlanOrder): PlannedInstance {
  const isDryRun = node.schedule_type === 'dry_run' || cycle.dryRun !== undefined;
  return {
    nodeId: node.node_id,
    versionId: order.versionId,
    resourceGroupId: node.resource_group_id,
    nodeType: node.type,
    scheduledAt: cycle.scheduledAt,
    runAt: order.runAt ?? cycle.scheduledAt,
    periodNo: cycle.periodNo,
    path: '',
    priority: node.priority,
    slots: node.slots,
    frozen: node.schedule_type === 'frozen',
    dryRun: isDryRun,
    reason: isDryRun ? (cycle.dryRun ?? 'dry_run') : null,
    parameters: (instanceId) => parametersOf(node, cycle, order, instanceId),
  };
}

/** Values are fixed now, when the instance is made, not when it starts. */
function parametersOf(
  node: NodeRow,
  cycle: Cycle,
  order: PlanOrder,
  instanceId: number,
): Record<string, string> {
  const base = {
    bizdate: order.bizdate,
    scheduledLocal: { ...cycle.local, fold: cycle.fold },
    zone: order.timezone,
    workflowId: order.workflowId,
    nodeId: node.node_id,
    instanceId,
  };
  // An input is nearer than a declaration of the workflow; its value is known at the start, or given here.
  const inputs = node.inputs ?? [];
  const { parameters } = node;
  const names = Object.keys(parameters);
  const ahead = pick(
    parameters,
    names.filter((name) => !inputs.includes(name)),
  );
  const values = {
    ...evaluateDeclarations(ahead, base),
    ...pick(order.parameters ?? {}, [...names, ...inputs]),
  };
  const outputs = (node.outputs ?? []).map(
    (output) => [`output.${output.no}`, substitute(output.partition, values, base)] as const,
  );
  return { ...values, ...Object.fromEntries(outputs) };
}

function pick(
  values: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}
