import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../../store/database.js';
import type { PlannedAwaitedEdge } from '../../store/sql/await-upstreams.sql.js';
import {
  insertPlan,
  type PlannedEdge,
  type PlannedOuterEdge,
  type WorkflowPlan,
} from '../../store/sql/insert-plan.sql.js';
import { shareWorkflows } from '../../store/sql/lock-workflows.sql.js';
import type { DatePlan } from './date-plan.js';

/** A business date to be made; `closed`: none of it is released before it is opened. */
type DateToMake = DatePlan & Pick<WorkflowPlan, 'backfill'>;

/** Where an instance is: the version it is of, and its place among that one's. */
interface Home {
  readonly versionId: number;
  readonly place: number;
}

/** The instances of a date by their places in it. */
interface Places {
  /** Where each is in the plan of its workflow. */
  readonly homes: readonly Home[];
  readonly ofVersion: ReadonlyMap<number, readonly number[]>;
  /** Of those that are made. */
  readonly ids: Map<number, number>;
}

/**
 * Inserts the instances and edges of one business date, workflow by workflow. An edge over a border leads to
 * the row of its upstream or, where that comes later, awaits it, as in the daily plan: two workflows may have
 * nodes that wait for each other's. Returns the ids of the workflow instances.
 */
export async function insertDate(tx: Sql, date: DateToMake, now: Date): Promise<number[]> {
  const places = placesOf(date);
  const edges = byVersion(date.edges, places);
  const outerEdges = byVersion(date.outerEdges, places);
  await shareWorkflows(
    tx,
    date.versions.map(({ workflowId }) => workflowId),
  );
  const runs: number[] = [];
  for (const { workflowId, versionId } of date.versions) {
    const own = places.ofVersion.get(versionId) ?? [];
    if (own.length === 0) continue;
    const plan = {
      ...date,
      workflowId,
      versionId,
      instances: own.flatMap((place) => date.instances[place] ?? []),
      ...edgesOf(date, edges.get(versionId) ?? [], outerEdges.get(versionId) ?? [], places),
    };
    const run = await insertPlan(tx, plan, now);
    if (run === undefined) throw new MillraceError('MR-A109', `${date.bizdate} was made already.`);
    for (const [at, place] of own.entries()) places.ids.set(place, run.instanceIds[at] ?? 0);
    runs.push(run.id);
  }
  return runs;
}

function placesOf({ instances }: DatePlan): Places {
  const ofVersion = new Map<number, number[]>();
  const homes = instances.map(({ versionId }, place) => {
    const own = ofVersion.get(versionId) ?? [];
    ofVersion.set(versionId, own);
    own.push(place);
    return { versionId, place: own.length - 1 };
  });
  return { homes, ofVersion, ids: new Map() };
}

function byVersion<E extends { readonly downstream: number }>(
  edges: readonly E[],
  { homes }: Places,
): ReadonlyMap<number, readonly E[]> {
  const found = new Map<number, E[]>();
  for (const edge of edges) {
    const versionId = homes[edge.downstream]?.versionId ?? 0;
    const own = found.get(versionId);
    if (own === undefined) found.set(versionId, [edge]);
    else own.push(edge);
  }
  return found;
}

/** The edges to instances of one workflow. */
function edgesOf(
  date: DatePlan,
  inDate: readonly PlannedEdge[],
  outer: readonly PlannedOuterEdge[],
  { homes, ids }: Places,
): Pick<WorkflowPlan, 'edges' | 'outerEdges' | 'awaitedEdges'> {
  const placeOf = (place: number): number => homes[place]?.place ?? -1;
  const edges: PlannedEdge[] = [];
  const outerEdges = outer.map((edge) => ({ ...edge, downstream: placeOf(edge.downstream) }));
  const awaitedEdges: PlannedAwaitedEdge[] = [];
  const workflows = new Map(date.versions.map((each) => [each.versionId, each]));
  for (const { kind, inheritsDryRun, ...ends } of inDate) {
    const edge = { kind, inheritsDryRun, downstream: placeOf(ends.downstream) };
    const [up, down] = [homes[ends.upstream], homes[ends.downstream]];
    const upstream = date.instances[ends.upstream];
    const workflow = workflows.get(up?.versionId ?? 0);
    const id = ids.get(ends.upstream);
    if (up?.versionId === down?.versionId)
      edges.push({ ...edge, upstream: placeOf(ends.upstream) });
    else if (id !== undefined)
      outerEdges.push({ ...edge, upstream: { planDay: date.planDay, id } });
    else if (upstream !== undefined && workflow !== undefined && kind !== 'self_previous')
      awaitedEdges.push({
        ...edge,
        kind,
        upstream: { ...workflow, ...upstream, bizdate: date.bizdate },
      });
  }
  return { edges, outerEdges, awaitedEdges };
}
