import { FINAL_STATUSES } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';
import { statusList } from './invariants/invariant.js';

/** Why a plan day stays, though its time is over. */
export type KeepReason = 'unfinished' | 'backfill' | 'awaited' | 'quarantine';

const UNFINISHED = `EXISTS (SELECT FROM node_instance
    WHERE plan_day = $1::date AND status NOT IN (${statusList(FINAL_STATUSES)}))`;

const REASONS: readonly (readonly [KeepReason, string])[] = [
  ['unfinished', `SELECT ${UNFINISHED} AS held`],
  // Its dates that are not made yet get their instances on the plan day of all of them.
  [
    'backfill',
    `SELECT EXISTS (SELECT FROM backfill WHERE plan_day = $1::date
        AND state IN ('running', 'paused', 'cancelling')) AS held`,
  ],
  // Rerunning what failed is what its children wait for, on whatever day they are.
  [
    'awaited',
    `SELECT EXISTS (
       SELECT FROM node_instance u
        CROSS JOIN LATERAL (
          SELECT FROM instance_edge e
            JOIN node_instance d ON d.plan_day = e.plan_day AND d.id = e.downstream_id
           WHERE e.plan_day BETWEEN coalesce(u.first_child_day, u.plan_day) AND u.last_child_day
             AND e.upstream_id = u.id AND NOT e.removed AND e.outcome IN ('open', 'failed')
             AND d.status NOT IN (${statusList(FINAL_STATUSES)}) LIMIT 1) child
        WHERE u.plan_day = $1::date AND u.status IN ('failed', 'cancelled')) AS held`,
  ],
];

/**
 * What keeps the instances of a plan day from being removed; `keepsQuarantine`: the day is young enough for
 * rows that wait in quarantine to do so.
 */
export async function reasonToKeep(
  sql: Sql,
  planDay: string,
  keepsQuarantine: boolean,
): Promise<KeepReason | undefined> {
  for (const [reason, statement] of REASONS) {
    const [row] = await sql.rows<{ held: boolean }>(statement, [planDay]);
    if (row?.held === true) return reason;
  }
  if (!keepsQuarantine) return undefined;
  const [row] = await sql.rows<{ held: boolean }>(
    `SELECT EXISTS (SELECT FROM dirty_record WHERE plan_day = $1::date AND replayed_at IS NULL) AS held`,
    [planDay],
  );
  return row?.held === true ? 'quarantine' : undefined;
}

/** Whether something of the day may still write a log. */
export async function isDayUnfinished(sql: Sql, planDay: string): Promise<boolean> {
  const [row] = await sql.rows<{ held: boolean }>(`SELECT ${UNFINISHED} AS held`, [planDay]);
  return row?.held === true;
}
