import type { Sql } from '../database.js';
import type { InstanceRow } from './instance-row.js';

/**
 * Takes locked instances that have not begun out of their plan: no row of them is left, so that nothing
 * planned later waits for them. Edges from them to others are left to the caller, who knows what those
 * wait for instead. Returns how many edges they had to their own upstreams.
 */
export async function removeInstances(
  tx: Sql,
  planDay: string,
  ids: readonly number[],
): Promise<number> {
  if (ids.length === 0) return 0;
  await tx.run(`DELETE FROM due_instance WHERE instance_id = ANY($1::bigint[])`, [ids]);
  const awaited = await tx.run(`DELETE FROM awaited_edge WHERE downstream_id = ANY($1::bigint[])`, [
    ids,
  ]);
  const edges = await tx.run(
    `DELETE FROM instance_edge WHERE plan_day = $1 AND downstream_id = ANY($2::bigint[])`,
    [planDay, ids],
  );
  await tx.run(
    `DELETE FROM node_instance_detail WHERE plan_day = $1 AND instance_id = ANY($2::bigint[])`,
    [planDay, ids],
  );
  await tx.run(`DELETE FROM node_instance WHERE plan_day = $1 AND id = ANY($2::bigint[])`, [
    planDay,
    ids,
  ]);
  return awaited + edges;
}

/** How many edges more (or fewer) the instances of a plan have. */
export interface PlanEdgesMore {
  readonly timezone: string;
  readonly bizdate: string;
  readonly edges: number;
}

/**
 * Removes what is left of the edges from removed instances: those into what has started past them, or the
 * next rerun would wait for an instance that is not there. Returns how many fewer each plan has.
 */
export async function removeEdgesFrom(
  tx: Sql,
  rows: readonly InstanceRow[],
): Promise<PlanEdgesMore[]> {
  const first = rows.map((row) => row.first_child_day).sort()[0];
  if (first === undefined) return [];
  return await tx.rows<PlanEdgesMore>(
    `WITH gone AS (
       DELETE FROM instance_edge
        WHERE plan_day BETWEEN $1::date AND $2::date AND upstream_id = ANY($3::bigint[])
       RETURNING plan_day, downstream_id)
     SELECT v.timezone, i.bizdate, -count(*)::int AS edges
       FROM gone JOIN node_instance i ON i.plan_day = gone.plan_day AND i.id = gone.downstream_id
       JOIN workflow_version v ON v.id = i.version_id
      WHERE i.plan_day BETWEEN $1::date AND $2::date
      GROUP BY v.timezone, i.bizdate`,
    [
      first,
      rows
        .map((row) => row.last_child_day)
        .sort()
        .at(-1),
      rows.map((row) => row.id),
    ],
  );
}
