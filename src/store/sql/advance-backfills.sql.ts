import type { Sql } from '../database.js';
import { NOT_DUE } from './closed-dates.sql.js';
import { writeEvents } from './write-events.sql.js';

/** A backfill that is not over. */
export interface LiveBackfill {
  readonly id: number;
  readonly workspaceId: number;
  readonly planDay: string;
  readonly state: 'running' | 'paused' | 'cancelling';
}

export async function liveBackfills(sql: Sql): Promise<LiveBackfill[]> {
  return await sql.rows<LiveBackfill>(
    `SELECT run_group_id AS id, workspace_id AS "workspaceId", plan_day AS "planDay", state
       FROM backfill WHERE state IN ('running', 'paused', 'cancelling') ORDER BY run_group_id`,
  );
}

interface ChangedDate {
  readonly id: number;
  readonly workspaceId: number;
  readonly bizdate: string;
  /** Ids of its workflow instances. */
  readonly runs: readonly number[];
}

const LOCK = 7_263_004;

/**
 * Closes the business dates of which nothing is left to do and opens the next ones: date n when the date
 * `parallelism` places before it is over, and never more than `parallelism` at once. A failed instance
 * keeps its date open. A backfill without dates to come has ended. Returns how many dates changed.
 *
 * By what the rows say now, whoever has changed them: a scheduler that was away misses nothing. One
 * scheduler at a time, or two would both count the places that are free.
 */
export async function advanceBackfills(
  tx: Sql,
  backfills: readonly LiveBackfill[],
  now: Date,
): Promise<number> {
  const [lock] = await tx.rows<{ had: boolean }>(
    `SELECT pg_try_advisory_xact_lock(${LOCK}) AS had`,
  );
  if (lock?.had !== true) return 0;
  const ids = backfills.map((each) => each.id);
  const done = await closeDates(tx, backfills, now);
  const opened = await openDates(tx, ids, now);
  await releaseOpened(tx, backfills, opened);
  const ended = await tx.rows<{ id: number; workspaceId: number }>(
    `UPDATE backfill b SET state = 'ended', ended_at = $2
      WHERE b.run_group_id = ANY($1::bigint[]) AND b.state IN ('running', 'paused')
        AND NOT EXISTS (SELECT FROM backfill_date d WHERE d.run_group_id = b.run_group_id
                           AND (d.state IN ('waiting', 'open')
                                -- Its dry runs keep the chain.
                                OR (d.state = 'skipped' AND d.ended_at IS NULL)))
      RETURNING b.run_group_id AS id, b.workspace_id AS "workspaceId"`,
    [ids, now],
  );
  await writeEvents(tx, now, [
    ...done.map((date) => dateEvent(date, 'done')),
    ...opened.map((date) => dateEvent(date, 'open')),
    ...ended.map((each) => backfillEvent(each, 'ended')),
  ]);
  return done.length + opened.length + ended.length;
}

export function backfillEvent(
  backfill: { readonly id: number; readonly workspaceId: number },
  state: string,
): Parameters<typeof writeEvents>[2][number] {
  return {
    workspaceId: backfill.workspaceId,
    type: 'backfill.state',
    payload: { runGroupId: backfill.id, state },
  };
}

function dateEvent(date: ChangedDate, state: string): Parameters<typeof writeEvents>[2][number] {
  return {
    workspaceId: date.workspaceId,
    type: 'backfill.date',
    payload: { runGroupId: date.id, bizdate: date.bizdate, state },
  };
}

/**
 * Of two open dates of 365, each of 300 instances: the runs of a date are looked at until one that is not over is
 * found, and backfill_date, of which a backfill has a row for each date, is read as a whole (1 to 5 pages).
 *
 *   ProjectSet  ->  Seq Scan on backfill_date
 *   Nested Loop Anti Join
 *     ->  Function Scan on o
 *     ->  Index Scan using node_instance_20261123_workflow_instance_id_idx on node_instance_20261123 i
 *   Update on backfill_date d  ->  Nested Loop: Seq Scan on backfill_date d, Seq Scan on backfill b
 */
