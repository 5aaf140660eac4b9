import { MillraceError, registeredCodeOf } from '../../domain/errors.js';
import type { Database, Sql } from '../../store/database.js';
import { backfillEvent } from '../../store/sql/advance-backfills.sql.js';
import { cancelInstances } from '../../store/sql/cancel-instances.sql.js';
import { rerunInstance } from '../../store/sql/operate-instance.sql.js';
import { chainedDates } from '../../store/sql/skip-dates.sql.js';
import { writeEvents } from '../../store/sql/write-events.sql.js';
import type { Note } from '../note.js';
import { driveBackfills } from './backfill-loop.js';

export type BackfillState = 'running' | 'paused' | 'cancelling' | 'cancelled' | 'ended';

/** What may be asked of a backfill that is there. */
export type BackfillAction =
  | { readonly kind: 'pause' | 'resume' | 'cancel' | 'retry' }
  | { readonly kind: 'parallelism'; readonly parallelism: number }
  | { readonly kind: 'skip'; readonly bizdates: readonly string[] };

export interface BackfillCommand {
  readonly workspaceId: number;
  readonly runGroupId: number;
  readonly action: BackfillAction;
  readonly note?: Note;
}

export interface BackfillControlled {
  readonly state: BackfillState;
  readonly parallelism: number;
  /** Instances that were started again, and such as the rules refused. */
  readonly retried: number;
  readonly refused: number;
}

interface BackfillRow {
  readonly id: number;
  readonly workspaceId: number;
  readonly planDay: string;
  readonly state: BackfillState;
  readonly parallelism: number;
}

/**
 * Pauses (nothing more is handed to a worker, what runs goes on), resumes, cancels, retries what has
 * failed, skips business dates, or changes how many are open at once. Asking for what is so already is no
 * error; MR-S133 when it is over.
 */
export async function controlBackfill(
  database: Database,
  now: Date,
  command: BackfillCommand,
): Promise<BackfillControlled> {
  const { action } = command;
  const row = await database.transaction(async (tx) => {
    const changed = await change(tx, command, now);
    await command.note?.(tx);
    return changed;
  });
  const counts = action.kind === 'retry' ? await retryFailed(database, row, now) : NOTHING_RETRIED;
  await driveBackfills(database, now);
  const [after] = await database.rows<Pick<BackfillControlled, 'state' | 'parallelism'>>(
    `SELECT state, parallelism FROM backfill WHERE run_group_id = $1`,
    [row.id],
  );
  return { state: after?.state ?? row.state, parallelism: after?.parallelism ?? 1, ...counts };
}

const NOTHING_RETRIED = { retried: 0, refused: 0 };

async function change(tx: Sql, command: BackfillCommand, now: Date): Promise<BackfillRow> {
  const row = await lockBackfill(tx, command);
  const { action } = command;
  switch (action.kind) {
    case 'pause':
      await setState(tx, row, ['running', 'paused'], 'paused', now);
      break;
    case 'resume':
      await setState(tx, row, ['running', 'paused'], 'running', now);
      break;
    case 'cancel':
      await cancel(tx, row, now);
      break;
    case 'retry':
      requireState(row, ['running', 'paused']);
      break;
    case 'parallelism':
      requireState(row, ['running', 'paused']);
      await tx.run(`UPDATE backfill SET parallelism = $2 WHERE run_group_id = $1`, [
        row.id,
        action.parallelism,
      ]);
      await writeEvents(tx, now, [backfillEvent(row, row.state)]);
      break;
    case 'skip':
      requireState(row, ['running', 'paused']);
      await skip(tx, row, action.bizdates, now);
      break;
  }
  return row;
}

async function lockBackfill(tx: Sql, command: BackfillCommand): Promise<BackfillRow> {
  const [row] = await tx.rows<BackfillRow>(
    `SELECT run_group_id AS id, workspace_id AS "workspaceId", plan_day AS "planDay", state, parallelism
       FROM backfill WHERE run_group_id = $1 AND workspace_id = $2 FOR UPDATE`,
    [command.runGroupId, command.workspaceId],
  );
  if (row !== undefined) return row;
  throw new MillraceError('MR-A104', 'there is no such backfill in this workspace');
}

function requireState(row: BackfillRow, allowed: readonly BackfillState[]): void {
  if (allowed.includes(row.state)) return;
  throw new MillraceError('MR-S133', `It is ${row.state}.`);
}

