import { backfillDates } from '../../domain/backfill/backfill-dates.js';
import type { BackfillRequest } from '../../domain/backfill/backfill-request.js';
import { keepChain } from '../../domain/backfill/keep-chain.js';
import type { Bizdate } from '../../domain/calendar/bizdate.js';
import { MillraceError } from '../../domain/errors.js';
import { subsetForBackfill } from '../../domain/graph/subset-for-backfill.js';
import { WorkflowGraph } from '../../domain/graph/workflow-graph.js';
import { checkOutsideValue } from '../../domain/params/check-outside-value.js';
import type { Sql } from '../../store/database.js';
import type { PlannedInstance, WorkflowPlan } from '../../store/sql/insert-plan.sql.js';
import { type LiveTwin, liveTwins } from '../../store/sql/live-twins.sql.js';
import { planWorkflow } from '../plan-workflow.js';
import { latestVersion, type LatestVersion, refuseUnknownParameters } from '../run-workflow.js';
import type {
  BackfillCell,
  BackfillNode,
  BackfillOrderOptions,
  PlannedBackfill,
  PlannedDate,
  PreviousChoice,
} from './planned-backfill.js';
import { rechain } from './rechain.js';
import { keyOf, type NodeOutput, spanOf, wantedCycles, type WantedIn } from './wanted-cycles.js';

/** Where one transaction and the memory of one process are still at ease. */
const MAX_INSTANCES = 200_000;

/** Why a node or a cycle that was not asked for succeeds without doing anything. */
const LEFT_OUT = 'left_out';

interface Overrides {
  readonly resourceGroupId: number | undefined;
  readonly priority: number | undefined;
  /** Not before this; a scheduled time that is still to come is waited for unless it says otherwise. */
  readonly runAt: (scheduledAt: Date) => Date;
}

/**
 * Works out a backfill: which instances of which business dates, what else lives beside them, and which
 * previous cycles they wait for. Reads only. Three statements for each business date, none for an instance.
 */
export async function planBackfill(
  tx: Sql,
  now: Date,
  planDay: string,
  options: BackfillOrderOptions,
): Promise<PlannedBackfill> {
  const version = await latestVersion(tx, options.workflowId);
  const parameters = await checkedParameters(tx, version, options);
  const nodes = await nodesInScope(tx, version, options);
  const chains = nodes.some((node) => node.isAsked && node.waitsForPrevious);
  const order = chains ? 'asc' : options.order;
  const overrides = await overridesOf(tx, now, options);
  const raw = (bizdate: Bizdate, runGroupId: number): Promise<WorkflowPlan> =>
    planWorkflow(tx, { ...version, runGroupId, planDay, bizdate, runAt: now, parameters });

  const all: WorkflowPlan[] = [];
  let planned = 0;
  for (const bizdate of backfillDates({ ...options, order })) {
    const plan = await raw(bizdate, 0);
    planned += plan.instances.length;
    if (planned > MAX_INSTANCES)
      throw new MillraceError('MR-S135', `It has more than ${MAX_INSTANCES} instances.`);
    all.push(plan);
  }
  const wantedIn = await wantedCycles(tx, all, {
    workspaceId: version.workspaceId,
    timezone: version.timezone,
    outputs: await outputsOf(tx, version.versionId),
    only: options.only ?? 'all',
    hours: options.hours,
    asked: new Set(nodes.filter((node) => node.isAsked).map((node) => node.id)),
  });
  const kept: WorkflowPlan[] = [];
  for (const plan of all) kept.push(await rechain(tx, plan, keep(plan, wantedIn, overrides)));
  const twins = await twinsOf(tx, kept);
  const dates = kept.map((plan, at): PlannedDate => {
    const bizdate = plan.bizdate as Bizdate;
    return { bizdate, plan, cells: cellsOf(nodes, all[at], plan, twins) };
  });
  return {
    version,
    nodes,
    dates,
    order,
    conflicts: [...twins.values()],
    choices: choicesOf(nodes, kept),
    totals: totalsOf(dates),
    replan: async (bizdate, runGroupId) => {
      const plan = await raw(bizdate, runGroupId);
      return await rechain(tx, plan, keep(plan, wantedIn, overrides));
    },
  };
}

