import { WAITING_STATUSES } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';
import type { LiveBackfill } from './advance-backfills.sql.js';
import type { InstanceKey } from './instance-row.js';
import { stopInstance } from './operate-instance.sql.js';
import { lockForRerun, startAgain } from './start-again.sql.js';

/** Why an instance of a skipped date succeeds without doing anything. */
const DATE_SKIPPED = 'date_skipped';

/** So many are locked at once (engine rule 5). */
const CHUNK = 500;

/**
 * Which of these dates others may wait for: a node waits for its previous cycle, or workflows of several zones
 * wait for each other. Skipping such a date must not stop the chain.
 */
export async function chainedDates(
  sql: Sql,
  backfill: { readonly id: number; readonly planDay: string },
  bizdates: readonly string[],
): Promise<string[]> {
  const rows = await sql.rows<{ bizdate: string }>(
    `SELECT r.bizdate FROM workflow_instance r JOIN workflow_version v ON v.id = r.version_id
      WHERE r.plan_day = $1 AND r.run_group_id = $2 AND r.bizdate = ANY($3::date[])
      GROUP BY r.bizdate
     HAVING count(DISTINCT v.timezone) > 1
         OR bool_or(EXISTS (SELECT FROM node_version n WHERE n.version_id = v.id AND n.self_dependence)
                    OR EXISTS (SELECT FROM edge e WHERE e.version_id = v.id AND e.kind = 'previous_cycle'))`,
    [backfill.planDay, backfill.id, bizdates],
  );
  return rows.map((row) => row.bizdate);
}

/**
 * Makes dry runs of what a skipped date has left undone, some 500 instances at a time: each succeeds in its
 * turn, so that what waits for its previous cycle goes on after what is before it. Returns how many
 * instances or dates were dealt with; what a worker still holds is left for when it ends.
 *
 * By what the rows say, so that it is finished by whichever scheduler comes by, and also reaches what has
 * come back from a worker since.
 */
export async function dryRunSkipped(tx: Sql, backfill: LiveBackfill, now: Date): Promise<number> {
  const dates = await tx.rows<{ runs: readonly number[] }>(
    `SELECT workflow_instance_ids AS runs FROM backfill_date
      WHERE run_group_id = $1 AND state = 'skipped' AND ended_at IS NULL FOR UPDATE`,
    [backfill.id],
  );
  if (dates.length === 0) return 0;
  const runs = dates.flatMap((each) => each.runs);
  const undone = await undoneOf(tx, backfill.planDay, runs);
  if (undone.length === 0) return await endDates(tx, backfill, now);
  for (const key of undone.filter((each) => each.waits)) await stopInstance(tx, key, now);
  const rows = await lockForRerun(tx, undone);
  const ended = rows.filter(({ status }) => status === 'failed' || status === 'cancelled');
  await tx.run(
    `UPDATE node_instance SET dry_run_reason = $3, frozen = false
      WHERE plan_day = $1 AND id = ANY($2::bigint[])`,
    [backfill.planDay, ended.map((row) => row.id), DATE_SKIPPED],
  );
  await startAgain(
    tx,
    ended.map((row) => ({ ...row, frozen: false, dry_run_reason: DATE_SKIPPED })),
    now,
  );
  return undone.length;
}

/** What has neither succeeded nor is held, and is no dry run yet. */
async function undoneOf(
  tx: Sql,
  planDay: string,
  runs: readonly number[],
): Promise<(InstanceKey & { readonly waits: boolean })[]> {
  return await tx.rows(
    `SELECT plan_day AS "planDay", id, status NOT IN ('failed', 'cancelled') AS waits FROM node_instance
      WHERE plan_day = $1 AND workflow_instance_id = ANY($2::bigint[])
        AND (status IN ('failed', 'cancelled')
             OR (status = ANY($3::text[]) AND dry_run_reason IS NULL))
      ORDER BY id LIMIT ${CHUNK}`,
    [planDay, runs, WAITING_STATUSES],
  );
}

async function endDates(tx: Sql, backfill: LiveBackfill, now: Date): Promise<number> {
  return await tx.run(
    `UPDATE backfill_date d SET ended_at = $3
      WHERE d.run_group_id = $1 AND d.state = 'skipped' AND d.ended_at IS NULL
        AND NOT EXISTS (SELECT FROM node_instance i
                         WHERE i.plan_day = $2 AND i.workflow_instance_id = ANY(d.workflow_instance_ids)
                           AND i.status <> 'succeeded')`,
    [backfill.id, backfill.planDay, now],
  );
}
