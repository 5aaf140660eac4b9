import { isNotStarted, type EdgeKind } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';
import { awaitUpstreams, type PlannedAwaitedEdge } from './await-upstreams.sql.js';
import { lockUpstreams } from './insert-plan.sql.js';
import { lockInstances } from './lock-instances.sql.js';
import { moveChildren } from './move-children.sql.js';
import { settleEdges } from './settle-edges.sql.js';

/** An edge that an instance is to have; instances by their ids. */
export interface WantedEdge {
  readonly downstream: number;
  readonly upstream: { readonly planDay: string; readonly id: number };
  readonly kind: EdgeKind;
  readonly inheritsDryRun: boolean | null;
}

export interface WantedAwaitedEdge extends Omit<PlannedAwaitedEdge, 'downstream'> {
  readonly downstream: number;
}

/** The instances whose edges are decided, all of one plan day, and which of their edges that are. */
export interface RewireScope {
  readonly planDay: string;
  readonly workspaceId: number;
  readonly runGroupId: number;
  readonly downstreams: readonly number[];
  /**
   * Absent: all edges. Otherwise those from these instances, what is awaited of the workflow from this date
   * on, and with `selfToo` those to their own past.
   */
  readonly upstreams?: {
    readonly ids: readonly number[];
    readonly workflowId: number;
    readonly bizdate: string;
    readonly selfToo: boolean;
  };
}

interface EdgeRow {
  readonly downstream: number;
  readonly upstreamDay: string;
  readonly upstream: number;
  readonly kind: EdgeKind;
  readonly inheritsDryRun: boolean | null;
}

interface AwaitedRow {
  readonly downstream: number;
  readonly nodeId: number;
  readonly scheduledAt: Date;
  readonly kind: EdgeKind;
  readonly inheritsDryRun: boolean | null;
}

interface Unlinked {
  readonly downstream: number;
  readonly upstream: number;
  /** How much less `pending` is. */
  readonly held: number;
}

/** What sets the edges that are there apart from those that are to be. */
interface EdgeDifference {
  readonly edges: { readonly less: readonly EdgeRow[]; readonly more: readonly EdgeRow[] };
  readonly waits: {
    readonly less: readonly AwaitedRow[];
    readonly more: readonly (AwaitedRow & WantedAwaitedEdge)[];
  };
}

/** Compares the edges of those of the scope's downstreams whose `ids` these are. Only reads. */
export async function compareEdges(
  sql: Sql,
  scope: RewireScope,
  ids: readonly number[],
  wanted: readonly WantedEdge[],
  awaited: readonly WantedAwaitedEdge[],
): Promise<EdgeDifference> {
  const isThere = new Set(ids);
  const edges = difference(
    await edgesOf(sql, scope, ids),
    wanted.filter((edge) => isThere.has(edge.downstream)).map(rowOf),
    (edge) => `${edge.downstream} ${edge.upstream} ${edge.kind} ${String(edge.inheritsDryRun)}`,
  );
  const waits = difference(
    await awaitedOf(sql, scope, ids),
    awaited
      .filter((edge) => isThere.has(edge.downstream))
      .map((edge) => ({ ...edge, ...edge.upstream, upstream: edge.upstream })),
    (each) =>
      `${each.downstream} ${each.nodeId} ${each.scheduledAt.getTime()} ${each.kind} ${String(each.inheritsDryRun)}`,
  );
  return { edges, waits };
}

/**
 * Gives instances that have not started the edges they are to have, and moves those whose `pending` that
 * changes. An edge that stays keeps its outcome, also one that a user has removed. Returns how many edges
 * there are more.
 */
export async function rewireEdges(
  tx: Sql,
  scope: RewireScope,
  wanted: readonly WantedEdge[],
  awaited: readonly WantedAwaitedEdge[],
  now: Date,
): Promise<number> {
  const { planDay } = scope;
  const locked = await lockInstances(
    tx,
    scope.downstreams.map((id) => ({ planDay, id })),
  );
  const ids = locked.map((row) => row.id);
  const { edges, waits } = await compareEdges(tx, scope, ids, wanted, awaited);
  const rows = locked.filter((row) => isNotStarted(row.status));
  const open = new Set(rows.map((row) => row.id));
  const isOpen = (each: { readonly downstream: number }): boolean => open.has(each.downstream);
  const unlinked = edges.less.filter(isOpen);
  const linked = edges.more.filter(isOpen);
  const forgotten = waits.less.filter(isOpen);
  const awaitedNow = waits.more.filter(isOpen);
  const gone = [...(await unlink(tx, planDay, unlinked)), ...(await forget(tx, forgotten))];
  const held = [...(await link(tx, planDay, linked)), ...(await wait(tx, scope, awaitedNow))];
  const deltas = new Map<number, number>();
  for (const each of gone) {
    deltas.set(each.downstream, (deltas.get(each.downstream) ?? 0) - each.held);
  }
  for (const id of held) deltas.set(id, (deltas.get(id) ?? 0) + 1);
  await settleEdges(tx, await moveChildren(tx, rows, deltas, now), now);
  return linked.length + awaitedNow.length - unlinked.length - forgotten.length;
}

function rowOf({ downstream, upstream, kind, inheritsDryRun }: WantedEdge): EdgeRow {
  const { planDay: upstreamDay, id } = upstream;
  return { downstream, upstreamDay, upstream: id, kind, inheritsDryRun };
}

function difference<A, B extends A>(
  there: readonly A[],
  wanted: readonly B[],
  keyOf: (each: A) => string,
): { less: A[]; more: B[] } {
  const has = new Set(there.map(keyOf));
  const wants = new Set(wanted.map(keyOf));
  return {
    less: there.filter((each) => !wants.has(keyOf(each))),
    more: wanted.filter((each) => !has.has(keyOf(each))),
  };
}

