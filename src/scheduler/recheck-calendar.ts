import { parseBizdate } from '../domain/calendar/bizdate.js';
import { MillraceError } from '../domain/errors.js';
import type { Sql } from '../store/database.js';
import { foreignNodesOf } from './check-dependencies.js';
import { refuseLoops } from './edge-findings.js';
import { readSpec } from './read-spec.js';

interface CalendarUser {
  readonly id: number;
  readonly name: string;
  readonly spec: unknown;
  readonly timezone: string;
  /** The first business date that is not planned and on which the version is in effect. */
  readonly unplanned: string;
}

/**
 * Changes a calendar and looks at the workflows that use it as their submit did: its days off decide how many
 * cycles a node has, so that instances could wait for each other in a circle. MR-S124 names the workflow and the
 * circle. Call in a transaction; submits of the workspace wait until it ends, or the two would not see each other.
 */
export async function recheckCalendar(
  tx: Sql,
  { workspaceId, name }: { readonly workspaceId: number; readonly name: string },
  change: () => Promise<void>,
): Promise<void> {
  await tx.rows(`SELECT FROM workspace WHERE id = $1 FOR NO KEY UPDATE`, [workspaceId]);
  await change();
  for (const user of await usersOf(tx, workspaceId, name)) {
    const spec = readSpec(user.spec);
    const scene = { ...user, workspaceId, spec, bizdate: parseBizdate(user.unplanned) };
    try {
      await refuseLoops(tx, scene, await foreignNodesOf(tx, scene, spec));
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'MR-S124') throw error;
      throw new MillraceError('MR-S124', `In the workflow "${user.name}": ${error.detail}`);
    }
  }
}

/** By their latest versions: what an older one still plans is over within days. */
async function usersOf(tx: Sql, workspaceId: number, calendar: string): Promise<CalendarUser[]> {
  return await tx.rows<CalendarUser>(
    `SELECT w.id, w.name, v.spec, v.timezone,
            greatest(v.first_bizdate,
                     (SELECT max(p.bizdate) + 1 FROM plan p
                       WHERE p.workspace_id = w.workspace_id AND p.timezone = v.timezone)) AS unplanned
       FROM workflow w
       JOIN LATERAL (SELECT id, spec, timezone, first_bizdate FROM workflow_version
                      WHERE workflow_id = w.id ORDER BY version DESC LIMIT 1) v ON true
      WHERE w.workspace_id = $1
        AND EXISTS (SELECT FROM node_version nv WHERE nv.version_id = v.id AND nv.calendar = $2)
      ORDER BY w.id`,
    [workspaceId, calendar],
  );
}
