import { isRegisteredCode } from '../../domain/error-registry.js';
import type { RerunMode } from '../../domain/instance/operation.js';
import { isRetried, retryDelayMs } from '../../domain/instance/retry.js';
import { HELD_STATUSES, type InstanceStatus, isFinal } from '../../domain/instance/status.js';
import type { Move } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import { storableJson, storableText } from '../storable.js';
import { INSTANCE_COLUMNS, type InstanceRow, keyArrays, keyOf } from './instance-row.js';
import { loseAttempts } from './lose-attempts.sql.js';
import { makeReadyAgain } from './make-ready.sql.js';
import { closeRuns, dropHeldAttempts } from './open-runs.sql.js';
import { takeBackLost } from './reap-lost-attempts.sql.js';
import { recordLast } from './record-last.sql.js';
import { settleEdges, settlementOf } from './settle-edges.sql.js';
import { type NewEvent, statusEvent, writeEvents } from './write-events.sql.js';

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
  readonly outcome: 'succeeded' | 'failed' | 'cancelled' | 'returned' | 'lost';
  /** Of an attempt that ends before anybody said that it had begun. */
  readonly startedMsAgo?: number;
  readonly errorCode?: string;
  readonly errorDetail?: string;
  /** What downstreams may take; absent: nothing, or what it kept before it committed. */
  readonly outputs?: Readonly<Record<string, string>>;
  /** What the attempt wrote down: rows, last progress. */
  readonly result: Readonly<Record<string, unknown>>;
}

