import type { Bizdate } from '../domain/calendar/bizdate.js';
import type { BusinessCalendar } from '../domain/calendar/business-calendar.js';
import { type Cycle, cyclesOf } from '../domain/calendar/cycles-of.js';
import { evaluateDeclarations } from '../domain/params/declarations.js';
import { substitute } from '../domain/params/substitute.js';
import type { Sql } from '../store/database.js';
import type { PlannedInstance, WorkflowPlan } from '../store/sql/insert-plan.sql.js';
import { type DependencyRow, loadDependencies } from '../store/sql/load-dependencies.sql.js';
import type { OutsideNodes } from './outside-nodes.js';
import { type PlannedCycle, type PlannedNode, planEdges } from './plan-edges.js';
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
  readonly type: string;
  readonly parameters: Record<string, string>;
  readonly inputs: readonly string[] | null;
  readonly self_dependence: boolean;
  readonly self_inherits_dry_run: boolean | null;
  readonly schedule_type: 'normal' | 'frozen' | 'dry_run';
  readonly priority: number;
  readonly resource_group_id: number;
  readonly slots: number;
  readonly outputs: readonly { readonly no: number; readonly partition: string }[] | null;
}

/** What a version says, the same on every business date: read once for as many as are planned of it. */
export interface VersionScene {
  readonly nodes: readonly NodeRow[];
  readonly calendars: ReadonlyMap<string, BusinessCalendar>;
  readonly dependencies: readonly DependencyRow[];
}

export async function loadVersionScene(
  sql: Sql,
  version: Pick<PlanOrder, 'workspaceId' | 'versionId'>,
): Promise<VersionScene> {
  const nodes = await nodesOf(sql, version);
  const calendars = await calendarsOfNodes(sql, version.workspaceId, nodes);
  return { nodes, calendars, dependencies: await loadDependencies(sql, version.versionId) };
}

/**
 * Works out the instances and edges of one workflow for one business date. In the daily plan it also holds
 * back the plans of the workflows it depends on until the caller's transaction ends. `siblings`: nodes of other
 * workflows that are made in the same run group.
 */
export async function planWorkflow(
  sql: Sql,
  order: PlanOrder,
  known?: VersionScene,
  siblings?: OutsideNodes,
): Promise<WorkflowPlan> {
  const scene = known ?? (await loadVersionScene(sql, order));
  const { instances, own } = instancesOf(scene, order);
  const declared = scene.dependencies;
  const edges = await planEdges(sql, order, own, {
    declared,
    ...(siblings === undefined ? {} : { siblings }),
  });
  return { ...order, instances, ...edges };
}

/** The instances of one business date without their edges. Asks nothing of the store. */
export function planCycles(scene: VersionScene, order: PlanOrder): WorkflowPlan {
  const { instances } = instancesOf(scene, order);
  return { ...order, instances, edges: [], outerEdges: [], awaitedEdges: [] };
}

interface PlannedInstances {
  readonly instances: readonly PlannedInstance[];
  readonly own: ReadonlyMap<number, PlannedNode>;
}

/** The instances alone, and the cycles of each node that say which place each of them has. */
export async function planInstances(sql: Sql, order: PlanOrder): Promise<PlannedInstances> {
  const nodes = await nodesOf(sql, order);
  const calendars = await calendarsOfNodes(sql, order.workspaceId, nodes);
  return instancesOf({ nodes, calendars }, order);
}

function instancesOf(
  { nodes, calendars }: Pick<VersionScene, 'nodes' | 'calendars'>,
  order: PlanOrder,
): PlannedInstances {
  const instances: PlannedInstance[] = [];
  const own = new Map<number, PlannedNode>();
  const cyclesOfNode = sharedCycles(order, calendars);
  for (const node of nodes) {
    const cycles: PlannedCycle[] = [];
    for (const cycle of cyclesOfNode(node)) {
      const { periodNo, scheduledAt } = cycle;
      cycles.push({ periodNo, scheduledAt, index: instances.length });
      instances.push(instanceOf(node, cycle, order));
    }
    const { self_dependence: selfDependent, self_inherits_dry_run: selfInheritsDryRun } = node;
    own.set(node.node_id, { selfDependent, selfInheritsDryRun, cycles });
  }
  return { instances, own };
}

/** Most nodes of a workflow have the same schedule: its cycles are worked out once. */
function sharedCycles(
  order: PlanOrder,
  calendars: VersionScene['calendars'],
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

async function nodesOf(
  sql: Sql,
  { workspaceId, versionId }: Pick<PlanOrder, 'workspaceId' | 'versionId'>,
): Promise<NodeRow[]> {
  return await sql.rows<NodeRow>(
    // The nearest declaration wins; those of workflow and node were joined at the submit. What few nodes
    // have is joined or tested: a subquery for each of a thousand nodes took most of the time.
    `SELECT nv.node_id, nv.type,
            coalesce((SELECT jsonb_object_agg(p.name, p.expression) FROM workspace_parameter p
                       WHERE p.workspace_id = $2), '{}') || nv.parameters AS parameters,
            CASE WHEN nv.inputs <> '[]'
                 THEN (SELECT array_agg(i ->> 'name') FROM jsonb_array_elements(nv.inputs) i)
            END AS inputs,
            nv.cron, nv.period, nv.dst_policy, nv.effective_from, nv.effective_to, nv.calendar,
            nv.self_dependence, nv.self_inherits_dry_run, nv.schedule_type, nv.priority,
            nv.resource_group_id, nv.slots, o.outputs
       FROM node_version nv
       LEFT JOIN (SELECT node_id,
                         jsonb_agg(jsonb_build_object('no', no, 'partition', partition_expression)) AS outputs
                    FROM node_output WHERE version_id = $1 GROUP BY node_id) o USING (node_id)
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
