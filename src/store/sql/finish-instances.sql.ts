import { isRegisteredCode } from '../../domain/error-registry.js';
import type { RerunMode } from '../../domain/instance/operation.js';
import { isRetried, retryDelayMs } from '../../domain/instance/retry.js';
import { HELD_STATUSES, type InstanceStatus, isFinal } from '../../domain/instance/status.js';
import type { Move } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import { storableJson, storableText } from '../storable.js';
import { type InstanceRow, keyArrays, keyOf, daysOf, onDays } from './instance-row.js';
import { loseAttempts } from './lose-attempts.sql.js';
import { lockInstances } from './lock-instances.sql.js';
import { makeReadyAgain } from './make-ready.sql.js';
import { closeRuns, droppedAttempts } from './open-runs.sql.js';
import { takeBackLost } from './reap-lost-attempts.sql.js';
import { LAST_OF_NODES, LATER_CYCLE_WINS } from './record-last.sql.js';
import { settleEdges } from './settle-edges.sql.js';
import { settlementOf } from './settlement.js';
import { batchOf, statusEvent, statusPayload, timeIn, writeEvents } from './write-events.sql.js';

export const FINISH_MOVES: readonly Move[] = [
  { from: [...HELD_STATUSES], events: ['succeeded'], to: 'succeeded' },
  { from: [...HELD_STATUSES], events: ['failed'], to: 'failed' },
  { from: [...HELD_STATUSES], events: ['stopped'], to: 'cancelled' },
  { from: [...HELD_STATUSES], events: ['retry_due_later'], to: 'retry_wait' },
];

/** What a worker says of one ended attempt. */
export interface Ending {
  readonly planDay: string;
  readonly instanceId: number;
  readonly epoch: number;
  /** Who says so; absent: whoever may take it from any worker. */
  readonly workerId?: number;
  readonly outcome: 'succeeded' | 'failed' | 'cancelled' | 'returned' | 'lost';
  /** Of an attempt that ends before anybody said that it had begun. */
  readonly startedAt?: Date;
  readonly errorCode?: string;
  readonly errorDetail?: string;
  /** What downstreams may take; absent: nothing, or what it kept before it committed. */
  readonly outputs?: Readonly<Record<string, string>>;
  /** What the attempt wrote down: rows, last progress. */
  readonly result: Readonly<Record<string, unknown>>;
}

interface HeldRow extends Pick<
  InstanceRow,
  | 'plan_day'
  | 'id'
  | 'node_id'
  | 'scheduled_at'
  | 'status'
  | 'epoch'
  | 'attempt'
  | 'lost_leases'
  | 'returned'
  | 'first_child_day'
  | 'last_child_day'
  | 'dispatched_at'
> {
  readonly rerun_mode: RerunMode;
  readonly retry_max: number;
  readonly retry_interval_ms: number;
  readonly retry_factor: number;
  readonly retry_cap_ms: number;
  readonly writes_partitions: boolean;
  /** `epoch:worker` of those of its attempts that are spoken of. */
  readonly given: readonly string[];
  readonly stop_requested: boolean;
}

export interface Finished {
  /** Resource groups in which something that waited for these has become ready. */
  readonly readyGroups: ReadonlySet<number>;
  /** Nothing was kept of it: a newer attempt owns the instance. */
  readonly overtaken: readonly Ending[];
  /** Nor of what was never given to who speaks of it: a group's token opens nothing of another's. */
  readonly foreign: readonly Ending[];
}

interface Ended {
  readonly row: HeldRow;
  readonly ending: Ending;
  readonly status: InstanceStatus;
  /** Its start, where this is the first that is heard of it. */
  readonly began: Date | null;
}

/**
 * Ends a batch of attempts, also of different workers, in the caller's one transaction: the instances
 * first, then, as later statements, their edges (engine rule 4). Each ending that a newer attempt has overtaken
 * leaves an event.
 */
