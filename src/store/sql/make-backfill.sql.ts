import type { Sql } from '../database.js';

/** A business date of a backfill whose instances are not made yet. */
export interface UnmadeDate {
  readonly no: number;
  readonly bizdate: string;
  /** How many were accepted. */
  readonly instances: number;
  /** The cycles that were asked for; null: all within the scope and hours. */
  readonly wanted: readonly string[] | null;
}

/** Ids of the backfills that have business dates to be made. */
export async function makingBackfills(sql: Sql): Promise<number[]> {
  const rows = await sql.rows<{ id: number }>(
    `SELECT run_group_id AS id FROM backfill
      WHERE state = 'running' AND making IS NOT NULL ORDER BY run_group_id`,
  );
  return rows.map((row) => row.id);
}

interface LockedMaking<Making, Spec> {
  readonly planDay: string;
  readonly versionIds: readonly number[];
  readonly making: Making;
  readonly spec: Spec;
}

/**
 * Holds a backfill for the one date that is made in this transaction: pausing and cancelling wait for it,
 * another scheduler passes it by.
 */
export async function lockMaking<Making, Spec>(
  tx: Sql,
  id: number,
): Promise<LockedMaking<Making, Spec> | undefined> {
  const [row] = await tx.rows<LockedMaking<Making, Spec>>(
    `SELECT b.plan_day AS "planDay", b.version_ids AS "versionIds", b.making, g.spec
       FROM backfill b JOIN run_group g ON g.id = b.run_group_id
      WHERE b.run_group_id = $1 AND b.state = 'running' AND b.making IS NOT NULL
        FOR NO KEY UPDATE OF b SKIP LOCKED`,
    [id],
  );
  return row;
}

export async function nextToMake(tx: Sql, id: number): Promise<UnmadeDate | undefined> {
  const [row] = await tx.rows<UnmadeDate>(
    `SELECT no, bizdate, instances, wanted FROM backfill_date
      WHERE run_group_id = $1 AND workflow_instance_ids IS NULL AND state = 'waiting'
      ORDER BY no LIMIT 1`,
    [id],
  );
  return row;
}

export async function dateMade(
  tx: Sql,
  id: number,
  no: number,
  runs: readonly number[],
): Promise<void> {
  await tx.run(
    `UPDATE backfill_date SET workflow_instance_ids = $3, wanted = NULL
      WHERE run_group_id = $1 AND no = $2`,
    [id, no, runs],
  );
}

export async function allMade(tx: Sql, id: number): Promise<void> {
  await tx.run(`UPDATE backfill SET making = NULL WHERE run_group_id = $1`, [id]);
}

/** Returns the backfill unless somebody has paused or cancelled it already. */
export async function pauseMaking(
  tx: Sql,
  id: number,
  code: string,
  detail: string,
  now: Date,
): Promise<{ readonly id: number; readonly workspaceId: number }[]> {
  return await tx.rows(
    `UPDATE backfill SET state = 'paused', error_code = $2, error_detail = $3, paused_at = $4
      WHERE run_group_id = $1 AND state = 'running'
      RETURNING run_group_id AS id, workspace_id AS "workspaceId"`,
    [id, code, detail, now],
  );
}
