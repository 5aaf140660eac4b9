import { type Bizdate, parseBizdate } from '../../domain/calendar/bizdate.js';
import type { CycleRef } from '../../domain/graph/match-cycles.js';
import type { Sql } from '../../store/database.js';
import type { DependentRun } from '../../store/sql/dependent-runs.sql.js';
import type { PlannedRow } from '../../store/sql/planned-instances.sql.js';
import { rewireEdges, type WantedEdge } from '../../store/sql/rewire-edges.sql.js';
import type { OwnNode } from '../edges-of.js';
import { planEdges } from '../plan-edges.js';
import type { PatchScene } from './patch-scene.js';
import type { IsolatedInstance } from './plan-patch.js';

interface DependentRow {
  readonly id: number;
  readonly node_id: number;
  readonly node_name: string;
  readonly scheduled_at: Date;
  readonly period_no: number;
  readonly self_dependence: boolean;
}

/**
 * Gives what is planned already and waits for the patched workflow the edges it would have, had it been
 * planned after it. Returns what has lost its last one, and how many edges there are more.
 */
export async function wireDependents(
  tx: Sql,
  now: Date,
  scene: PatchScene,
  before: readonly PlannedRow[],
  ids: readonly number[],
): Promise<{ readonly isolated: readonly IsolatedInstance[]; readonly edges: number }> {
  const patched = new Set([...before.map((row) => row.id), ...ids]);
  const isolated: IsolatedInstance[] = [];
  let edges = 0;
  for (const run of scene.dependents) {
    const rows = await rowsOf(tx, scene, run);
    const wanted = await wantedOf(tx, scene, run, rows, patched);
    const selfToo = run.workflowId === scene.workflowId;
    const { workflowId, bizdate } = scene;
    const rewired = await rewireEdges(
      tx,
      {
        workspaceId: scene.workspaceId,
        runGroupId: scene.runGroupId,
        planDay: run.planDay,
        downstreams: rows.map((row) => row.id),
        upstreams: { ids: [...patched], workflowId, bizdate, selfToo },
      },
      wanted,
      [],
      now,
    );
    edges += rewired.edges;
    const waiting = new Set(wanted.map((edge) => edge.downstream));
    const upstreams = new Map(before.map((row) => [row.id, row.node_name]));
    const downstreams = new Map(rows.map((row) => [row.id, row]));
    for (const [id, lost] of rewired.lost) {
      const row = downstreams.get(id);
      const upstream = upstreams.get(lost[0] ?? 0);
      if (row === undefined || upstream === undefined || waiting.has(id)) continue;
      isolated.push({
        workflow: run.workflow,
        node: row.node_name,
        bizdate: run.bizdate,
        scheduledAt: row.scheduled_at,
        upstream: `${scene.workflow}/${upstream}`,
      });
    }
  }
  return { isolated, edges };
}

async function rowsOf(tx: Sql, scene: PatchScene, run: DependentRun): Promise<DependentRow[]> {
  return await tx.rows<DependentRow>(
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
  tx: Sql,
  { workspaceId, workflowId, runGroupId }: PatchScene,
  run: DependentRun,
  rows: readonly DependentRow[],
  patched: ReadonlySet<number>,
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
    tx,
    { ...run, workspaceId, runGroupId, bizdate },
    own,
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
