import { type Bizdate, bizdateOf, parseBizdate, plusDays } from '../../domain/calendar/bizdate.js';
import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../../store/database.js';
import { openPlan, scheduledGroup } from '../../store/sql/open-plan.sql.js';
import { applyPatch } from './patch-plan.js';
import { unpatchable } from './patch-scene.js';
import type { PlanPatch } from './plan-patch.js';

interface ImmediateOptions {
  readonly workflowId: number;
  readonly timezone: string;
  /** Of the version; the days before it are patched. */
  readonly firstBizdate: Bizdate;
  readonly allowIsolated?: boolean | undefined;
}

const MAX_NAMED = 10;

/**
 * Patches a version that was inserted a moment ago into every plan from today's on, the newest first:
 * what is still to come follows it, what has begun or whose time is over stays. MR-S174 where instances
 * would not wait for an upstream that they need, as for one that is planned from tomorrow on.
 */
export async function planImmediately(
  tx: Sql,
  now: Date,
  { workspaceId }: { readonly workspaceId: number },
  { workflowId, timezone, firstBizdate, allowIsolated }: ImmediateOptions,
): Promise<PlanPatch[]> {
  const today = bizdateOf(now, timezone);
  await openToday(tx, workspaceId, timezone, today);
  const patched: PlanPatch[] = [];
  for (let bizdate = plusDays(firstBizdate, -1); bizdate >= today; bizdate = plusDays(bizdate, -1))
    patched.push(await applyPatch(tx, now, { workflowId, bizdate, from: now }));
  if (allowIsolated !== true) refuseIsolated(patched);
  return patched;
}

function refuseIsolated(patched: readonly PlanPatch[]): void {
  const isolated = patched.flatMap((patch) => patch.isolated);
  if (isolated.length === 0) return;
  const named = isolated
    .slice(0, MAX_NAMED)
    .map(
      ({ workflow, node, scheduledAt, upstream }) =>
        `${workflow}/${node} of ${scheduledAt.toISOString()} would not wait for ${upstream}, which has no cycle in the plan of that day that is still to come`,
    );
  const more = isolated.length > MAX_NAMED ? `; and ${isolated.length - MAX_NAMED} more` : '';
  throw new MillraceError('MR-S174', `${named.join('; ')}${more}.`);
}

/** A zone that was never planned has no plan of today: it is opened, and the generator goes on with it. */
async function openToday(
  tx: Sql,
  workspaceId: number,
  timezone: string,
  today: Bizdate,
): Promise<void> {
  const [zone] = await tx.rows<{ last: string | null; missed: boolean }>(
    `SELECT (SELECT max(bizdate) FROM plan WHERE workspace_id = $1 AND timezone = $2) AS last,
            EXISTS (SELECT FROM workflow_version v JOIN workflow w ON w.id = v.workflow_id
                     WHERE w.workspace_id = $1 AND w.scheduled AND v.timezone = $2
                       AND v.first_bizdate < $3) AS missed`,
    [workspaceId, timezone, today],
  );
  if (zone === undefined || (zone.last !== null && parseBizdate(zone.last) >= today)) return;
  // The days before would be taken for planned.
  if (zone.last !== null || zone.missed) {
    throw unpatchable(`Days up to ${today} in ${timezone} are still to be planned by a scheduler.`);
  }
  await scheduledGroup(tx, workspaceId);
  await openPlan(tx, workspaceId, timezone, today);
}
