import { MillraceError } from '../../domain/errors.js';
import type { StoredCell } from '../../domain/stored-cell.js';
import type { Database, Sql } from '../database.js';
import { storableJson } from '../storable.js';
import type { ClaimedRow } from '../sql/claim-ready-instances.sql.js';
import type { InstanceKey } from './instance-repository.js';
import type { ReplayRow } from './request-repository.js';

export interface RecordKey {
  readonly epoch: number;
  readonly no: number;
}

/** Rows on their way into the target, and the attempt that had kept them. */
export interface Replay {
  /** The same as long as the same rows are tried. */
  readonly replayNo: number;
  readonly tryNo: number;
  readonly records: readonly (ReplayRow & RecordKey)[];
  readonly attempt: ClaimedRow;
}

export interface RefusedRecord {
  /** Index into {@link Replay.records}. */
  readonly no: number;
  readonly column?: string | undefined;
  readonly code: string;
  readonly reason: string;
}

/** MR-A104 for a row that is not there, MR-D221 for one that is replayed or on its way. */
export async function editDirtyRecord(
  sql: Sql,
  key: InstanceKey & RecordKey,
  cells: readonly StoredCell[],
): Promise<void> {
  const changed = await sql.rows<{ no: number }>(
    // What was no row becomes one of the source, which a replay sends through the mapping.
    `UPDATE dirty_record
        SET cells = $5::jsonb, edited_at = clock_timestamp(),
            stage = CASE stage WHEN 'source' THEN 'mapping' ELSE stage END
      WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 AND no = $4
        AND replay_no IS NULL AND replayed_at IS NULL
        AND CASE stage WHEN 'source' THEN jsonb_array_length(columns)
                       ELSE jsonb_array_length(cells) END = $6
      RETURNING no`,
    [key.planDay, key.id, key.epoch, key.no, storableJson(cells), cells.length],
  );
  if (changed.length > 0) return;
  const [found] = await sql.rows<{ cells: number; waits: boolean }>(
    `SELECT CASE stage WHEN 'source' THEN jsonb_array_length(columns)
                       ELSE jsonb_array_length(cells) END AS cells, replay_no IS NULL AND replayed_at IS NULL AS waits
       FROM dirty_record WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 AND no = $4`,
    [key.planDay, key.id, key.epoch, key.no],
  );
  if (found === undefined) throw new MillraceError('MR-A104', 'there is no such row');
  if (!found.waits) throw new MillraceError('MR-D221', 'the row is replayed or on its way');
  throw new MillraceError('MR-D221', `the row has ${found.cells} cells, not ${cells.length}`);
}

/**
 * Takes rows of the attempt that has published. Rows of a replay whose end nobody has heard are taken again
 * as they are, before any others: the ledger knows whether they have arrived. `undefined`: none waits.
 */
export async function beginReplay(
  database: Database,
  { planDay, id }: InstanceKey,
  wanted: readonly RecordKey[] | undefined,
): Promise<Replay | undefined> {
  return await database.transaction(async (tx) => {
    const attempt = await publishedAttempt(tx, { planDay, id });
    // In the order of their key, as everybody locks them.
    const rows = await tx.rows<ReplayRow & RecordKey & { replayNo: number | null }>(
      `SELECT epoch, no, cells, stage, replay_no AS "replayNo" FROM dirty_record
        WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 AND replayed_at IS NULL
          AND stage <> 'source'
        ORDER BY epoch, no FOR UPDATE`,
      [planDay, id, attempt.epoch],
    );
    const [begun] = rows.flatMap((row) => row.replayNo ?? []);
    const isWanted = (row: RecordKey): boolean =>
      wanted === undefined || wanted.some((key) => key.epoch === row.epoch && key.no === row.no);
    const records = rows.filter((row) =>
      begun === undefined ? isWanted(row) : row.replayNo === begun,
    );
    if (records.length === 0) return undefined;
    const [numbers] = await tx.rows<{ replayNo: number; tryNo: number }>(
      `SELECT coalesce($1::bigint, nextval('replay_no')) AS "replayNo", nextval('replay_no') AS "tryNo"`,
      [begun ?? null],
    );
    if (numbers === undefined) throw new MillraceError('MR-A109', 'no number for a replay');
    await tx.run(
      `UPDATE dirty_record SET replay_no = $4
        WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 AND no = ANY ($5::int[])`,
      [planDay, id, attempt.epoch, numbers.replayNo, records.map((row) => row.no)],
    );
    return { ...numbers, records, attempt };
  });
}

async function publishedAttempt(tx: Sql, { planDay, id }: InstanceKey): Promise<ClaimedRow> {
  const [last] = await tx.rows<ClaimedRow & { state: string }>(
    `SELECT plan_day, instance_id AS id, epoch, run_number, attempt, fence, NULL AS settled_fence,
            version_id, state
       FROM attempt WHERE plan_day = $1 AND instance_id = $2 ORDER BY epoch DESC LIMIT 1`,
    [planDay, id],
  );
  if (last?.state === 'succeeded') return last;
  throw new MillraceError(
    'MR-D221',
    'its last run has published nothing: mend the source and rerun it',
  );
}

/** All of them are in the target. */
export async function endReplay(
  sql: Sql,
  { planDay, id }: InstanceKey,
  replay: Replay,
): Promise<void> {
  await sql.run(
    `UPDATE dirty_record SET replayed_at = clock_timestamp(), replay_no = NULL
      WHERE plan_day = $1 AND instance_id = $2 AND replay_no = $3`,
    [planDay, id, replay.replayNo],
  );
}

/** None of them is: each waits again, and those that were refused say why. */
export async function refuseReplay(
  database: Database,
  { planDay, id }: InstanceKey,
  replay: Replay,
  refused: readonly RefusedRecord[],
): Promise<void> {
  const reasons = refused.flatMap(({ no, column, code, reason }) => {
    const record = replay.records[no];
    return record === undefined ? [] : [{ no: record.no, column: column ?? null, code, reason }];
  });
  await database.transaction(async (tx) => {
    await tx.run(
      `UPDATE dirty_record d SET column_name = r."column", code = r.code, reason = r.reason
         FROM jsonb_to_recordset($4::jsonb) AS r(no int, "column" text, code text, reason text)
        WHERE d.plan_day = $1 AND d.instance_id = $2 AND d.replay_no = $3 AND d.no = r.no`,
      [planDay, id, replay.replayNo, storableJson(reasons)],
    );
    await tx.run(
      `UPDATE dirty_record SET replay_no = NULL
        WHERE plan_day = $1 AND instance_id = $2 AND replay_no = $3`,
      [planDay, id, replay.replayNo],
    );
  });
}

/** Name of the group whose workers run the instance. */
export async function resourceGroupOf(sql: Sql, { planDay, id }: InstanceKey): Promise<string> {
  const [row] = await sql.rows<{ name: string }>(
    `SELECT g.name FROM node_instance i JOIN resource_group g ON g.id = i.resource_group_id
      WHERE i.plan_day = $1 AND i.id = $2`,
    [planDay, id],
  );
  if (row === undefined) throw new MillraceError('MR-A104', 'the instance has gone');
  return row.name;
}
