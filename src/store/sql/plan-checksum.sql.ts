import { createHash } from 'node:crypto';

import type { Sql } from '../database.js';

/** Names the daily plan of one business date. */
export interface PlanKey {
  readonly workspaceId: number;
  readonly timezone: string;
  readonly bizdate: string;
}

interface Content {
  readonly instances: number;
  readonly instanceSum: string;
  readonly edges: number;
  readonly edgeSum: string;
}

/**
 * A digest of what a plan decided: of each instance its node, version, scheduled time, period number, dry
 * run and parameters, and of the edges between its instances their ends, kind and inheritance. What happens
 * to a planned instance is no part of it (states, freezing, another priority or resource group, removed
 * edges), nor are edges to other plans: some of those are made when the other plan is.
 *
 * An edge takes the server's own hash of its ends: a text and its md5 for each of 300,000 is far more work.
 * Hash partitions rest on that function, so it stays what it is.
 *
 * Hashes are added up, so that a million instances need neither an order nor the room of one text. That
 * finds what went wrong, not what somebody has forged. In a transaction, whose planner it minds.
 */
export async function planChecksum(tx: Sql, plan: PlanKey): Promise<string> {
  const values = [plan.workspaceId, plan.timezone, plan.bizdate];
  const [row] = await tx.rows<{ plan_day: string }>(
    `SELECT plan_day FROM plan WHERE workspace_id = $1 AND timezone = $2 AND bizdate = $3`,
    values,
  );
  // What was planned a moment ago is one row to the planner, which then takes a loop for each edge.
  await tx.run('SET LOCAL enable_nestloop = off');
  const [content] = await tx.rows<Content>(CONTENT, [...values, row?.plan_day]);
  await tx.run('SET LOCAL enable_nestloop = on');
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}

const CONTENT = `
  WITH own AS MATERIALIZED (
    SELECT i.id, ('x' || left(md5(format('%s|%s|%s|%s|%s|%s|%s', i.node_id, i.version_id,
             extract(epoch FROM i.scheduled_at)::bigint, i.period_no, i.path, i.dry_run_reason,
             d.parameters)), 16))::bit(64)::bigint AS hash
      FROM workflow_instance r
      JOIN run_group g ON g.id = r.run_group_id AND g.kind = 'scheduled'
      JOIN workflow_version v ON v.id = r.version_id AND v.timezone = $2
      JOIN node_instance i ON i.plan_day = $4 AND i.workflow_instance_id = r.id
      LEFT JOIN node_instance_detail d ON d.plan_day = $4 AND d.instance_id = i.id
     WHERE r.plan_day = $4 AND r.workspace_id = $1 AND r.bizdate = $3
  ), inner_edge AS (
    SELECT hashint8extended(down.hash, hashint8extended(up.hash, hashtextextended(e.kind,
             CASE WHEN e.inherits_dry_run IS NULL THEN 0 WHEN e.inherits_dry_run THEN 1 ELSE 2 END))) AS hash
      FROM instance_edge e
      JOIN own down ON down.id = e.downstream_id
      JOIN own up ON up.id = e.upstream_id
     WHERE e.plan_day = $4
  )
  SELECT (SELECT count(*) FROM own) AS instances,
         (SELECT coalesce(sum(hash), 0)::text FROM own) AS "instanceSum",
         (SELECT count(*) FROM inner_edge) AS edges,
         (SELECT coalesce(sum(hash), 0)::text FROM inner_edge) AS "edgeSum"`;

/** Writes the checksum of a sealed plan as it is now. The caller holds the lock of its row. */
export async function renewChecksum(tx: Sql, plan: PlanKey): Promise<string> {
  const checksum = await planChecksum(tx, plan);
  await tx.run(
    `UPDATE plan SET checksum = $4 WHERE workspace_id = $1 AND timezone = $2 AND bizdate = $3`,
    [plan.workspaceId, plan.timezone, plan.bizdate, checksum],
  );
  return checksum;
}
