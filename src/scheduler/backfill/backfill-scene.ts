import type { BackfillOrder, BackfillRequest } from '../../domain/backfill/backfill-request.js';
import type { Bizdate } from '../../domain/calendar/bizdate.js';
import { MillraceError } from '../../domain/errors.js';
import { subsetForBackfill } from '../../domain/graph/subset-for-backfill.js';
import { WorkflowGraph } from '../../domain/graph/workflow-graph.js';
import { checkOutsideValue } from '../../domain/params/check-outside-value.js';
import type { Sql } from '../../store/database.js';
import type { WorkflowPlan } from '../../store/sql/insert-plan.sql.js';
import { loadVersionScene, planCycles, planWorkflow } from '../plan-workflow.js';
import { type LatestVersion, refuseUnknownParameters } from '../run-workflow.js';
import { digestOf } from '../seen-token.js';
import type { Overrides } from './keep-wanted.js';
import { type BackfillNode, mayRun } from './planned-backfill.js';

/** How many nodes an error names. */
const MAX_NAMES = 10;

/** What a backfill makes of a version, the same on all of its business dates. */
export interface BackfillScene {
  /** In scope; upstream first. */
  readonly nodes: readonly BackfillNode[];
  readonly order: BackfillOrder;
  /** A cycle waits for the one before it, which has to be there when its edge is made. */
  readonly chains: boolean;
  /** No node of the version is out of scope. */
  readonly isWhole: boolean;
  readonly overrides: Overrides;
  /** Of all that is read here: the same digest makes the same instances. */
  readonly digest: string;
  /** All instances of a business date, without edges. */
  readonly cyclesOn: (bizdate: Bizdate) => WorkflowPlan;
  /** All instances and edges of a business date; run group 0 while there is none. */
  readonly planOn: (sql: Sql, bizdate: Bizdate, runGroupId: number) => Promise<WorkflowPlan>;
}

export async function backfillScene(
  tx: Sql,
  now: Date,
  planDay: string,
  version: LatestVersion,
  request: BackfillRequest,
): Promise<BackfillScene> {
  const parameters = await checkedParameters(tx, version, request);
  const nodes = await nodesInScope(tx, version, request);
  const chains = nodes.some((node) => mayRun(node) && node.waitsForPrevious);
  const overrides = { ...(await overridesOf(tx, now, request)), forbidden: forbiddenOf(nodes) };
  const scene = await loadVersionScene(tx, version);
  const calendars = [...scene.calendars].map(([name, { workWeekdays, holidays, workDays }]) => [
    name,
    ...[workWeekdays, holidays, workDays].map((days) => [...days]),
  ]);
  const order = { ...version, planDay, runAt: now, parameters };
  return {
    nodes,
    order: chains ? 'asc' : request.order,
    chains,
    isWhole: scene.nodes.length === nodes.filter((node) => node.isAsked).length,
    overrides,
    digest: digestOf([scene.nodes, calendars, nodes.map(versionless), overrides.resourceGroupId]),
    cyclesOn: (bizdate) => planCycles(scene, { ...order, bizdate, runGroupId: 0 }),
    planOn: async (sql, bizdate, runGroupId) =>
      await planWorkflow(sql, { ...order, bizdate, runGroupId }, scene),
  };
}

/** What a version says of backfills never changes: digests of before it said so still hold. */
function versionless({ id, name, waitsForPrevious, isAsked }: BackfillNode): object {
  return { id, name, waitsForPrevious, isAsked };
}

/** MR-S196 when that is all that was asked for. */
function forbiddenOf(nodes: readonly BackfillNode[]): ReadonlySet<number> {
  const asked = nodes.filter((node) => node.isAsked);
  if (asked.length > 0 && !asked.some(mayRun)) {
    const names = asked.slice(0, MAX_NAMES).map(({ name }) => `"${name}"`);
    const more = asked.length > names.length ? ` and ${asked.length - names.length} more` : '';
    throw new MillraceError(
      'MR-S196',
      `They say \`backfill: forbidden\`: ${names.join(', ')}${more}.`,
    );
  }
  return new Set(nodes.filter((node) => node.isForbidden).map(({ id }) => id));
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
  const rows = await tx.rows<Omit<BackfillNode, 'isAsked'>>(
    `SELECT n.id, n.name, nv.self_dependence OR EXISTS (
              SELECT FROM edge e WHERE e.version_id = nv.version_id AND e.downstream_node_id = nv.node_id
                 AND e.kind = 'previous_cycle') AS "waitsForPrevious", nv.backfill = 'forbidden' AS "isForbidden"
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
    if (row === undefined) return [];
    const { isForbidden, ...rest } = row;
    return [{ ...rest, isAsked: isAsked.has(name), isForbidden }];
  });
}

async function overridesOf(
  tx: Sql,
  now: Date,
  request: BackfillRequest,
): Promise<Omit<Overrides, 'forbidden'>> {
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
