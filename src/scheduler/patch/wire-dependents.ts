import { type Bizdate, parseBizdate } from '../../domain/calendar/bizdate.js';
import { isNotStarted } from '../../domain/instance/status.js';
import type { Sql } from '../../store/database.js';
import type { DependentRun } from '../../store/sql/dependent-runs.sql.js';
import { lockInstances, readStatuses } from '../../store/sql/lock-instances.sql.js';
import type { PlannedRow } from '../../store/sql/planned-instances.sql.js';
import type { PlanEdgesMore } from '../../store/sql/remove-instances.sql.js';
import {
  compareEdges,
  rewireEdges,
  type RewireScope,
  type WantedAwaitedEdge,
  type WantedEdge,
} from '../../store/sql/rewire-edges.sql.js';
import type { ForeseenPlan } from '../foreseen-plan.js';
import { type PlanEdges, type PlannedCycle, type PlannedNode, planEdges } from '../plan-edges.js';
import type { PatchLook, PatchScene } from './patch-scene.js';
import type { IsolatedInstance } from './plan-patch.js';
import { plannedDates } from './wire-own.js';

interface DependentRow {
  readonly id: number;
  readonly node_id: number;
  readonly node_name: string;
  readonly scheduled_at: Date;
  readonly period_no: number;
  readonly self_dependence: boolean;
  readonly self_inherits_dry_run: boolean | null;
}

/** What instances of one run that wait for the patched workflow are to wait for of it. */
export interface DependentWiring {
  readonly run: DependentRun;
  readonly scope: RewireScope & Pick<Required<RewireScope>, 'upstreams'>;
  readonly wanted: readonly WantedEdge[];
  readonly awaited: readonly WantedAwaitedEdge[];
  readonly isolated: readonly IsolatedInstance[];
}

/**
 * Works out the edges that what is planned already and waits for the patched workflow would have, had it
 * been planned after it; `before`: the rows that are there. Only reads, and locks what it looks at if asked.
 */
export async function foreseeDependents(
  sql: Sql,
  scene: PatchScene,
  before: readonly PlannedRow[],
  foreseen: ForeseenPlan,
  { lock }: PatchLook,
): Promise<DependentWiring[]> {
  const patched = upstreamsOf(before, foreseen);
  const madeDates = await plannedDates(sql, scene);
  const wirings: DependentWiring[] = [];
  for (const run of scene.dependents) {
    const rows = await rowsOf(sql, scene, run);
    const planned = await plannedOf(sql, scene, run, rows, foreseen);
    const upstreams = new Map([...patched, ...(await otherDays(sql, scene, run, rows, planned))]);
    const wanted = wantedOf(scene, { run, rows, planned, upstreams });
    const awaited = awaitedOf(scene, rows, planned, madeDates);
    const { workspaceId, runGroupId, workflowId, bizdate } = scene;
    const selfToo = run.workflowId === workflowId;
    const scope = {
      workspaceId,
      runGroupId,
      planDay: run.planDay,
      downstreams: rows.map((row) => row.id),
      upstreams: { ids: [...upstreams.keys()], workflowId, bizdate, selfToo },
    };
    const keys = rows.map(({ id }) => ({ planDay: run.planDay, id }));
    const there = lock ? await lockInstances(sql, keys) : await readStatuses(sql, keys);
    const open = there.filter(({ status }) => isNotStarted(status)).map(({ id }) => id);
    const { edges, waits } = await compareEdges(sql, scope, open, wanted, awaited);
    const isolated = isolatedOf(scene, {
      run,
      rows,
      nodes: new Map([...upstreams.values()].map(({ nodeId, node }) => [nodeId, node])),
      has: [
        ...wanted.map((edge) => ({ ...edge, nodeId: upstreams.get(edge.upstream.id)?.nodeId })),
        ...awaited.map((edge) => ({ ...edge, nodeId: edge.upstream.nodeId })),
      ],
      lost: [
        ...edges.less.map((edge) => ({ ...edge, nodeId: upstreams.get(edge.upstream)?.nodeId })),
        ...waits.less,
      ],
    });
    wirings.push({ run, scope, wanted, awaited, isolated });
  }
  return wirings;
}

