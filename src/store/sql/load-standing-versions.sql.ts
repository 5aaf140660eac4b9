import type { DstPolicy } from '../../domain/calendar/cycles-of.js';
import type { Period } from '../../domain/calendar/period.js';
import type { Sql } from '../database.js';
import type { DependencyRow } from './load-dependencies.sql.js';

/** A version that is in effect on some business date. */
export interface StandingVersion {
  readonly versionId: number;
  readonly version: number;
  readonly workflowId: number;
  readonly workflow: string;
  readonly timezone: string;
  readonly firstBizdate: string;
  /** Ids of the other workflows that it waits for. */
  readonly upstreams: readonly number[];
}

/** The versions of a workspace's workflows that are in effect on some business date from `from` on. */
export async function loadStandingVersions(
  sql: Sql,
  workspaceId: number,
  from: string,
): Promise<StandingVersion[]> {
  return await sql.rows<StandingVersion>(
    `WITH standing AS MATERIALIZED (
       SELECT v.id, v.version, v.workflow_id, w.name, v.timezone, v.first_bizdate
         FROM workflow_version v JOIN workflow w ON w.id = v.workflow_id
        WHERE w.workspace_id = $1
          AND NOT EXISTS (SELECT FROM workflow_version newer
                           WHERE newer.workflow_id = v.workflow_id AND newer.version > v.version
                             AND newer.first_bizdate <= greatest(v.first_bizdate, $2::date))
     ), link AS (
       SELECT s.id, to_json(array_agg(DISTINCT n.workflow_id)) AS upstreams
         FROM standing s JOIN edge e ON e.version_id = s.id
         JOIN node n ON n.id = e.upstream_node_id AND n.workflow_id <> s.workflow_id
        GROUP BY s.id
     )
     SELECT s.id AS "versionId", s.version, s.workflow_id AS "workflowId", s.name AS workflow, s.timezone,
            s.first_bizdate AS "firstBizdate", coalesce(l.upstreams, '[]') AS upstreams
       FROM standing s LEFT JOIN link l USING (id) ORDER BY s.workflow_id, s.version DESC`,
    [workspaceId, from],
  );
}

/** A node of a version, with its schedule. */
export interface VersionNode {
  readonly versionId: number;
  readonly nodeId: number;
  readonly name: string;
  readonly cron: string | null;
  readonly period: Period | null;
  readonly dst_policy: DstPolicy;
  readonly effective_from: string | null;
  readonly effective_to: string | null;
  /** Name of its business calendar. */
  readonly calendar: string | null;
  readonly selfDependent: boolean;
}

export async function loadVersionNodes(
  sql: Sql,
  versionIds: readonly number[],
): Promise<VersionNode[]> {
  return await sql.rows<VersionNode>(
    `SELECT nv.version_id AS "versionId", nv.node_id AS "nodeId", n.name, nv.cron, nv.period, nv.dst_policy,
            nv.effective_from, nv.effective_to, nv.calendar, nv.self_dependence AS "selfDependent"
       FROM node_version nv JOIN node n ON n.id = nv.node_id
      WHERE nv.version_id = ANY($1::bigint[]) ORDER BY nv.version_id, nv.node_id`,
    [versionIds],
  );
}

export async function loadVersionEdges(
  sql: Sql,
  versionIds: readonly number[],
): Promise<(DependencyRow & { readonly versionId: number })[]> {
  return await sql.rows(
    `SELECT version_id AS "versionId", upstream_node_id AS upstream, downstream_node_id AS downstream, kind,
            inherits_dry_run AS "inheritsDryRun"
       FROM edge WHERE version_id = ANY($1::bigint[])`,
    [versionIds],
  );
}