interface HeldRow extends InstanceRow {
  readonly rerun_mode: RerunMode;
  readonly retry_max: number;
  readonly retry_interval_ms: number;
  readonly retry_factor: number;
  readonly retry_cap_ms: number;
  readonly writes_partitions: boolean;
  readonly stop_requested: boolean;
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
 * first, then, as later statements, their edges (engine rule 4). Returns the endings that were refused
 * because a newer attempt owns the instance; each leaves an event.
 */
export async function finishInstances(
  tx: Sql,
  endings: readonly Ending[],
  now: Date,
  between?: () => Promise<void>,
): Promise<Ending[]> {
  const rows = await lockHeld(tx, endings);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const ended: Ended[] = [];
  const returned: HeldRow[] = [];
  const lost: HeldRow[] = [];
  const refused: Ending[] = [];
  const taken = new Set<number>();
  for (const reported of endings) {
    const row = byId.get(reported.instanceId);
    const ending = row?.stop_requested === true ? stopped(reported) : reported;
    if (row === undefined || !isOwner(row, ending)) refused.push(reported);
    else if (taken.has(row.id)) refused.push(reported);
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
  await loseAttempts(tx, returned, now, 'Its worker gave it back.');
  await makeReadyAgain(tx, returned, now, 'returned');
  await takeBackLost(tx, lost, now, 'Its worker could not renew its lease and ended it.');
  await moveEnded(tx, ended, now);
  await keepRecords(tx, ended, now);
  await writeEvents(tx, now, [
    ...ended.map(endedEvent),
    ...refused.flatMap((ending) => {
      const row = byId.get(ending.instanceId);
      return row === undefined
        ? []
        : [
            {
              ...statusEvent(row, row.status, { epoch: ending.epoch }),
              type: 'instance.stale_result',
            },
          ];
    }),
  ]);
  await between?.();
  await settleEdges(
    tx,
    ended
      .filter(({ status }) => status !== 'retry_wait')
      .map(({ row, status }) => settlementOf(row, status === 'succeeded' ? 'success' : 'failed')),
    now,
  );
  return refused;
}

function endedEvent({ row, ending, status, began }: Ended): NewEvent {
  const { errorCode: code, errorDetail: detail } = ending;
  return statusEvent(row, status, {
    ...(began === null ? {} : { began }),
    ...(code === undefined ? {} : { code, detail }),
  });
}

/** By the clock of whoever keeps it: that of the worker may be hours off. */
function startOf(row: HeldRow, { startedMsAgo }: Ending, now: Date): Date | null {
  if (row.status !== 'dispatched' || startedMsAgo === undefined) return null;
  const start = now.getTime() - startedMsAgo;
  return new Date(Math.min(now.getTime(), Math.max(start, row.dispatched_at?.getTime() ?? start)));
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

async function lockHeld(tx: Sql, endings: readonly Ending[]): Promise<HeldRow[]> {
  const [days, ids] = keyArrays(
    endings.map((each) => ({ planDay: each.planDay, id: each.instanceId })),
  );
  const rows = await tx.rows<Omit<HeldRow, 'stop_requested'>>(
    `SELECT ${INSTANCE_COLUMNS}, nv.rerun_mode, nv.retry_max, nv.retry_interval_ms, nv.retry_factor,
            nv.retry_cap_ms,
            EXISTS (SELECT FROM node_output o WHERE o.version_id = i.version_id AND o.node_id = i.node_id)
              AS writes_partitions
       FROM node_instance i JOIN node_version nv ON nv.version_id = i.version_id AND nv.node_id = i.node_id
      WHERE i.plan_day = ANY($1::date[]) AND i.id = ANY($2::bigint[])
      ORDER BY i.id FOR NO KEY UPDATE OF i`,
    [days, ids],
  );
  // Only after the lock: a stop that was committed while this waited for it is not in the snapshot of
  // the statement above.
  const stops = await tx.rows<{ instance_id: number }>(
    `SELECT instance_id FROM running_attempt WHERE instance_id = ANY($1::bigint[]) AND stop_requested`,
    [ids],
  );
  const stopped = new Set(stops.map((each) => each.instance_id));
  return rows.map((row) => ({ ...row, stop_requested: stopped.has(row.id) }));
}

async function moveEnded(tx: Sql, ended: readonly Ended[], now: Date): Promise<void> {
  if (ended.length === 0) return;
  const days = ended.map(({ row }) => row.plan_day);
  const ids = ended.map(({ row }) => row.id);
  // Days and ids as values as well: by a join alone each statement is planned for all partitions there are,
  // and reads the whole of a small one.
  const partitions = [...new Set(days)];
  await tx.run(
    `UPDATE node_instance i SET status = e.status,
            started_at = coalesce(e.began, i.started_at),
            ended_at = CASE WHEN e.status = 'retry_wait' THEN NULL ELSE $4::timestamptz END
       FROM unnest($1::date[], $2::bigint[], $3::text[], $6::timestamptz[])
              AS e(plan_day, id, status, began)
      WHERE i.plan_day = e.plan_day AND i.id = e.id AND i.plan_day = ANY($5::date[])
        AND i.id = ANY($2::bigint[])`,
    [
      days,
      ids,
      ended.map(({ status }) => status),
      now,
      partitions,
      ended.map((each) => each.began),
    ],
  );
  await endAttempts(tx, ended, now);
  const later = ended.filter(({ status }) => !isFinal(status));
  await dropHeldAttempts(
    tx,
    ids,
    later.map(({ row }) => row.id),
  );
  // A first attempt finds nothing to close: nearly all of them are spared the statement.
  await closeRuns(
    tx,
    ended.filter(({ row, status }) => isFinal(status) && row.epoch > 1).map(({ row }) => row.id),
  );
  await waitForRetry(tx, later, now);
}

async function endAttempts(tx: Sql, ended: readonly Ended[], now: Date): Promise<void> {
  const days = ended.map(({ row }) => row.plan_day);
  const ids = ended.map(({ row }) => row.id);
  await tx.run(
    `UPDATE attempt a SET state = e.state, ended_at = $8, error_code = e.code, error_detail = e.detail,
            result = e.result, outputs = coalesce(e.outputs, a.outputs),
            started_at = coalesce(e.began, a.started_at)
       FROM unnest($1::date[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
              $9::jsonb[], $11::timestamptz[])
              AS e(plan_day, id, epoch, state, code, detail, result, outputs, began)
      WHERE a.plan_day = e.plan_day AND a.instance_id = e.id AND a.epoch = e.epoch
        AND a.plan_day = ANY($10::date[]) AND a.instance_id = ANY($2::bigint[])`,
    [
      days,
      ids,
      ended.map(({ ending }) => ending.epoch),
      ended.map(({ ending }) => ending.outcome),
      ended.map(({ ending }) => ending.errorCode ?? null),
      ended.map(({ ending }) =>
        ending.errorDetail === undefined ? null : storableText(ending.errorDetail),
      ),
      ended.map(({ ending }) => storableJson(ending.result)),
      now,
      ended.map(({ ending: { outputs } }) =>
        outputs === undefined ? null : JSON.stringify(outputs),
      ),
      [...new Set(days)],
      ended.map((each) => each.began),
    ],
  );
}

async function waitForRetry(tx: Sql, later: readonly Ended[], now: Date): Promise<void> {
  if (later.length === 0) return;
  await tx.run(
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

/** The last outcome of each node (engine rule 13) and the partitions a success has written (rule 15). */
async function keepRecords(tx: Sql, ended: readonly Ended[], now: Date): Promise<void> {
  const final = ended.flatMap(({ row, ending, status }) =>
    isFinal(status) ? [{ row, ending, status }] : [],
  );
  if (final.length === 0) return;
  await recordLast(tx, final);
  const succeeded = final.filter(
    ({ status, row }) => status === 'succeeded' && row.writes_partitions,
  );
  if (succeeded.length === 0) return;
  const [days] = keyArrays(succeeded.map(({ row }) => keyOf(row)));
  await tx.run(
    `INSERT INTO partition_record (workspace_id, data_source, table_name, partition, node_id, plan_day,
            instance_id, bizdate, scheduled_at, rows, written_at)
     -- Cycles of one node may share a partition and end in one batch: the last cycle's record stays.
     SELECT DISTINCT ON (1, 2, 3, 4, 5) i.workspace_id, o.data_source, o.table_name,
            coalesce(d.parameters ->> ('output.' || o.no), o.partition_expression), i.node_id, i.plan_day,
            i.id, i.bizdate, i.scheduled_at, e.rows, $4
       FROM unnest($2::bigint[], $3::bigint[]) AS e(id, rows)
       JOIN node_instance i ON i.id = e.id AND i.plan_day = ANY($1::date[]) AND i.id = ANY($2::bigint[])
       JOIN node_output o ON o.version_id = i.version_id AND o.node_id = i.node_id
       JOIN node_instance_detail d ON d.plan_day = i.plan_day AND d.instance_id = i.id
             AND d.plan_day = ANY($1::date[]) AND d.instance_id = ANY($2::bigint[])
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