/** The node of each instance of the patched workflow that others wait for, by its id. */
type Upstreams = ReadonlyMap<number, { readonly nodeId: number; readonly node: string }>;

function upstreamsOf(before: readonly PlannedRow[], { nodes }: ForeseenPlan): Upstreams {
  const names = new Map(before.map((row) => [row.node_id, row.node_name]));
  const foreseen = [...nodes].flatMap(([nodeId, cycles]) =>
    cycles.map(({ id }) => [id, { nodeId, node: names.get(nodeId) ?? '' }] as const),
  );
  return new Map([
    ...foreseen,
    ...before.map((row) => [row.id, { nodeId: row.node_id, node: row.node_name }] as const),
  ]);
}

/**
 * Instances of the patched workflow on other days, as zones have them: where a node has no cycle left on the
 * patched day, what waited for it waits for its last one before, and the other way round.
 */
async function otherDays(
  sql: Sql,
  { workflowId }: PatchScene,
  { planDay }: DependentRun,
  rows: readonly DependentRow[],
  { outerEdges }: PlanEdges,
): Promise<Upstreams> {
  const there = await sql.rows<{ planDay: string; id: number }>(
    `SELECT DISTINCT upstream_plan_day AS "planDay", upstream_id AS id FROM instance_edge
      WHERE plan_day = $1 AND downstream_id = ANY($2::bigint[])`,
    [planDay, rows.map((row) => row.id)],
  );
  // What the workflow itself waits for within its next day is not touched.
  const own = new Set(rows.map((row) => row.id));
  const all = [...there, ...outerEdges.map((edge) => edge.upstream)];
  const keys = all.filter(({ id }) => id > 0 && !own.has(id));
  const found = await sql.rows<{ id: number; nodeId: number; node: string }>(
    `SELECT i.id, i.node_id AS "nodeId", n.name AS node
       FROM node_instance i JOIN node n ON n.id = i.node_id
      WHERE i.plan_day = ANY($1::date[]) AND i.id = ANY($2::bigint[]) AND i.workflow_id = $3`,
    [
      [...new Set(keys.map((each) => each.planDay))],
      [...new Set(keys.map((each) => each.id))],
      workflowId,
    ],
  );
  return new Map(found.map(({ id, nodeId, node }) => [id, { nodeId, node }]));
}

interface Waiting {
  readonly downstream: number;
  /** Absent: of another workflow. */
  readonly nodeId?: number | undefined;
}

/** Those that lose what they waited for of a node, and whose node waits for none of its cycles any more. */
function isolatedOf(
  { workflow }: PatchScene,
  {
    run,
    rows,
    nodes,
    has,
    lost,
  }: {
    readonly run: DependentRun;
    readonly rows: readonly DependentRow[];
    /** Names of the patched workflow's nodes. */
    readonly nodes: ReadonlyMap<number, string>;
    readonly has: readonly Waiting[];
    readonly lost: readonly Waiting[];
  },
): IsolatedInstance[] {
  const downstreams = new Map(rows.map((row) => [row.id, row]));
  const pairOf = ({ downstream, nodeId }: Waiting): string =>
    `${downstreams.get(downstream)?.node_id} ${nodeId}`;
  const met = new Set(has.map(pairOf));
  const isolated = new Map<string, IsolatedInstance>();
  for (const each of lost) {
    const row = downstreams.get(each.downstream);
    const node = each.nodeId === undefined ? undefined : nodes.get(each.nodeId);
    if (row === undefined || node === undefined || met.has(pairOf(each))) continue;
    isolated.set(`${row.id} ${node}`, {
      workflow: run.workflow,
      node: row.node_name,
      bizdate: run.bizdate,
      scheduledAt: row.scheduled_at,
      upstream: `${workflow}/${node}`,
    });
  }
  return [...isolated.values()];
}

