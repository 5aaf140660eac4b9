import { endsAtOnce, moveOfChild } from '../../domain/instance/operation.js';
import type { Move } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import { closedDates, NOT_DUE } from './closed-dates.sql.js';
import { keyArrays, keyOf, type WaitingRow, onDays } from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { type InstanceMove, moveInstances } from './move-instances.sql.js';
import { closeRuns } from './open-runs.sql.js';
import { recordLast } from './record-last.sql.js';
import { type Settlement, settlementOf } from './settlement.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

export const MOVE_CHILDREN_MOVES: readonly Move[] = [
  { from: ['waiting_upstream'], events: ['upstream_done'], to: 'waiting_time' },
  {
    from: ['waiting_time', 'waiting_resource', 'gated'],
    events: ['upstream_reopened'],
    to: 'waiting_upstream',
  },
];

/** What a change of edges has brought forward. */
export interface Released {
  /** What has ended at once, and has to be settled in its turn. */
  readonly ended: readonly Settlement[];
  /** Resource groups in which something has become ready. */
  readonly groups: readonly number[];
}

/**
 * Dry runs, skipped ones and nodes of zero load end in the transaction that lets them go, up to so many:
 * the rest waits for the releaser, or one transaction would hold the locks of a whole day.
 */
export const MAX_ENDED_AT_ONCE = 1_000;

/** What has changed of the edges of a child. */
export interface ChildChange {
  /** By how much its `pending` changes. */
  readonly delta: number;
  /** One of them alone says that it is not skipped. */
  readonly runs: boolean;
}

/**
 * Moves locked children that have not started by how much `pending` of each changes. What ends at once has to be
 * settled in its turn.
 */
export async function moveChildren(
  tx: Sql,
  children: readonly WaitingRow[],
  deltas: ReadonlyMap<number, number>,
  now: Date,
): Promise<readonly Settlement[]> {
  const changes = new Map([...deltas].map(([id, delta]) => [id, { delta, runs: false }]));
  return (await moveChanged(tx, children, changes, now, MAX_ENDED_AT_ONCE)).ended;
}

export async function moveChanged(
  tx: Sql,
  children: readonly WaitingRow[],
  changes: ReadonlyMap<number, ChildChange>,
  now: Date,
  mayEnd: number,
): Promise<Released> {
  const changed = children
    .map((row) => ({ row, delta: 0, runs: false, ...changes.get(row.id) }))
    .filter((each) => each.delta !== 0);
  const satisfied = changed.filter(
    ({ row, delta }) => moveOfChild(row.status, row.pending + delta) === 'release',
  );
  const isReleased = new Set(satisfied.map(({ row }) => row.id));
  const counted = changed.filter(({ row }) => !isReleased.has(row.id));
  const released = await release(tx, satisfied, counted, now, mayEnd);
  await takeBack(
    tx,
    counted.filter(({ row, delta }) => moveOfChild(row.status, row.pending + delta) === 'takeBack'),
    now,
  );
  return released;
}

/** Children whose last edge is satisfied: skipped, due later, or ready at once. */
export async function releaseSatisfied(
  tx: Sql,
  satisfied: readonly WaitingRow[],
  now: Date,
): Promise<readonly Settlement[]> {
  const counted = satisfied.map((row) => ({ row, delta: 0, runs: false }));
  return (await release(tx, counted, [], now, MAX_ENDED_AT_ONCE)).ended;
}

interface Counted extends ChildChange {
  readonly row: WaitingRow;
}

/** Releases what is satisfied and counts the others, in one update of both. */
async function release(
  tx: Sql,
  satisfied: readonly Counted[],
  counted: readonly Counted[],
  now: Date,
  mayEnd: number,
): Promise<Released> {
  const rows = satisfied.map(({ row }) => row);
  const skipped = await onlySkippedUpstreams(
    tx,
    satisfied.flatMap(({ row, runs }) => (runs ? [] : [row])),
  );
  const closed = await closedDates(tx, rows);
  const dueAt = (row: WaitingRow): Date => (closed.has(row.id) ? NOT_DUE : row.run_at);
  const endsNow = (row: WaitingRow): boolean =>
    endsAtOnce({
      dryRun: row.dry_run || skipped.has(row.id),
      slots: row.slots,
      frozen: row.frozen,
    });
  const due = rows.filter((row) => dueAt(row) <= now);
  const ending = due.filter(endsNow).slice(0, Math.max(0, mayEnd));
  const ready = due.filter((row) => !endsNow(row));
  const decided = new Map<number, NonNullable<InstanceMove['to']>>([
    ...ending.map((row) => [row.id, 'succeeded'] as const),
    ...ready.map((row) => [row.id, 'waiting_resource'] as const),
  ]);
  await moveInstances(
    tx,
    [
      ...satisfied.map(({ row, delta }) => ({
        row,
        delta,
        to: decided.get(row.id) ?? ('waiting_time' as const),
        isSkipped: skipped.has(row.id),
      })),
      ...counted,
    ],
    now,
  );
  await waitForTime(
    tx,
    rows.filter((row) => !decided.has(row.id)),
    dueAt,
  );
  // The others came from their upstreams, and nothing waits for a time before these have ended.
  await notDueAnyMore(
    tx,
    ready.filter((row) => row.status !== 'waiting_upstream'),
  );
  return {
    ended: await settlementsOfEnded(tx, ending, skipped),
    groups: ready.map((row) => row.resource_group_id),
  };
}

