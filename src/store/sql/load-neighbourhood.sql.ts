import type {
  Neighbourhood,
  SeenEdge,
  SeenInstance,
} from '../../domain/instance/operation-preview.js';
import type { Sql } from '../database.js';
import { downstreamClosure } from './downstream-closure.sql.js';
import { type InstanceKey, keyArrays } from './instance-row.js';

/** An instance of the neighbourhood with what a person calls it. */
export interface NamedInstance extends SeenInstance {
  readonly planDay: string;
  readonly workspaceId: number;
  readonly nodeName: string;
  readonly workflowName: string;
  readonly bizdate: string;
  readonly scheduledAt: Date;
}

export interface NamedNeighbourhood extends Neighbourhood {
  readonly instances: readonly NamedInstance[];
  /** Instances further downstream were left out: there are more than the limit. */
  readonly isCut: boolean;
}

/**
 * What operations on these instances can reach: themselves, all that lies downstream of them up to
 * `limit` instances, and the edges into all of these. Call it in a transaction with one snapshot.
 * Instances of other workspaces and such as are not there are left out.
 */
export async function loadNeighbourhood(
  tx: Sql,
  workspaceId: number,
  keys: readonly InstanceKey[],
  limit: number,
): Promise<NamedNeighbourhood> {
  const own = await instancesOf(tx, workspaceId, keys);
  const reached = await downstreamClosure(tx, own, limit + 1);
  const instances = await instancesOf(tx, workspaceId, reached.slice(0, limit));
  const found = new Set(instances.map((each) => each.id));
  const edges = await edgesInto(tx, instances);
  const outside = new Map(
    edges.filter((edge) => !found.has(edge.upstream)).map((edge) => [edge.upstream, edge]),
  );
  return {
    instances,
    edges,
    outside: await statusesOf(
      tx,
      [...outside.values()].map(({ upstreamDay: planDay, upstream: id }) => ({ planDay, id })),
    ),
    isCut: reached.length > limit,
  };
}

async function instancesOf(
  tx: Sql,
  workspaceId: number,
  keys: readonly InstanceKey[],
): Promise<NamedInstance[]> {
  if (keys.length === 0) return [];
  return await tx.rows<NamedInstance>(
    `SELECT i.plan_day AS "planDay", i.id, i.workspace_id AS "workspaceId", i.status, i.frozen,
            i.dry_run AS "dryRun", i.dry_run_reason AS "dryRunReason", i.reason, i.run_at AS "runAt", i.pending, i.slots, i.bizdate,
            i.scheduled_at AS "scheduledAt",
            (SELECT count(*)::int FROM awaited_edge a WHERE a.downstream_id = i.id) AS awaited, n.name AS "nodeName",
            w.name AS "workflowName", coalesce(nv.rerun_mode, 'always') AS "rerunMode", i.priority,
            g.name AS "resourceGroup"
       FROM unnest($2::date[], $3::bigint[]) AS k(plan_day, id)
       JOIN node_instance i ON i.plan_day = k.plan_day AND i.id = k.id AND i.plan_day = ANY ($4::date[])
       JOIN node n ON n.id = i.node_id
       JOIN workflow w ON w.id = i.workflow_id
       JOIN resource_group g ON g.id = i.resource_group_id
       LEFT JOIN node_version nv ON nv.version_id = i.version_id AND nv.node_id = i.node_id
      WHERE i.workspace_id = $1 ORDER BY i.scheduled_at, i.id`,
    [workspaceId, keys.map((key) => key.planDay), keys.map((key) => key.id), keyArrays(keys)[0]],
  );
}

async function edgesInto(
  tx: Sql,
  instances: readonly InstanceKey[],
): Promise<(SeenEdge & { readonly upstreamDay: string })[]> {
  return await tx.rows(
    `SELECT upstream_id AS upstream, upstream_plan_day AS "upstreamDay", downstream_id AS downstream,
            kind, inherits_dry_run AS "inheritsDryRun", outcome, removed
       FROM instance_edge
      WHERE plan_day = ANY ($1::date[]) AND downstream_id = ANY ($2::bigint[]) AND (NOT removed OR forced)`,
    keyArrays(instances),
  );
}

async function statusesOf(
  tx: Sql,
  keys: readonly InstanceKey[],
): Promise<Neighbourhood['outside']> {
  return await tx.rows(
    `SELECT id, status, reason FROM node_instance
      WHERE plan_day = ANY ($1::date[]) AND id = ANY ($2::bigint[])`,
    keyArrays(keys),
  );
}