/** `idOf`: of an instance that was foreseen without a row. Returns how many edges more each plan has. */
export async function writeDependents(
  tx: Sql,
  now: Date,
  wirings: readonly DependentWiring[],
  idOf: (foreseen: number) => number,
): Promise<PlanEdgesMore[]> {
  const more: PlanEdgesMore[] = [];
  for (const { run, scope, wanted, awaited } of wirings) {
    const upstreams = { ...scope.upstreams, ids: scope.upstreams.ids.map(idOf) };
    const written = wanted.map((edge) => ({
      ...edge,
      upstream: { ...edge.upstream, id: idOf(edge.upstream.id) },
    }));
    const edges = await rewireEdges(tx, { ...scope, upstreams }, written, awaited, now);
    more.push({ timezone: run.timezone, bizdate: run.bizdate, edges });
  }
  return more;
}

async function rowsOf(sql: Sql, scene: PatchScene, run: DependentRun): Promise<DependentRow[]> {
  return await sql.rows<DependentRow>(
    `SELECT i.id, i.node_id, n.name AS node_name, i.scheduled_at, i.period_no, nv.self_dependence,
            nv.self_inherits_dry_run
       FROM node_instance i
       JOIN node n ON n.id = i.node_id
       JOIN node_version nv ON nv.version_id = i.version_id AND nv.node_id = i.node_id
      WHERE i.plan_day = $1 AND i.run_group_id = $2 AND i.workflow_id = $3 AND i.bizdate = $4
        AND i.path = ''
      ORDER BY i.scheduled_at, i.id`,
    [run.planDay, scene.runGroupId, run.workflowId, run.bizdate],
  );
}

async function plannedOf(
  sql: Sql,
  { workspaceId, runGroupId }: PatchScene,
  run: DependentRun,
  rows: readonly DependentRow[],
  foreseen: ForeseenPlan,
): Promise<PlanEdges> {
  const own = new Map<number, PlannedNode>();
  const cycles = new Map<number, PlannedCycle[]>();
  for (const [index, row] of rows.entries()) {
    const known = cycles.get(row.node_id) ?? [];
    cycles.set(row.node_id, known);
    known.push({ scheduledAt: row.scheduled_at, periodNo: row.period_no, index });
    const { self_dependence: selfDependent, self_inherits_dry_run: selfInheritsDryRun } = row;
    own.set(row.node_id, { selfDependent, selfInheritsDryRun, cycles: known });
  }
  const bizdate: Bizdate = parseBizdate(run.bizdate);
  return await planEdges(sql, { ...run, workspaceId, runGroupId, bizdate }, own, { foreseen });
}

function wantedOf(
  { workflowId }: PatchScene,
  {
    run,
    rows,
    planned: { edges, outerEdges },
    upstreams,
  }: {
    readonly run: DependentRun;
    readonly rows: readonly DependentRow[];
    readonly planned: PlanEdges;
    readonly upstreams: Upstreams;
  },
): WantedEdge[] {
  const idOf = (place: number): number => rows[place]?.id ?? 0;
  const isItself = run.workflowId === workflowId;
  const outer = outerEdges
    .filter(
      ({ upstream, kind }) => upstreams.has(upstream.id) || (isItself && kind === 'self_previous'),
    )
    .map((edge) => ({ ...edge, downstream: idOf(edge.downstream) }));
  // Cycles of one node that wait for each other: read with the edges to its own past, so wanted with them.
  const chained = edges
    .filter(({ kind }) => isItself && kind === 'self_previous')
    .map((edge) => ({
      ...edge,
      downstream: idOf(edge.downstream),
      upstream: { planDay: run.planDay, id: idOf(edge.upstream) },
    }));
  return [...outer, ...chained];
}

/** Of later days of the patched workflow: the version is theirs as well. */
function awaitedOf(
  { workflowId, bizdate }: PatchScene,
  rows: readonly DependentRow[],
  { awaitedEdges }: PlanEdges,
  madeDates: ReadonlySet<string>,
): WantedAwaitedEdge[] {
  return awaitedEdges
    .filter(
      ({ upstream }) =>
        upstream.workflowId === workflowId &&
        upstream.bizdate >= bizdate &&
        // Their plan is made, without them: nobody would ever meet them.
        !madeDates.has(`${upstream.timezone} ${upstream.bizdate}`),
    )
    .map((edge) => ({ ...edge, downstream: rows[edge.downstream]?.id ?? 0 }));
}