async function checkedParameters(
  tx: Sql,
  version: LatestVersion,
  { parameters = {} }: BackfillRequest,
): Promise<Readonly<Record<string, string>>> {
  for (const [name, value] of Object.entries(parameters)) checkOutsideValue(name, value);
  await refuseUnknownParameters(tx, version, Object.keys(parameters));
  return parameters;
}

async function nodesInScope(
  tx: Sql,
  { versionId }: LatestVersion,
  { scope = { mode: 'workflow' } }: BackfillRequest,
): Promise<BackfillNode[]> {
  const rows = await tx.rows<{ id: number; name: string; waitsForPrevious: boolean }>(
    `SELECT n.id, n.name, nv.self_dependence OR EXISTS (
              SELECT FROM edge e WHERE e.version_id = nv.version_id AND e.downstream_node_id = nv.node_id
                 AND e.kind = 'previous_cycle') AS "waitsForPrevious"
       FROM node_version nv JOIN node n ON n.id = nv.node_id WHERE nv.version_id = $1 ORDER BY n.id`,
    [versionId],
  );
  const edges = await tx.rows<{ from: string; to: string }>(
    `SELECT u.name AS "from", d.name AS "to" FROM edge e
       JOIN node_version uv ON uv.version_id = e.version_id AND uv.node_id = e.upstream_node_id
       JOIN node u ON u.id = e.upstream_node_id JOIN node d ON d.id = e.downstream_node_id
      WHERE e.version_id = $1 AND e.kind = 'same_cycle'`,
    [versionId],
  );
  const graph = new WorkflowGraph(
    rows.map((row) => row.name),
    edges,
  );
  const subset = subsetForBackfill(graph, scope);
  const byName = new Map(rows.map((row) => [row.name, row]));
  const isAsked = new Set(subset.run);
  return [...subset.run, ...subset.dryRun].flatMap((name) => {
    const row = byName.get(name);
    return row === undefined ? [] : [{ ...row, isAsked: isAsked.has(name) }];
  });
}

async function outputsOf(tx: Sql, versionId: number): Promise<NodeOutput[]> {
  return await tx.rows<NodeOutput>(
    `SELECT node_id AS "nodeId", no, data_source AS "dataSource", table_name AS "tableName"
       FROM node_output WHERE version_id = $1`,
    [versionId],
  );
}

async function overridesOf(tx: Sql, now: Date, request: BackfillRequest): Promise<Overrides> {
  const { resourceGroup, priority, runFutureNow = false } = request;
  const runAt = (scheduledAt: Date): Date =>
    runFutureNow || scheduledAt <= now ? now : scheduledAt;
  if (resourceGroup === undefined) return { resourceGroupId: undefined, priority, runAt };
  const [group] = await tx.rows<{ id: number }>(`SELECT id FROM resource_group WHERE name = $1`, [
    resourceGroup,
  ]);
  if (group === undefined)
    throw new MillraceError('MR-A101', `there is no resource group "${resourceGroup}"`, {
      errors: [{ pointer: '/resourceGroup', detail: 'unknown' }],
    });
  return { resourceGroupId: group.id, priority, runAt };
}

/** What is wanted of a day's plan, and as dry runs what is between. */
function keep(plan: WorkflowPlan, wantedIn: WantedIn, overrides: Overrides): WorkflowPlan {
  const isWanted = wantedIn(plan);
  const wanted = plan.instances.map(isWanted);
  const kept = keepChain(plan.instances.length, plan.edges, (place) => wanted[place] === true);
  const places = new Map<number, number>();
  const instances: PlannedInstance[] = [];
  for (const [place, instance] of plan.instances.entries()) {
    if (!kept.has(place)) continue;
    places.set(place, instances.length);
    instances.push(overridden(instance, wanted[place] === true, overrides));
  }
  const placeOf = (place: number): number => places.get(place) ?? -1;
  return {
    ...plan,
    instances,
    edges: plan.edges
      .filter((edge) => kept.has(edge.upstream) && kept.has(edge.downstream))
      .map((edge) => ({
        ...edge,
        upstream: placeOf(edge.upstream),
        downstream: placeOf(edge.downstream),
      })),
    outerEdges: plan.outerEdges
      // What is a dry run here waits for nothing outside: it is there for the order within alone.
      .filter((edge) => wanted[edge.downstream] === true)
      .map((edge) => ({ ...edge, downstream: placeOf(edge.downstream) })),
    awaitedEdges: plan.awaitedEdges
      .filter((edge) => wanted[edge.downstream] === true)
      .map((edge) => ({ ...edge, downstream: placeOf(edge.downstream) })),
  };
}

