import type { DstPolicy } from '../../domain/calendar/cycles-of.js';
import type { Period } from '../../domain/calendar/period.js';
import type { Sql } from '../database.js';

/** A node as the version that is in effect on one business date has it. */
export interface ScheduledNode {
  readonly nodeId: number;
  readonly workflowId: number;
  readonly bizdate: string;
  readonly timezone: string;
  readonly cron: string | null;
  readonly period: Period | null;
  readonly dst_policy: DstPolicy;
  readonly effective_from: string | null;
  readonly effective_to: string | null;
  /** Name of its business calendar. */
  readonly calendar: string | null;
  readonly selfDependent: boolean;
  /** Does the generator plan it? */
  readonly isScheduled: boolean;
}

/** A version that is to be in effect from a business date on, whatever the store says yet. */
export interface ForeseenVersion {
  readonly versionId: number;
  readonly bizdate: string;
}

/**
 * These nodes by the versions that are in effect on these business dates. A workflow of which none is, or
 * none with the node, is left out.
 */
export async function loadScheduledNodes(
  sql: Sql,
  workspaceId: number,
  nodeIds: readonly number[],
  bizdates: readonly string[],
  foreseen?: ForeseenVersion,
): Promise<ScheduledNode[]> {
  if (nodeIds.length === 0) return [];
  return await sql.rows<ScheduledNode>(
    `WITH effective AS (
       SELECT DISTINCT ON (v.workflow_id, d.bizdate) v.workflow_id, d.bizdate, v.id, v.timezone,
              w.scheduled
         FROM unnest($3::date[]) AS d(bizdate)
         JOIN workflow_version v
           ON v.first_bizdate <= d.bizdate OR (v.id = $4 AND $5::date <= d.bizdate)
         JOIN workflow w ON w.id = v.workflow_id AND w.workspace_id = $1
        WHERE v.workflow_id IN (SELECT workflow_id FROM node WHERE id = ANY($2::bigint[]))
        ORDER BY v.workflow_id, d.bizdate, v.version DESC
     )
     SELECT nv.node_id AS "nodeId", e.workflow_id AS "workflowId", e.bizdate, e.timezone, nv.cron,
            nv.period, nv.dst_policy, nv.effective_from, nv.effective_to, nv.calendar,
            nv.self_dependence AS "selfDependent", e.scheduled AS "isScheduled"
       FROM effective e
       JOIN node_version nv ON nv.version_id = e.id AND nv.node_id = ANY($2::bigint[])
      ORDER BY nv.node_id, e.bizdate`,
    [workspaceId, nodeIds, bizdates, foreseen?.versionId ?? null, foreseen?.bizdate ?? null],
  );
}