export async function finishInstances(
  tx: Sql,
  endings: readonly Ending[],
  now: Date,
  between?: () => Promise<void>,
): Promise<Finished> {
  const rows = await lockHeld(tx, endings);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const ended: Ended[] = [];
  const returned: HeldRow[] = [];
  const lost: HeldRow[] = [];
  const overtaken: Ending[] = [];
  const foreign: Ending[] = [];
  const taken = new Set<number>();
  for (const reported of endings) {
    const row = byId.get(reported.instanceId);
    const ending = row?.stop_requested === true ? stopped(reported) : reported;
    if (row === undefined || !wasGiven(row, ending)) {
      foreign.push(reported);
      continue;
    }
    if (!isOwner(row, ending) || taken.has(row.id)) overtaken.push(reported);
    else if (ending.outcome === 'returned') returned.push(row);
    else if (ending.outcome === 'lost') lost.push(row);
    else
      ended.push({
        row,
        ending,
        status: statusAfter(row, ending.outcome, ending.errorCode),
        began: startOf(row, ending, now),
      });
    // A report that was sent again while the first one waited may be in the same batch.
    taken.add(reported.instanceId);
  }
  const back = await lockInstances(tx, returned.map(keyOf));
  await loseAttempts(tx, back, now, 'Its worker gave it back.');
  await makeReadyAgain(tx, back, now, 'returned');
  await takeBackLost(
    tx,
    await lockInstances(tx, lost.map(keyOf)),
    now,
    'Its worker could not renew its lease and ended it.',
  );
  await tellOvertaken(tx, overtaken, now);
  await moveEnded(tx, ended, now);
  await recordPartitions(tx, ended, now);
  await between?.();
  const readyGroups = await settleEdges(
    tx,
    ended
      .filter(({ status }) => status !== 'retry_wait')
      .map(({ row, status }) => settlementOf(row, status === 'succeeded' ? 'success' : 'failed')),
    now,
  );
  return { readyGroups, overtaken, foreign };
}