/**
 * A child is a dry run only if every same-cycle upstream was skipped (engine rule 10), and every one of
 * another cycle whose edge inherits. An edge that does not inherit takes skipped as a success.
 */
async function onlySkippedUpstreams(tx: Sql, rows: readonly WaitingRow[]): Promise<Set<number>> {
  if (rows.length === 0) return new Set();
  const [days, ids] = keyArrays(rows.map(keyOf));
  const found = await tx.rows<{ downstream_id: number }>(
    `SELECT downstream_id FROM instance_edge
      WHERE plan_day ${onDays('$1')} AND downstream_id = ANY($2::bigint[])
        AND (kind = 'same_cycle' OR inherits_dry_run) AND NOT removed
      GROUP BY downstream_id
     HAVING bool_and(outcome = 'skipped' AND coalesce(inherits_dry_run, true))`,
    [days, ids],
  );
  return new Set(found.map((row) => row.downstream_id));
}

async function waitForTime(
  tx: Sql,
  rows: readonly WaitingRow[],
  dueAt: (row: WaitingRow) => Date,
): Promise<void> {
  if (rows.length === 0) return;
  await tx.send(
    `INSERT INTO due_instance (plan_day, instance_id, due_at)
     SELECT * FROM unnest($1::date[], $2::bigint[], $3::timestamptz[])
     ON CONFLICT (instance_id) DO UPDATE SET due_at = excluded.due_at`,
    [rows.map((row) => row.plan_day), rows.map((row) => row.id), rows.map(dueAt)],
  );
}

async function notDueAnyMore(tx: Sql, rows: readonly WaitingRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.send(`DELETE FROM due_instance WHERE instance_id = ANY($1::bigint[])`, [
    rows.map((row) => row.id),
  ]);
}

export function rowEndsAtOnce({ dry_run: dryRun, slots, frozen }: WaitingRow): boolean {
  return endsAtOnce({ dryRun, slots, frozen });
}

/** Dry runs and nodes of zero load succeed without a worker. */
export async function finishAtOnce(
  tx: Sql,
  rows: readonly WaitingRow[],
  now: Date,
): Promise<Settlement[]> {
  await moveInstances(
    tx,
    rows.map((row) => ({ row, delta: 0, to: 'succeeded' })),
    now,
  );
  return await settlementsOfEnded(tx, rows, new Set());
}

/** What has just ended at once is noted as such; a skipped one passes "skipped" on. */
async function settlementsOfEnded(
  tx: Sql,
  rows: readonly WaitingRow[],
  skipped: ReadonlySet<number>,
): Promise<Settlement[]> {
  if (rows.length === 0) return [];
  await notDueAnyMore(tx, rows);
  // One that lost its worker before its upstreams were rerun and skipped it.
  await closeRuns(
    tx,
    rows.filter((row) => row.epoch > 0).map((row) => row.id),
  );
  await recordLast(
    tx,
    rows.map((row) => ({ row, status: 'succeeded' })),
  );
  return rows.map((row) =>
    settlementOf(row, skipped.has(row.id) || row.reason === 'skipped' ? 'skipped' : 'success'),
  );
}

async function takeBack(tx: Sql, reopened: readonly Counted[], now: Date): Promise<void> {
  if (reopened.length === 0) return;
  const rows = await lockInstances(
    tx,
    reopened.map(({ row }) => keyOf(row)),
  );
  const [days, ids] = keyArrays(rows.map(keyOf));
  await tx.send(`DELETE FROM ready_instance WHERE instance_id = ANY($1::bigint[])`, [ids]);
  await tx.send(`DELETE FROM due_instance WHERE instance_id = ANY($1::bigint[])`, [ids]);
  await tx.send(
    `UPDATE node_instance SET status = 'waiting_upstream', upstream_done_at = NULL, ready_at = NULL,
            dry_run = dry_run_reason IS NOT NULL, reason = dry_run_reason
      WHERE plan_day ${onDays('$1')} AND id = ANY($2::bigint[])`,
    [days, ids],
  );
  await writeEvents(
    tx,
    now,
    rows.map((row) =>
      statusEvent(row, 'waiting_upstream', { dryRun: row.dry_run_reason !== null }),
    ),
  );
}
