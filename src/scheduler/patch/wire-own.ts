import type { Sql } from '../../store/database.js';
import { fillRun, type PlannedInstance } from '../../store/sql/insert-plan.sql.js';
import { loadDependencies } from '../../store/sql/load-dependencies.sql.js';
import {
  compareEdges,
  rewireEdges,
  type WantedAwaitedEdge,
  type WantedEdge,
} from '../../store/sql/rewire-edges.sql.js';
import type { ForeseenPlan } from '../foreseen-plan.js';
import { type PlanEdges, planEdges } from '../plan-edges.js';
import { type Compared, idOfPlace, type Place, scheduledAtOf } from './compare-instances.js';
import type { PatchScene } from './patch-scene.js';
import type { IsolatedInstance } from './plan-patch.js';

/** What the instances of the patched workflow are to wait for, by their places. */
export interface OwnWiring {
  readonly places: readonly Place[];
  readonly edges: PlanEdges;
  /** Ids of those that are there and will wait for something else. */
  readonly changed: ReadonlySet<number>;
  readonly isolated: readonly IsolatedInstance[];
}

/** Works out the edges of the new version. Only reads. */
export async function foreseeOwn(
  sql: Sql,
  scene: PatchScene,
  { places, own }: Compared,
  foreseen: ForeseenPlan,
): Promise<OwnWiring> {
  const all = await planEdges(sql, scene, own, { foreseen });
  const planned = await plannedDates(sql, scene);
  const edges: PlanEdges = {
    ...all,
    // Their plan is made, without them: nobody would ever meet them.
    awaitedEdges: all.awaitedEdges.filter(
      ({ upstream }) => !planned.has(`${upstream.timezone} ${upstream.bizdate}`),
    ),
  };
  const idOf = idByPlace(places);
  const { edges: rows, waits } = await compareEdges(
    sql,
    { ...scene, downstreams: [] },
    openOf(places),
    wantedOf(scene, edges, idOf),
    awaitedOf(edges, idOf),
  );
  return {
    places,
    edges,
    changed: new Set(
      [rows.less, rows.more, waits.less, waits.more].flat().map((each) => each.downstream),
    ),
    isolated: await isolatedOf(sql, scene, places, edges),
  };
}

function idByPlace(places: readonly Place[]): (place: number) => number {
  const ids = places.map(idOfPlace);
  return (place) => ids[place] ?? 0;
}

/** Those that are there and are planned anew. */
function openOf(places: readonly Place[]): number[] {
  return places.flatMap(({ row, instance }) =>
    row === undefined || instance === undefined ? [] : [row.id],
  );
}

/**
 * Inserts what is added, and gives what is there the edges of the new version. Returns how many edges there
 * are more, and the id that each added instance has got, by the one it was foreseen with.
 */
export async function writeOwn(
  tx: Sql,
  now: Date,
  scene: PatchScene,
  { places, edges }: OwnWiring,
  runId: number,
): Promise<{ readonly edges: number; readonly idOf: (foreseen: number) => number }> {
  const added = places.flatMap((place, at) =>
    place.row === undefined && place.instance !== undefined
      ? [{ at, instance: place.instance }]
      : [],
  );
  const newIds = await insertAdded(tx, now, scene, { places, edges, added }, runId);
  const idOf = (place: number): number => newIds.get(place) ?? places[place]?.row?.id ?? 0;
  const rewired = await rewireEdges(
    tx,
    { ...scene, downstreams: openOf(places) },
    wantedOf(scene, edges, idOf),
    awaitedOf(edges, idOf),
    now,
  );
  const addedEdges = [...edges.edges, ...edges.outerEdges, ...edges.awaitedEdges].filter((edge) =>
    newIds.has(edge.downstream),
  );
  return {
    edges: rewired + addedEdges.length,
    idOf: (foreseen) => (foreseen < 0 ? idOf(-1 - foreseen) : foreseen),
  };
}

/** The days, by zone, whose plan is made to its end: `zone date`. */
export async function plannedDates(
  tx: Sql,
  { workspaceId, bizdate }: PatchScene,
): Promise<Set<string>> {
  const rows = await tx.rows<{ timezone: string; bizdate: string }>(
    `SELECT timezone, bizdate FROM plan
      WHERE workspace_id = $1 AND bizdate BETWEEN $2::date - 3 AND $2::date + 2 AND revision > 0`,
    [workspaceId, bizdate],
  );
  return new Set(rows.map((row) => `${row.timezone} ${row.bizdate}`));
}

