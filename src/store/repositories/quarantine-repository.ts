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
  /** It was begun before, and nobody has heard its end. */
  readonly isOlder: boolean;
  readonly attempt: ClaimedRow;
}

export interface RefusedRecord {
  /** Index into {@link Replay.records}. */
  readonly no: number;
  readonly column?: string | undefined;
  readonly code: string;
  readonly reason: string;
}

/** Of a row that was too large, the quarantine has a part only. */
const TOO_LARGE = 'MR-D251';

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
        AND replay_no IS NULL AND replayed_at IS NULL AND code <> $7
        AND CASE stage WHEN 'source' THEN jsonb_array_length(columns)
                       ELSE jsonb_array_length(cells) END = $6
      RETURNING no`,
    [key.planDay, key.id, key.epoch, key.no, storableJson(cells), cells.length, TOO_LARGE],
  );
  if (changed.length > 0) return;
  const [found] = await sql.rows<{ cells: number; waits: boolean; code: string }>(
    `SELECT code, CASE stage WHEN 'source' THEN jsonb_array_length(columns)
                       ELSE jsonb_array_length(cells) END AS cells, replay_no IS NULL AND replayed_at IS NULL AS waits
       FROM dirty_record WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 AND no = $4`,
    [key.planDay, key.id, key.epoch, key.no],
  );
  if (found === undefined) throw new MillraceError('MR-A104', 'there is no such row');
  if (!found.waits) throw new MillraceError('MR-D221', 'the row is replayed or on its way');
  if (found.code === TOO_LARGE) {
    const what = 'only its begin is kept: raise maxRowBytes and rerun, so that it is read again';
    throw new MillraceError('MR-D221', what);
  }
  throw new MillraceError('MR-D221', `the row has ${found.cells} cells, not ${cells.length}`);
}

/** Rows of one try: they are written in one transaction, and travel in one piece. */
const TRIED_AT_ONCE = 1000;
const TRIED_BYTES = 8 * 1024 * 1024;

export interface WantedRecords {
  /** These alone; absent: all that wait. */
  readonly records?: readonly RecordKey[] | undefined;
  /** Behind this one. */
  readonly after?: RecordKey | undefined;
}

/**
 * Takes the next rows of the attempt that has published, as many as one try may have. Rows of a replay whose end
 * nobody has heard are taken again as they are, before any others: the ledger knows whether they have arrived.
 * `undefined`: none waits.
 */
export async function beginReplay(
  database: Database,
  { planDay, id }: InstanceKey,
  { records: wanted, after }: WantedRecords,
): Promise<Replay | undefined> {
  return await database.transaction(async (tx) => {
    const attempt = await publishedAttempt(tx, { planDay, id });
    const [begun] = (
      await tx.rows<{ replayNo: number }>(
        `SELECT replay_no AS "replayNo" FROM dirty_record
          WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 AND replay_no IS NOT NULL
          ORDER BY no LIMIT 1`,
        [planDay, id, attempt.epoch],
      )
    ).map(({ replayNo }) => replayNo);
    // In the order of their key, as everybody locks them.
    const records = await tx.rows<ReplayRow & RecordKey>(
      `SELECT d.epoch, d.no, d.cells, d.stage FROM dirty_record d
         JOIN (SELECT epoch, no, row_number() OVER (ORDER BY no) AS place,
                      sum(octet_length(cells::text)) OVER (ORDER BY no) AS bytes
                 FROM dirty_record
                WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 AND replayed_at IS NULL
                  AND stage <> 'source' AND replay_no IS NOT DISTINCT FROM $4
                  AND ($4::bigint IS NOT NULL OR no > $5 AND ($6::int[] IS NULL OR no = ANY ($6)))
                ORDER BY no LIMIT CASE WHEN $4::bigint IS NULL THEN ${TRIED_AT_ONCE} END) AS w
           ON w.epoch = d.epoch AND w.no = d.no
        WHERE d.plan_day = $1 AND d.instance_id = $2 AND d.epoch = $3
          AND ($4::bigint IS NOT NULL OR w.place = 1 OR w.bytes <= ${TRIED_BYTES})
        ORDER BY d.no FOR UPDATE OF d`,
      [
        planDay,
        id,
        attempt.epoch,
        begun ?? null,
        after?.epoch === attempt.epoch ? after.no : -1,
        wanted?.flatMap((key) => (key.epoch === attempt.epoch ? key.no : [])) ?? null,
      ],
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
    return { ...numbers, records, isOlder: begun !== undefined, attempt };
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