async function tellOvertaken(tx: Sql, overtaken: readonly Ending[], now: Date): Promise<void> {
  if (overtaken.length === 0) return;
  const rows = await lockInstances(
    tx,
    overtaken.map((each) => ({ planDay: each.planDay, id: each.instanceId })),
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  await writeEvents(
    tx,
    now,
    overtaken.flatMap(({ instanceId, epoch }) => {
      const row = byId.get(instanceId);
      return row === undefined
        ? []
        : [{ ...statusEvent(row, row.status, { epoch }), type: 'instance.stale_result' }];
    }),
  );
}

function startOf(row: HeldRow, { startedAt }: Ending, now: Date): Date | null {
  if (row.status !== 'dispatched' || startedAt === undefined) return null;
  const earliest = Math.max(startedAt.getTime(), row.dispatched_at?.getTime() ?? 0);
  return new Date(Math.min(now.getTime(), earliest));
}

function wasGiven(row: HeldRow, { workerId, epoch }: Ending): boolean {
  return workerId === undefined || row.given.includes(`${epoch}:${workerId}`);
}

function isOwner(row: HeldRow, ending: Ending): boolean {
  return row.epoch === ending.epoch && (HELD_STATUSES as readonly string[]).includes(row.status);
}

/** A stop that was asked for wins over coming again. */
function stopped(ending: Ending): Ending {
  if (ending.outcome !== 'returned' && ending.outcome !== 'lost') return ending;
  return {
    ...ending,
    outcome: 'cancelled',
    errorCode: 'MR-S203',
    errorDetail: 'A user stopped it.',
  };
}

function statusAfter(
  row: HeldRow,
  outcome: 'succeeded' | 'failed' | 'cancelled',
  errorCode: string | undefined,
): InstanceStatus {
  if (outcome !== 'failed') return outcome;
  const code = isRegisteredCode(errorCode) ? errorCode : undefined;
  return isRetried(code, executionsOf(row), { max: row.retry_max, rerunMode: row.rerun_mode })
    ? row.stop_requested
      ? 'cancelled'
      : 'retry_wait'
    : 'failed';
}

/** Neither a lost lease nor a worker that stops uses up the retries. */
function executionsOf(row: HeldRow): number {
  return row.attempt - row.lost_leases - row.returned;
}

function retryAt(row: HeldRow, now: Date): Date {
  const delayMs = retryDelayMs(executionsOf(row), {
    intervalMs: row.retry_interval_ms,
    factor: row.retry_factor,
    capMs: row.retry_cap_ms,
  });
  return new Date(now.getTime() + delayMs);
}

/**
 * With what its rules say of each, in one round trip.
 *
 *   LockRows  ->  Nested Loop
 *     ->  Index Scan using node_instance_20261123_pkey on node_instance_20261123 i
 *     ->  Index Scan using ix_node_version_latest on node_version nv
 */
async function lockHeld(tx: Sql, endings: readonly Ending[]): Promise<HeldRow[]> {
  const [days, ids] = keyArrays(
    endings.map((each) => ({ planDay: each.planDay, id: each.instanceId })),
  );
  const rows = await tx.rows<Omit<HeldRow, 'stop_requested'>>(
    `SELECT i.plan_day, i.id, i.node_id, i.scheduled_at, i.status, i.epoch, i.attempt, i.lost_leases, i.returned,
            coalesce(i.first_child_day, i.plan_day) AS first_child_day, i.last_child_day, i.dispatched_at,
            nv.rerun_mode, nv.retry_max, nv.retry_interval_ms, nv.retry_factor,
            nv.retry_cap_ms,
            EXISTS (SELECT FROM node_output o WHERE o.version_id = i.version_id AND o.node_id = i.node_id)
              AS writes_partitions,
            ARRAY(SELECT a.epoch || ':' || a.worker_id FROM attempt a
                   WHERE a.plan_day = i.plan_day AND a.instance_id = i.id AND a.epoch = ANY($3::int[])
            ) AS given
       FROM node_instance i JOIN node_version nv ON nv.version_id = i.version_id AND nv.node_id = i.node_id
      WHERE i.plan_day ${onDays('$1')} AND i.id = ANY($2::bigint[])
      ORDER BY i.id FOR NO KEY UPDATE OF i`,
    [days, ids, [...new Set(endings.map((each) => each.epoch))]],
  );
  // A success is one all the same.
  if (endings.every(({ outcome }) => outcome === 'succeeded'))
    return rows.map((row) => ({ ...row, stop_requested: false }));
  // Only after the lock: a stop that was committed while this waited for it is not in the snapshot of
  // the statement above.
  const stops = await tx.rows<{ instance_id: number }>(
    `SELECT instance_id FROM running_attempt WHERE instance_id = ANY($1::bigint[]) AND stop_requested`,
    [ids],
  );
  const stopped = new Set(stops.map((each) => each.instance_id));
  return rows.map((row) => ({ ...row, stop_requested: stopped.has(row.id) }));
}

const SAID = `${timeIn('began', 'e.began')} || coalesce(',"code":' || to_json(e.code)::text ||
    coalesce(',"detail":' || to_json(e.detail)::text, ''), '')`;

/**
 * Everything that an end changes beside its edges, in one statement: each is a round trip on the way from an
 * upstream to its downstreams. `DISTINCT ON` in the order of the nodes, so that two batches that end instances
 * of the same nodes lock them in one order (engine rule 13: their last outcome outlives them).
 *
 * Days and ids as values as well: by a join alone it would be planned for all partitions there are, and read
 * the whole of a small one.
 *
 *   Update on node_instance i  ->  Hash Join
 *     ->  Index Scan using node_instance_20261123_pkey on node_instance_20261123 i;  ->  Hash  ->  CTE Scan on e
 *   Update on attempt a  ->  Hash Join  ->  Bitmap Index Scan on attempt_20261123_pkey
 *   Delete on running_attempt  ->  Index Scan using running_attempt_pkey on running_attempt
 */
const END = `WITH e AS (
       SELECT * FROM unnest($1::date[], $2::bigint[], $3::text[], $4::timestamptz[], $5::int[], $6::text[],
              $7::text[], $8::text[], $9::jsonb[], $10::jsonb[], $11::bigint[], $12::timestamptz[])
              AS e(plan_day, id, status, began, epoch, outcome, code, detail, result, outputs, node_id,
              scheduled_at)
     ), moved AS (
       UPDATE node_instance i SET status = e.status, started_at = coalesce(e.began, i.started_at),
              ended_at = CASE WHEN e.status = 'retry_wait' THEN NULL ELSE $13::timestamptz END
         FROM e
        WHERE i.plan_day = e.plan_day AND i.id = e.id AND i.plan_day ${onDays('$14')}
          AND i.id = ANY($2::bigint[])
     ), told AS (
       -- All parts of a statement see the rows as they were before it.
       INSERT INTO event_outbox (workspace_id, type, at, events, payload)
       SELECT i.workspace_id, 'batch', $13::timestamptz, count(*),
              ${batchOf(statusPayload({ status: 'e.status', dryRun: 'i.dry_run', more: SAID }))}
         FROM e JOIN node_instance i ON i.plan_day = e.plan_day AND i.id = e.id
         LEFT JOIN resource_group g ON g.id = i.resource_group_id
         LEFT JOIN run_group r ON r.id = i.run_group_id
        WHERE i.plan_day ${onDays('$14')} AND i.id = ANY($2::bigint[])
        GROUP BY i.workspace_id
     ), recorded AS (
       UPDATE attempt a SET state = e.outcome, ended_at = $13, error_code = e.code, error_detail = e.detail,
              result = e.result, outputs = coalesce(e.outputs, a.outputs),
              started_at = coalesce(e.began, a.started_at)
         FROM e
        WHERE a.plan_day = e.plan_day AND a.instance_id = e.id AND a.epoch = e.epoch
          AND a.plan_day ${onDays('$14')} AND a.instance_id = ANY($2::bigint[])
     ), ${droppedAttempts('$2', `ARRAY(SELECT id FROM e WHERE status = 'retry_wait')`)}
     ${LAST_OF_NODES}
     SELECT DISTINCT ON (node_id) node_id, scheduled_at, plan_day, id, status FROM e
      WHERE status <> 'retry_wait' ORDER BY node_id, scheduled_at DESC, id DESC
     ${LATER_CYCLE_WINS}`;

async function moveEnded(tx: Sql, ended: readonly Ended[], now: Date): Promise<void> {
  if (ended.length === 0) return;
  const days = ended.map(({ row }) => row.plan_day);
  await tx.send(END, [
    days,
    ended.map(({ row }) => row.id),
    ended.map(({ status }) => status),
    ended.map((each) => each.began),
    ended.map(({ ending }) => ending.epoch),
    ended.map(({ ending }) => ending.outcome),
    ended.map(({ ending }) => ending.errorCode ?? null),
    ended.map(({ ending: { errorDetail } }) =>
      errorDetail === undefined ? null : storableText(errorDetail),
    ),
    ended.map(({ ending }) => storableJson(ending.result)),
    ended.map(({ ending: { outputs } }) =>
      outputs === undefined ? null : JSON.stringify(outputs),
    ),
    ended.map(({ row }) => row.node_id),
    ended.map(({ row }) => row.scheduled_at),
    now,
    daysOf(days),
  ]);
  // A first attempt finds nothing to close: nearly all of them are spared the statement.
  await closeRuns(
    tx,
    ended.filter(({ row, status }) => isFinal(status) && row.epoch > 1).map(({ row }) => row.id),
  );
  await waitForRetry(
    tx,
    ended.filter(({ status }) => !isFinal(status)),
    now,
  );
}

async function waitForRetry(tx: Sql, later: readonly Ended[], now: Date): Promise<void> {
  if (later.length === 0) return;
  await tx.send(
    `INSERT INTO due_instance (plan_day, instance_id, due_at)
     SELECT * FROM unnest($1::date[], $2::bigint[], $3::timestamptz[])
     ON CONFLICT (instance_id) DO UPDATE SET due_at = excluded.due_at`,
    [
      later.map(({ row }) => row.plan_day),
      later.map(({ row }) => row.id),
      later.map(({ row }) => retryAt(row, now)),
    ],
  );
}

/** The partitions that successes have written (engine rule 15). */
async function recordPartitions(tx: Sql, ended: readonly Ended[], now: Date): Promise<void> {
  const succeeded = ended.filter(
    ({ status, row }) => status === 'succeeded' && row.writes_partitions,
  );
  if (succeeded.length === 0) return;
  const [days] = keyArrays(succeeded.map(({ row }) => keyOf(row)));
  await tx.send(
    `INSERT INTO partition_record (workspace_id, data_source, table_name, partition, node_id, plan_day,
            instance_id, bizdate, scheduled_at, rows, written_at)
     -- Cycles of one node may share a partition and end in one batch: the last cycle's record stays.
     SELECT DISTINCT ON (1, 2, 3, 4, 5) i.workspace_id, o.data_source, o.table_name,
            coalesce(d.parameters ->> ('output.' || o.no), o.partition_expression), i.node_id, i.plan_day,
            i.id, i.bizdate, i.scheduled_at, e.rows, $4
       FROM unnest($2::bigint[], $3::bigint[]) AS e(id, rows)
       JOIN node_instance i ON i.id = e.id AND i.plan_day ${onDays('$1')} AND i.id = ANY($2::bigint[])
       JOIN node_output o ON o.version_id = i.version_id AND o.node_id = i.node_id
       JOIN node_instance_detail d ON d.plan_day = i.plan_day AND d.instance_id = i.id
             AND d.plan_day ${onDays('$1')} AND d.instance_id = ANY($2::bigint[])
      ORDER BY 1, 2, 3, 4, 5, i.scheduled_at DESC, i.id DESC
     ON CONFLICT (workspace_id, data_source, table_name, partition, node_id) DO UPDATE SET
       plan_day = excluded.plan_day, instance_id = excluded.instance_id, bizdate = excluded.bizdate,
       scheduled_at = excluded.scheduled_at, rows = excluded.rows, written_at = excluded.written_at`,
    [
      days,
      succeeded.map(({ row }) => row.id),
      succeeded.map(({ ending }) =>
        Number.isSafeInteger(ending.result['rows']) ? ending.result['rows'] : null,
      ),
      now,
    ],
  );
}
