import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../database.js';

/** Of the plan day `day`; null where its table is gone, or is no partition any more. */
export const STATE_OF_LOGS = `(SELECT CASE WHEN i.inhdetachpending THEN 'going' ELSE 'there' END FROM pg_inherits i
    WHERE i.inhrelid = to_regclass(to_char(day, '"log_chunk_"YYYYMMDD')))`;

/** From here on nothing of the plan day is started again, and who asks for it is told that it is gone. */
export async function markRemoved(sql: Sql, planDay: string): Promise<void> {
  await sql.run('INSERT INTO removed_day (plan_day) VALUES ($1) ON CONFLICT DO NOTHING', [planDay]);
}

export async function isDayRemoved(sql: Sql, planDay: string): Promise<boolean> {
  const rows = await sql.rows('SELECT FROM removed_day WHERE plan_day = $1', [planDay]);
  return rows.length > 0;
}

/** @throws MR-S207 the instances of one of these plan days are gone */
export async function refuseRemovedDays(sql: Sql, days: readonly string[]): Promise<void> {
  const [gone] = await sql.rows<{ day: string }>(
    `SELECT plan_day AS day FROM removed_day WHERE plan_day = ANY($1::date[]) ORDER BY 1 LIMIT 1`,
    [days],
  );
  if (gone !== undefined) throw removed(gone.day);
}

/**
 * For who looks for instances of a business date and has found none.
 *
 * @throws MR-S207 there were some, and the day on which they were planned was removed
 */
export async function refuseRemovedDate(
  sql: Sql,
  workspaceId: number,
  bizdate: string,
): Promise<void> {
  const [gone] = await removedDates(sql, workspaceId, bizdate, bizdate);
  if (gone !== undefined) throw removed(gone.day);
}

/** The business dates of which nothing is left, each with the plan day that was removed. */
export async function removedDates(
  sql: Sql,
  workspaceId: number,
  from: string,
  to: string,
): Promise<{ readonly bizdate: string; readonly day: string }[]> {
  return await sql.rows(
    `SELECT DISTINCT ON (p.bizdate) p.bizdate, d.plan_day AS day
       FROM plan p JOIN removed_day d ON d.plan_day = p.plan_day
      WHERE p.workspace_id = $1 AND p.bizdate BETWEEN $2 AND $3
        -- Others, of a backfill, may be there, and none of them be what is looked for.
        AND NOT EXISTS (SELECT FROM node_instance i
                         WHERE i.workspace_id = p.workspace_id AND i.bizdate = p.bizdate)
      ORDER BY p.bizdate, d.plan_day`,
    [workspaceId, from, to],
  );
}

function removed(day: string): MillraceError {
  return new MillraceError('MR-S207', `What was planned on ${day} was removed after its time.`);
}

/** @throws MR-S209 the run logs of the plan day are gone */
export async function refuseRemovedLog(sql: Sql, day: string): Promise<void> {
  const [logs] = await sql.rows<{ state: string | null }>(
    `SELECT ${STATE_OF_LOGS} AS state FROM unnest($1::date[]) AS day`,
    [[day]],
  );
  if (logs?.state === 'there') return;
  throw new MillraceError('MR-S209', `The logs of what was planned on ${day} were removed.`);
}
