import { type SizeJump, sizeJump } from '../../domain/plan/size-jump.js';
import type { Sql } from '../database.js';
import type { PlanKey } from './plan-checksum.sql.js';
import { writeEvents } from './write-events.sql.js';

export interface SizedPlan {
  /** Name of the workspace. */
  readonly workspace: string;
  readonly instances: number;
  readonly usualInstances: number;
  readonly jump: SizeJump | undefined;
}

/** Fewer plans before it say nothing about what is usual. */
const MIN_DAYS = 3;
const MAX_DAYS = 7;

/**
 * Marks a plan as made to its end, and compares its size with the median of up to seven plans before it.
 * `undefined`: it was marked already, or there are too few to compare with.
 */
export async function completePlan(
  tx: Sql,
  plan: PlanKey,
  factor: number,
  now: Date,
): Promise<SizedPlan | undefined> {
  const { workspaceId, timezone, bizdate } = plan;
  const key = [workspaceId, timezone, bizdate];
  const [row] = await tx.rows<{ workspace: string; instances: number; usual: number | null }>(
    `UPDATE plan p SET revision = 1, usual_instances = u.usual
       FROM (SELECT CASE WHEN count(*) >= ${MIN_DAYS}
                    THEN round(percentile_cont(0.5) WITHIN GROUP (ORDER BY before.instances))::int END AS usual
               FROM (SELECT instances FROM plan
                      WHERE workspace_id = $1 AND timezone = $2 AND bizdate < $3 AND revision > 0
                      ORDER BY bizdate DESC LIMIT ${MAX_DAYS}) before) u
      WHERE p.workspace_id = $1 AND p.timezone = $2 AND p.bizdate = $3 AND p.revision = 0
     RETURNING (SELECT name FROM workspace WHERE id = $1) AS workspace, p.instances, u.usual`,
    key,
  );
  if (row === undefined || row.usual === null) return undefined;
  const { workspace, instances, usual: usualInstances } = row;
  const jump = sizeJump(instances, usualInstances, factor);
  if (jump === undefined) return { workspace, instances, usualInstances, jump };
  await tx.run(
    `UPDATE plan SET size_jump = $4 WHERE workspace_id = $1 AND timezone = $2 AND bizdate = $3`,
    [...key, jump],
  );
  await writeEvents(tx, now, [
    {
      workspaceId,
      type: 'plan.size_jumped',
      payload: { timezone, bizdate, instances, usualInstances, jump },
    },
  ]);
  return { workspace, instances, usualInstances, jump };
}
