import type { Sql } from '../database.js';
import { laneOf } from './gates-of.js';

/** Longer than any transaction that puts something into a queue. */
const LATELY = `interval '5 min'`;

/**
 * Lets what waits for a worker ask for the labels and the scheduling slot of the latest version of its node,
 * of one version just submitted or of all that were lately: it is what will run.
 *
 * An instance that is queued while its version is submitted reads the version before, and the submit does not
 * see it. No claim hands it to a machine that it does not ask for any more; but it would wait for one it does
 * not need, were it not looked at again. How many were changed.
 */
export async function requeue(tx: Sql, which: 'lately' | { versionId: number }): Promise<number> {
  const versions =
    which === 'lately'
      ? `IN (SELECT id FROM workflow_version WHERE submitted_at > clock_timestamp() - ${LATELY})`
      : '= $1';
  return await tx.run(
    `WITH latest AS (
       SELECT DISTINCT ON (l.node_id) l.node_id, l.labels, l.scheduling_group_id
         FROM node_version l WHERE l.node_id IN (SELECT node_id FROM node_version WHERE version_id ${versions})
        ORDER BY l.node_id, l.version_id DESC
     ), found AS (
       SELECT r.instance_id, array_to_string(latest.labels, ' ') AS labels,
              CASE WHEN NOT EXISTS (SELECT FROM gate) THEN 0
                   WHEN r.gate_id = 0 THEN ${laneOf('r')}
                   -- Of a group that does not schedule it any more.
                   WHEN EXISTS (SELECT FROM gate WHERE gate.id = r.gate_id AND gate.scope = 'scheduling'
                           AND gate.resource_group_id IS DISTINCT FROM latest.scheduling_group_id)
                   THEN ${laneOf('r')} ELSE r.gate_id END AS gate_id
         FROM latest JOIN ready_instance r ON r.node_id = latest.node_id
        -- What is being claimed is looked at by the claim.
        ORDER BY r.instance_id FOR NO KEY UPDATE OF r SKIP LOCKED
     )
     UPDATE ready_instance r SET labels = found.labels, gate_id = found.gate_id FROM found
      WHERE r.instance_id = found.instance_id
        AND (r.labels, r.gate_id) IS DISTINCT FROM (found.labels, found.gate_id)`,
    which === 'lately' ? [] : [which.versionId],
  );
}