function overridden(
  instance: PlannedInstance,
  isWanted: boolean,
  { resourceGroupId, priority, runAt }: Overrides,
): PlannedInstance {
  const at = runAt(instance.scheduledAt);
  // A frozen one in the middle would stop what was asked for without being asked for itself.
  const free = { frozen: false, isNeverFrozen: true };
  if (!isWanted) return { ...instance, runAt: at, dryRun: true, reason: LEFT_OUT, ...free };
  return {
    ...instance,
    runAt: at,
    resourceGroupId: resourceGroupId ?? instance.resourceGroupId,
    priority: priority ?? instance.priority,
  };
}

/** By node and scheduled time: what lives already of what would really run. */
async function twinsOf(
  tx: Sql,
  plans: readonly WorkflowPlan[],
): Promise<ReadonlyMap<string, LiveTwin>> {
  const real = plans.flatMap((plan) => plan.instances.filter((each) => !each.dryRun));
  if (real.length === 0) return new Map();
  const { from, to } = spanOf(real.map((each) => each.scheduledAt.getTime()));
  const asked = new Set(real.map(keyOf));
  const found = await liveTwins(tx, [...new Set(real.map((each) => each.nodeId))], from, to);
  return new Map(
    found.map((twin) => [keyOf(twin), twin] as const).filter(([key]) => asked.has(key)),
  );
}

function cellsOf(
  nodes: readonly BackfillNode[],
  all: WorkflowPlan | undefined,
  kept: WorkflowPlan,
  twins: ReadonlyMap<string, LiveTwin>,
): BackfillCell[] {
  const cells = new Map<number, { -readonly [Count in keyof BackfillCell]: number }>(
    nodes.map(({ id }) => [id, { run: 0, dryRun: 0, leftOut: 0, conflicts: 0 }]),
  );
  for (const { nodeId } of all?.instances ?? []) {
    const cell = cells.get(nodeId);
    if (cell !== undefined) cell.leftOut++;
  }
  for (const instance of kept.instances) {
    const cell = cells.get(instance.nodeId);
    if (cell === undefined) continue;
    cell.leftOut--;
    if (instance.dryRun) cell.dryRun++;
    else cell.run++;
    if (!instance.dryRun && twins.has(keyOf(instance))) cell.conflicts++;
  }
  return [...cells.values()];
}

/** Of the first date a node has; on later ones it waits for its own cycle in this backfill. */
function choicesOf(
  nodes: readonly BackfillNode[],
  plans: readonly WorkflowPlan[],
): PreviousChoice[] {
  const names = new Map(nodes.map((node) => [node.id, node.name]));
  const seen = new Set<number>();
  const choices: PreviousChoice[] = [];
  for (const plan of plans) {
    for (const { upstream, downstream } of plan.outerEdges) {
      const nodeId = plan.instances[downstream]?.nodeId;
      if (nodeId === undefined || seen.has(nodeId)) continue;
      choices.push({ node: names.get(nodeId) ?? '', bizdate: plan.bizdate, ...upstream });
    }
    for (const { nodeId } of plan.instances) seen.add(nodeId);
  }
  return choices;
}

function totalsOf(dates: readonly PlannedDate[]): PlannedBackfill['totals'] {
  const totals = { run: 0, dryRun: 0, leftOut: 0, conflicts: 0 };
  for (const { cells } of dates) {
    for (const cell of cells) {
      totals.run += cell.run;
      totals.dryRun += cell.dryRun;
      totals.leftOut += cell.leftOut;
      totals.conflicts += cell.conflicts;
    }
  }
  return totals;
}