async function setState(
  tx: Sql,
  row: BackfillRow,
  allowed: readonly BackfillState[],
  to: BackfillState,
  now: Date,
): Promise<void> {
  requireState(row, allowed);
  if (row.state === to) return;
  await tx.run(
    `UPDATE backfill SET state = $2, error_code = NULL, error_detail = NULL,
            paused_at = NULL WHERE run_group_id = $1`,
    [row.id, to],
  );
  await writeEvents(tx, now, [backfillEvent(row, to)]);
}

/** The instances follow in transactions of their own; a scheduler goes on with them if this one dies. */
async function cancel(tx: Sql, row: BackfillRow, now: Date): Promise<void> {
  if (row.state === 'cancelling' || row.state === 'cancelled') return;
  await setState(tx, row, ['running', 'paused'], 'cancelling', now);
  await tx.run(
    `UPDATE backfill_date SET state = 'cancelled', ended_at = $2
      WHERE run_group_id = $1 AND state IN ('waiting', 'open')`,
    [row.id, now],
  );
}

async function skip(
  tx: Sql,
  row: BackfillRow,
  bizdates: readonly string[],
  now: Date,
): Promise<void> {
  await refuseUnmade(tx, row, bizdates);
  const skipped = await tx.rows<{ bizdate: string; runs: readonly number[] }>(
    `UPDATE backfill_date SET state = 'skipped', ended_at = $3
      WHERE run_group_id = $1 AND bizdate = ANY($2::date[]) AND state IN ('waiting', 'open')
      RETURNING bizdate, workflow_instance_ids AS runs`,
    [row.id, bizdates, now],
  );
  const missing = bizdates.filter((bizdate) => skipped.every((each) => each.bizdate !== bizdate));
  if (missing.length > 0)
    throw new MillraceError(
      'MR-S134',
      `Not among its dates that are not over: ${missing.join(', ')}.`,
    );
  const scope = {
    planDay: row.planDay,
    runGroupId: row.id,
    workflowInstanceIds: skipped.flatMap((each) => each.runs),
  };
  while ((await cancelInstances(tx, scope, now)) > 0);
  // Not over before what comes after it in the chain can go on: the loop makes dry runs of its instances.
  await tx.run(
    `UPDATE backfill_date SET ended_at = NULL WHERE run_group_id = $1
        AND bizdate = ANY($2::date[])`,
    [row.id, await chainedDates(tx, row, bizdates)],
  );
  await writeEvents(
    tx,
    now,
    skipped.map(({ bizdate }) => ({
      workspaceId: row.workspaceId,
      type: 'backfill.date',
      payload: { runGroupId: row.id, bizdate, state: 'skipped' },
    })),
  );
}

/** What has no instances yet cannot be passed over: a later date may have to wait for one of them. */
async function refuseUnmade(
  tx: Sql,
  { id }: BackfillRow,
  bizdates: readonly string[],
): Promise<void> {
  const unmade = await tx.rows<{ bizdate: string }>(
    `SELECT bizdate FROM backfill_date
      WHERE run_group_id = $1 AND bizdate = ANY($2::date[]) AND state = 'waiting'
        AND workflow_instance_ids IS NULL ORDER BY no`,
    [id, bizdates],
  );
  if (unmade.length === 0) return;
  throw new MillraceError('MR-S192', `${unmade.map(({ bizdate }) => bizdate).join(', ')}.`);
}

/** Each in a transaction of its own, as a user would; one that may not run again stops no other. */
async function retryFailed(
  database: Database,
  row: BackfillRow,
  now: Date,
): Promise<{ retried: number; refused: number }> {
  const failed = await database.rows<{ id: number }>(
    `SELECT i.id FROM node_instance i
       JOIN backfill_date d ON d.run_group_id = i.run_group_id AND d.bizdate = i.bizdate
      WHERE i.plan_day = $1 AND i.run_group_id = $2 AND i.status = 'failed' AND d.state = 'open'
      ORDER BY i.id`,
    [row.planDay, row.id],
  );
  let refused = 0;
  for (const { id } of failed) {
    try {
      await database.transaction((tx) => rerunInstance(tx, { planDay: row.planDay, id }, now));
    } catch (error) {
      if (registeredCodeOf(error) !== 'MR-S205') throw error;
      refused++;
    }
  }
  return { retried: failed.length - refused, refused };
}
