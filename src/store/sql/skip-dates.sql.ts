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
 * Which of these runs have nodes that wait for their previous cycle. What comes after such a date waits for
 * it: skipping it must not stop the chain.
 */
export async function chainedRuns(
  sql: Sql,
  planDay: string,
  runs: readonly number[],
): Promise<number[]> {
  const rows = await sql.rows<{ id: number }>(
    `SELECT w.id FROM workflow_instance w
      WHERE w.plan_day = $1 AND w.id = ANY($2::bigint[])
        AND (EXISTS (SELECT FROM node_version v WHERE v.version_id = w.version_id AND v.self_dependence)
             OR EXISTS (SELECT FROM edge e WHERE e.version_id = w.version_id AND e.kind = 'previous_cycle'))`,
    [planDay, runs],
  );
  return rows.map((row) => row.id);
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
  const dates = await tx.rows<{ run: number }>(
    `SELECT workflow_instance_id AS run FROM backfill_date
      WHERE run_group_id = $1 AND state = 'skipped' AND ended_at IS NULL FOR UPDATE`,
    [backfill.id],
  );
  if (dates.length === 0) return 0;
  const runs = dates.map((each) => each.run);
  const undone = await undoneOf(tx, backfill.planDay, runs);
  if (undone.length === 0) return await endDates(tx, backfill, runs, now);
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

async function endDates(
  tx: Sql,
  backfill: LiveBackfill,
  runs: readonly number[],
  now: Date,
): Promise<number> {
  return await tx.run(
    `UPDATE backfill_date d SET ended_at = $4
      WHERE d.run_group_id = $1 AND d.workflow_instance_id = ANY($3::bigint[])
        AND NOT EXISTS (SELECT FROM node_instance i
                         WHERE i.plan_day = $2 AND i.workflow_instance_id = d.workflow_instance_id
                           AND i.status <> 'succeeded')`,
    [backfill.id, backfill.planDay, runs, now],
  );
}
