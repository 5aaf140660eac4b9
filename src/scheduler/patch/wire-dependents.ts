import { type Bizdate, parseBizdate } from '../../domain/calendar/bizdate.js';
import type { CycleRef } from '../../domain/graph/match-cycles.js';
import { isNotStarted } from '../../domain/instance/status.js';
import type { Sql } from '../../store/database.js';
import type { DependentRun } from '../../store/sql/dependent-runs.sql.js';
import { lockInstances, readStatuses } from '../../store/sql/lock-instances.sql.js';
import type { PlannedRow } from '../../store/sql/planned-instances.sql.js';
import {
  compareEdges,
  rewireEdges,
  type RewireScope,
  type WantedEdge,
} from '../../store/sql/rewire-edges.sql.js';
import type { OwnNode } from '../edges-of.js';
import type { ForeseenPlan } from '../foreseen-plan.js';
import { planEdges } from '../plan-edges.js';
import type { PatchLook, PatchScene } from './patch-scene.js';
import type { IsolatedInstance } from './plan-patch.js';

interface DependentRow {
  readonly id: number;
  readonly node_id: number;
  readonly node_name: string;
  readonly scheduled_at: Date;
  readonly period_no: number;
  readonly self_dependence: boolean;
}

/** What instances of one run that wait for the patched workflow are to wait for of it. */
export interface DependentWiring {
  readonly scope: RewireScope & Pick<Required<RewireScope>, 'upstreams'>;
  readonly wanted: readonly WantedEdge[];
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
  const ids = [...foreseen.nodes.values()].flat().map((cycle) => cycle.id);
  const patched = new Set([...before.map((row) => row.id), ...ids]);
  const wirings: DependentWiring[] = [];
  for (const run of scene.dependents) {
    const rows = await rowsOf(sql, scene, run);
    const wanted = await wantedOf(sql, scene, { run, rows, patched, foreseen });
    const { workspaceId, runGroupId, workflowId, bizdate } = scene;
    const selfToo = run.workflowId === workflowId;
    const scope = {
      workspaceId,
      runGroupId,
      planDay: run.planDay,
      downstreams: rows.map((row) => row.id),
      upstreams: { ids: [...patched], workflowId, bizdate, selfToo },
    };
    const keys = rows.map(({ id }) => ({ planDay: run.planDay, id }));
    const there = lock ? await lockInstances(sql, keys) : await readStatuses(sql, keys);
    const open = there.filter(({ status }) => isNotStarted(status)).map(({ id }) => id);
    const { edges } = await compareEdges(sql, scope, open, wanted, []);
    const waiting = new Set(wanted.map((edge) => edge.downstream));
    const lost = edges.less.filter((edge) => !waiting.has(edge.downstream));
    wirings.push({ scope, wanted, isolated: isolatedOf(scene, { run, rows, before, lost }) });
  }
  return wirings;
}

function isolatedOf(
  { workflow }: PatchScene,
  {
    run,
    rows,
    before,
    lost,
  }: {
    readonly run: DependentRun;
    readonly rows: readonly DependentRow[];
    readonly before: readonly PlannedRow[];
    readonly lost: readonly { readonly downstream: number; readonly upstream: number }[];
  },
): IsolatedInstance[] {
  const upstreams = new Map(before.map((row) => [row.id, row.node_name]));
  const downstreams = new Map(rows.map((row) => [row.id, row]));
  const first = new Map([...lost].reverse().map((edge) => [edge.downstream, edge.upstream]));
  return [...first].flatMap(([id, lostId]) => {
    const row = downstreams.get(id);
    const upstream = upstreams.get(lostId);
    if (row === undefined || upstream === undefined) return [];
    return [
      {
        workflow: run.workflow,
        node: row.node_name,
        bizdate: run.bizdate,
        scheduledAt: row.scheduled_at,
        upstream: `${workflow}/${upstream}`,
      },
    ];
  });
}

/** `idOf`: of an instance that was foreseen without a row. Returns how many edges there are more. */
export async function writeDependents(
  tx: Sql,
  now: Date,
  wirings: readonly DependentWiring[],
  idOf: (foreseen: number) => number,
): Promise<number> {
  let edges = 0;
  for (const { scope, wanted } of wirings) {
    const upstreams = { ...scope.upstreams, ids: scope.upstreams.ids.map(idOf) };
    const written = wanted.map((edge) => ({
      ...edge,
      upstream: { ...edge.upstream, id: idOf(edge.upstream.id) },
    }));
    edges += await rewireEdges(tx, { ...scope, upstreams }, written, [], now);
  }
  return edges;
}

async function rowsOf(sql: Sql, scene: PatchScene, run: DependentRun): Promise<DependentRow[]> {
  return await sql.rows<DependentRow>(
    `SELECT i.id, i.node_id, n.name AS node_name, i.scheduled_at, i.period_no, nv.self_dependence
       FROM node_instance i
       JOIN node n ON n.id = i.node_id
       JOIN node_version nv ON nv.version_id = i.version_id AND nv.node_id = i.node_id
      WHERE i.plan_day = $1 AND i.run_group_id = $2 AND i.workflow_id = $3 AND i.bizdate = $4
        AND i.path = ''
      ORDER BY i.scheduled_at, i.id`,
    [run.planDay, scene.runGroupId, run.workflowId, run.bizdate],
  );
}

async function wantedOf(
  sql: Sql,
  { workspaceId, workflowId, runGroupId }: PatchScene,
  {
    run,
    rows,
    patched,
    foreseen,
  }: {
    readonly run: DependentRun;
    readonly rows: readonly DependentRow[];
    readonly patched: ReadonlySet<number>;
    readonly foreseen: ForeseenPlan;
  },
): Promise<WantedEdge[]> {
  const own = new Map<number, OwnNode<CycleRef & { readonly index: number }>>();
  const cycles = new Map<number, (CycleRef & { readonly index: number })[]>();
  for (const [index, row] of rows.entries()) {
    const known = cycles.get(row.node_id) ?? [];
    cycles.set(row.node_id, known);
    known.push({ scheduledAt: row.scheduled_at, periodNo: row.period_no, index });
    own.set(row.node_id, { selfDependent: row.self_dependence, cycles: known });
  }
  const bizdate: Bizdate = parseBizdate(run.bizdate);
  const { edges, outerEdges } = await planEdges(
    sql,
    { ...run, workspaceId, runGroupId, bizdate },
    own,
    { foreseen },
  );
  const idOf = (place: number): number => rows[place]?.id ?? 0;
  const isItself = run.workflowId === workflowId;
  const outer = outerEdges
    .filter(
      ({ upstream, kind }) => patched.has(upstream.id) || (isItself && kind === 'self_previous'),
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