async function closeDates(
  tx: Sql,
  backfills: readonly LiveBackfill[],
  now: Date,
): Promise<ChangedDate[]> {
  const open = await tx.rows<{ run: number }>(
    `SELECT unnest(workflow_instance_ids) AS run FROM backfill_date
      WHERE run_group_id = ANY($1::bigint[]) AND state = 'open'`,
    [backfills.map((each) => each.id)],
  );
  if (open.length === 0) return [];
  // Days and runs as values, not as a join: only so are the other partitions left out of the plan.
  const over = await tx.rows<{ run: number }>(
    `SELECT o.run FROM unnest($2::bigint[]) AS o(run)
      WHERE NOT EXISTS (SELECT FROM node_instance i
                         WHERE i.plan_day = ANY($1::date[]) AND i.workflow_instance_id = o.run
                           AND i.status NOT IN ('succeeded', 'cancelled'))`,
    [[...new Set(backfills.map((each) => each.planDay))], open.map((each) => each.run)],
  );
  if (over.length === 0) return [];
  return await tx.rows<ChangedDate>(
    `UPDATE backfill_date d SET state = 'done', ended_at = $3 FROM backfill b
      WHERE b.run_group_id = d.run_group_id AND d.run_group_id = ANY($1::bigint[])
        AND d.workflow_instance_ids <@ $2::bigint[] AND d.state = 'open'
      RETURNING d.run_group_id AS id, b.workspace_id AS "workspaceId", d.bizdate,
                d.workflow_instance_ids AS runs`,
    [backfills.map((each) => each.id), over.map((each) => each.run), now],
  );
}

/**
 * Of 365 dates 0.4 ms, of 37 0.2: `backfill_date` is read as a whole, once for the places that are free and once for
 * the dates that wait.
 *
 *   Update on backfill_date d  ->  Hash Join
 *     ->  Subquery Scan on n  ->  WindowAgg  ->  Sort  ->  Hash Join
 *           ->  Seq Scan on backfill_date d;  hashed SubPlan  ->  Seq Scan on backfill_date k
 *           ->  Hash  ->  Seq Scan on backfill b;  SubPlan  ->  Aggregate  ->  Seq Scan on backfill_date d
 *     ->  Hash  ->  Seq Scan on backfill_date d
 */
async function openDates(tx: Sql, ids: readonly number[], now: Date): Promise<ChangedDate[]> {
  return await tx.rows<ChangedDate>(
    `WITH places AS (
       SELECT b.run_group_id, b.workspace_id, b.parallelism,
              b.parallelism - (SELECT count(*) FROM backfill_date d
                                WHERE d.run_group_id = b.run_group_id AND d.state = 'open') AS free
         FROM backfill b WHERE b.run_group_id = ANY($1::bigint[]) AND b.state = 'running'
     ), next AS (
       SELECT p.run_group_id, p.workspace_id, p.free, d.no,
              row_number() OVER (PARTITION BY d.run_group_id ORDER BY d.no) AS nth
         FROM places p JOIN backfill_date d USING (run_group_id)
        WHERE p.free > 0 AND d.state = 'waiting' AND d.workflow_instance_ids IS NOT NULL
          AND (d.no < p.parallelism
               OR EXISTS (SELECT FROM backfill_date k WHERE k.run_group_id = d.run_group_id
                             AND k.no = d.no - p.parallelism AND k.state NOT IN ('waiting', 'open')))
     )
     UPDATE backfill_date d SET state = 'open', opened_at = $2 FROM next n
      WHERE d.run_group_id = n.run_group_id AND d.no = n.no AND n.nth <= n.free
      RETURNING d.run_group_id AS id, n.workspace_id AS "workspaceId", d.bizdate,
                d.workflow_instance_ids AS runs`,
    [ids, now],
  );
}

/**
 * What has only waited for its date becomes due. After the dates are marked, as a second statement: a
 * transaction that has just put an instance aside has committed by then.
 *
 * The ids as values too: by the join alone all that any date waits for was read for each date that is opened.
 * One of 37 and one of 365 dates of 300 nodes, 3,500 and 36,300 due: 22 pages of due_instance either way, where
 * the Seq Scan read 24 and 233.
 *
 *   Update on due_instance d
 *     InitPlan  ->  Index Scan using node_instance_20261123_workflow_instance_id_idx on node_instance_20261123
 *     ->  Hash Join
 *           ->  Index Scan using node_instance_20261123_workflow_instance_id_idx on node_instance_20261123 i
 *           ->  Hash  ->  Index Scan using due_instance_pkey on due_instance d
 */
async function releaseOpened(
  tx: Sql,
  backfills: readonly LiveBackfill[],
  opened: readonly ChangedDate[],
): Promise<void> {
  if (opened.length === 0) return;
  await tx.run(
    `UPDATE due_instance d SET due_at = i.run_at FROM node_instance i
      WHERE i.plan_day = ANY($1::date[]) AND i.workflow_instance_id = ANY($2::bigint[])
        AND d.instance_id = i.id AND d.due_at = $3
        AND d.instance_id = ANY(ARRAY(
              SELECT id FROM node_instance
               WHERE plan_day = ANY($1::date[]) AND workflow_instance_id = ANY($2::bigint[])))`,
    [
      [...new Set(backfills.map((each) => each.planDay))],
      opened.flatMap((each) => each.runs),
      NOT_DUE,
    ],
  );
}