/**
 * Of 3,900 downstreams with 7,800 edges, all that the day has: Seq Scan on instance_edge_20261123. Where the day has
 * 146,000: Bitmap Index Scan on instance_edge_20261123_pkey.
 */
async function edgesOf(
  tx: Sql,
  { planDay, upstreams }: RewireScope,
  ids: readonly number[],
): Promise<EdgeRow[]> {
  return await tx.rows<EdgeRow>(
    `SELECT downstream_id AS downstream, upstream_plan_day AS "upstreamDay", upstream_id AS upstream, kind,
            inherits_dry_run AS "inheritsDryRun"
       FROM instance_edge
      WHERE plan_day = $1 AND downstream_id = ANY($2::bigint[])
        AND ($3 OR upstream_id = ANY($4::bigint[]) OR ($5 AND kind = 'self_previous'))`,
    [planDay, ids, upstreams === undefined, upstreams?.ids ?? [], upstreams?.selfToo === true],
  );
}

/** Of 3,900 downstreams where 109,500 wait for something: Bitmap Index Scan on awaited_edge_pkey. */
async function awaitedOf(
  tx: Sql,
  { upstreams }: RewireScope,
  ids: readonly number[],
): Promise<AwaitedRow[]> {
  return await tx.rows<AwaitedRow>(
    `SELECT downstream_id AS downstream, upstream_node_id AS "nodeId", scheduled_at AS "scheduledAt", kind,
            inherits_dry_run AS "inheritsDryRun"
       FROM awaited_edge
      WHERE downstream_id = ANY($1::bigint[])
        AND ($2 OR (upstream_workflow_id = $3 AND upstream_bizdate >= $4))`,
    [ids, upstreams === undefined, upstreams?.workflowId ?? null, upstreams?.bizdate ?? null],
  );
}

/**
 * The ids as values too: by the join alone all edges of the day were read (1,950 that go, of 14,800 and of 146,000:
 * 12 and 81 ms; now 8 and 5).
 *
 *   Delete on instance_edge e
 *     ->  Hash Join
 *           ->  Function Scan on gone
 *           ->  Hash  ->  Bitmap Index Scan on instance_edge_20261123_pkey
 */
async function unlink(tx: Sql, planDay: string, edges: readonly EdgeRow[]): Promise<Unlinked[]> {
  if (edges.length === 0) return [];
  return await tx.rows<Unlinked>(
    `DELETE FROM instance_edge e USING unnest($2::bigint[], $3::bigint[]) AS gone(downstream, upstream)
      WHERE e.plan_day = $1 AND e.downstream_id = gone.downstream AND e.upstream_id = gone.upstream
        AND e.downstream_id = ANY($2::bigint[])
     RETURNING e.downstream_id AS downstream, e.upstream_id AS upstream,
               (NOT e.removed AND e.outcome IN ('open', 'failed'))::int AS held`,
    [planDay, edges.map((each) => each.downstream), edges.map((each) => each.upstream)],
  );
}

/** As {@link unlink}, by awaited_edge_pkey: 3,900 that go, of 11,100 and of 109,500, in 7 ms. */
async function forget(
  tx: Sql,
  waits: readonly AwaitedRow[],
): Promise<Omit<Unlinked, 'upstream'>[]> {
  if (waits.length === 0) return [];
  return await tx.rows(
    `DELETE FROM awaited_edge a
      USING unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS gone(downstream, node_id, at)
      WHERE a.downstream_id = gone.downstream AND a.upstream_node_id = gone.node_id
        AND a.scheduled_at = gone.at AND a.downstream_id = ANY($1::bigint[])
     RETURNING a.downstream_id AS downstream, (NOT a.forced)::int AS held`,
    [
      waits.map((each) => each.downstream),
      waits.map((each) => each.nodeId),
      waits.map((each) => each.scheduledAt),
    ],
  );
}

/**
 * Returns the downstream of each edge that is not satisfied. 1,950 edges in 14 ms, however many the day has:
 * Insert on instance_edge  ->  Function Scan on unnest.
 */
async function link(tx: Sql, planDay: string, edges: readonly EdgeRow[]): Promise<number[]> {
  if (edges.length === 0) return [];
  const outcomes = await lockUpstreams(tx, {
    planDay,
    outerEdges: edges.map((each) => ({
      upstream: { planDay: each.upstreamDay, id: each.upstream },
    })),
  });
  const rows = await tx.rows<{ downstream: number; outcome: string }>(
    `INSERT INTO instance_edge (plan_day, downstream_id, upstream_plan_day, upstream_id, kind, outcome,
            inherits_dry_run)
     SELECT $1, * FROM unnest($2::bigint[], $3::date[], $4::bigint[], $5::text[], $6::text[], $7::boolean[])
     RETURNING downstream_id AS downstream, outcome`,
    [
      planDay,
      edges.map((each) => each.downstream),
      edges.map((each) => each.upstreamDay),
      edges.map((each) => each.upstream),
      edges.map((each) => each.kind),
      edges.map((each) => outcomes.get(each.upstream) ?? 'success'),
      edges.map((each) => each.inheritsDryRun),
    ],
  );
  return rows
    .filter(({ outcome }) => outcome === 'open' || outcome === 'failed')
    .map((row) => row.downstream);
}

async function wait(
  tx: Sql,
  scope: RewireScope,
  edges: readonly WantedAwaitedEdge[],
): Promise<number[]> {
  const downstreams = edges.map((edge) => edge.downstream);
  const awaitedEdges = edges.map((edge, at) => ({ ...edge, downstream: at }));
  await awaitUpstreams(tx, { ...scope, awaitedEdges }, downstreams);
  return downstreams;
}