/** Returns the new ids by place. */
async function insertAdded(
  tx: Sql,
  now: Date,
  scene: PatchScene,
  {
    places,
    edges,
    added,
  }: {
    readonly places: readonly Place[];
    readonly edges: PlanEdges;
    readonly added: readonly { readonly at: number; readonly instance: PlannedInstance }[];
  },
  runId: number,
): Promise<Map<number, number>> {
  const newAt = new Map(added.map(({ at }, index) => [at, index]));
  const downOf = <E extends { readonly downstream: number }>(
    edge: E,
  ): { readonly edge: E; readonly downstream: number }[] => {
    const downstream = newAt.get(edge.downstream);
    return downstream === undefined ? [] : [{ edge, downstream }];
  };
  const inner = edges.edges.flatMap(downOf);
  const ids = await fillRun(
    tx,
    {
      ...scene,
      instances: added.map(({ instance }) => instance),
      edges: inner.flatMap(({ edge, downstream }) => {
        const upstream = newAt.get(edge.upstream);
        return upstream === undefined ? [] : [{ ...edge, upstream, downstream }];
      }),
      outerEdges: [
        ...inner.flatMap(({ edge, downstream }) => {
          const row = places[edge.upstream]?.row;
          if (row === undefined) return [];
          return [{ ...edge, upstream: { planDay: scene.planDay, id: row.id }, downstream }];
        }),
        ...edges.outerEdges
          .flatMap(downOf)
          .map(({ edge, downstream }) => ({ ...edge, downstream })),
      ],
      awaitedEdges: edges.awaitedEdges
        .flatMap(downOf)
        .map(({ edge, downstream }) => ({ ...edge, downstream })),
    },
    runId,
    now,
  );
  return new Map(added.map(({ at }, index) => [at, ids[index] ?? 0]));
}

function wantedOf(
  { planDay }: PatchScene,
  edges: PlanEdges,
  idOf: (place: number) => number,
): WantedEdge[] {
  return [
    ...edges.edges.map((edge) => ({
      ...edge,
      downstream: idOf(edge.downstream),
      upstream: { planDay, id: idOf(edge.upstream) },
    })),
    ...edges.outerEdges.map((edge) => ({ ...edge, downstream: idOf(edge.downstream) })),
  ];
}

function awaitedOf(edges: PlanEdges, idOf: (place: number) => number): WantedAwaitedEdge[] {
  return edges.awaitedEdges.map((edge) => ({ ...edge, downstream: idOf(edge.downstream) }));
}

/** Instances of nodes that wait for none of the cycles of a node they should wait for that day. */
async function isolatedOf(
  tx: Sql,
  scene: PatchScene,
  places: readonly Place[],
  { edges, outerEdges, awaitedEdges }: PlanEdges,
): Promise<IsolatedInstance[]> {
  const nodeOf = (place: number): number => places[place]?.nodeId ?? 0;
  const outside = await nodesOfInstances(
    tx,
    outerEdges.map((edge) => edge.upstream),
  );
  const met = new Set([
    ...edges.map((edge) => `${nodeOf(edge.upstream)} ${nodeOf(edge.downstream)}`),
    ...outerEdges.map((edge) => `${outside.get(edge.upstream.id) ?? 0} ${nodeOf(edge.downstream)}`),
    ...awaitedEdges.map((edge) => `${edge.upstream.nodeId} ${nodeOf(edge.downstream)}`),
  ]);
  const missed = (await loadDependencies(tx, scene.versionId)).filter(
    ({ upstream, downstream, kind }) =>
      kind === 'same_cycle' && !met.has(`${upstream} ${downstream}`),
  );
  if (missed.length === 0) return [];
  const names = await namesOf(
    tx,
    missed.flatMap(({ upstream, downstream }) => [upstream, downstream]),
  );
  return missed.flatMap(({ upstream, downstream }) =>
    places
      .filter((place) => place.nodeId === downstream && place.instance !== undefined)
      .map((place) => ({
        workflow: scene.workflow,
        node: names.get(downstream)?.node ?? '',
        bizdate: scene.bizdate,
        scheduledAt: scheduledAtOf(place),
        upstream: `${names.get(upstream)?.workflow}/${names.get(upstream)?.node}`,
      })),
  );
}

async function nodesOfInstances(
  tx: Sql,
  keys: readonly { readonly planDay: string; readonly id: number }[],
): Promise<Map<number, number>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.rows<{ id: number; node_id: number }>(
    `SELECT id, node_id FROM node_instance WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])`,
    [[...new Set(keys.map((key) => key.planDay))], [...new Set(keys.map((key) => key.id))]],
  );
  return new Map(rows.map((row) => [row.id, row.node_id]));
}

export async function namesOf(
  tx: Sql,
  nodeIds: readonly number[],
): Promise<Map<number, { readonly node: string; readonly workflow: string }>> {
  const rows = await tx.rows<{ id: number; node: string; workflow: string }>(
    `SELECT n.id, n.name AS node, w.name AS workflow FROM node n JOIN workflow w ON w.id = n.workflow_id
      WHERE n.id = ANY($1::bigint[])`,
    [nodeIds],
  );
  return new Map(rows.map((row) => [row.id, row]));
}
