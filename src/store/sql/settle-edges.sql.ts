import { endsAtOnce, moveOfChild } from '../../domain/instance/operation.js';
import type { EdgeOutcome } from '../../domain/instance/status.js';
import { NOT_STARTED_STATUSES } from '../../domain/instance/status.js';
import type { Move } from '../../domain/instance/transitions.js';
import { FEW, type Sql } from '../database.js';
import { closedDates, NOT_DUE } from './closed-dates.sql.js';
import {
  type InstanceKey,
  type InstanceRow,
  keyArrays,
  keyOf,
  WAITING_COLUMNS,
  type WaitingRow,
  onDays,
} from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { type InstanceMove, moveInstances } from './move-instances.sql.js';
import { closeRuns } from './open-runs.sql.js';
import { recordLast } from './record-last.sql.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

export const SETTLE_EDGES_MOVES: readonly Move[] = [
  { from: ['waiting_upstream'], events: ['upstream_done'], to: 'waiting_time' },
  {
    from: ['waiting_time', 'waiting_resource', 'gated'],
    events: ['upstream_reopened'],
    to: 'waiting_upstream',
  },
];

/** An instance whose edges to its children have to say something else now. The caller holds its lock. */
export interface Settlement extends InstanceKey {
  /** The plan days of all its children lie from the first to the last. */
  readonly firstChildDay: string;
  readonly lastChildDay: string;
  readonly outcome: EdgeOutcome;
}

export function settlementOf(
  row: Pick<InstanceRow, 'plan_day' | 'id' | 'first_child_day' | 'last_child_day'>,
  outcome: EdgeOutcome,
): Settlement {
  return {
    ...keyOf(row),
    firstChildDay: row.first_child_day,
    lastChildDay: row.last_child_day,
    outcome,
  };
}

/** What a change of edges has brought forward. */
interface Released {
  /** What has ended at once, and has to be settled in its turn. */
  readonly ended: readonly Settlement[];
  /** Resource groups in which something has become ready. */
  readonly groups: readonly number[];
}

const CHUNK = 500;

/**
 * Dry runs, skipped ones and nodes of zero load end in the transaction that lets them go, up to so many:
 * the rest waits for the releaser, or one transaction would hold the locks of a whole day.
 */
const MAX_ENDED_AT_ONCE = 1_000;

/**
 * The one statement behind finish, set success, rerun, dry run and stop (engine rule 3): writes the new
 * outcome on the edges to children that have not started, derives each child's `pending` from the edges
 * that really changed, and moves the children for whom that decides something.
 *
 * It must be a second statement of the transaction that has already changed the upstream row: as one CTE
 * an edge inserted meanwhile is missed and its child waits for ever (engine rule 4).
 *
 * Returns the resource groups in which something has become ready.
 */
export async function settleEdges(
  tx: Sql,
  settlements: readonly Settlement[],
  now: Date,
): Promise<ReadonlySet<number>> {
  const ready = new Set<number>();
  let wave = [...settlements];
  let mayEnd = MAX_ENDED_AT_ONCE;
  while (wave.length > 0) {
    const next: Settlement[] = [];
    for (let at = 0; at < wave.length; at += CHUNK) {
      const { ended, groups } = await settleChunk(tx, wave.slice(at, at + CHUNK), now, mayEnd);
      mayEnd -= ended.length;
      next.push(...ended);
      for (const group of groups) ready.add(group);
    }
    wave = next;
  }
  return ready;
}

async function settleChunk(
  tx: Sql,
  settlements: readonly Settlement[],
  now: Date,
  mayEnd: number,
): Promise<Released> {
  const locked = await lockChildren(tx, settlements);
  const open = locked.filter((row) =>
    (NOT_STARTED_STATUSES as readonly string[]).includes(row.status),
  );
  if (open.length === 0) return { ended: [], groups: [] };
  if (open.length > FEW) await tx.expectMany();
  const changes = await writeOutcomes(tx, settlements, open);
  return await moveChanged(tx, open, changes, now, mayEnd);
}

/**
 * The children in id order, as everybody locks instances. The lateral limits the planner to the index: for a plan
 * of this evening, which nothing has analysed yet, it takes each upstream for one with hundreds of children and
 * reads the whole partition.
 *
 *   LockRows  ->  Index Scan using node_instance_20261123_pkey on node_instance_20261123 i
 *     InitPlan  ->  Unique  ->  Nested Loop: Function Scan on s,
 *                     Bitmap Index Scan on instance_edge_20261123_upstream_id_plan_day_idx
 */
async function lockChildren(tx: Sql, settlements: readonly Settlement[]): Promise<WaitingRow[]> {
  const [first, last] = childDays(settlements);
  return await tx.rows<WaitingRow>(
    `SELECT ${WAITING_COLUMNS} FROM node_instance i
      WHERE i.plan_day BETWEEN $1::date AND $2::date AND i.id = ANY(ARRAY(
              SELECT DISTINCT e.downstream_id
                FROM unnest($3::bigint[]) AS s(upstream_id)
               CROSS JOIN LATERAL (
                 SELECT downstream_id FROM instance_edge
                  WHERE plan_day BETWEEN $1::date AND $2::date AND upstream_id = s.upstream_id
                    AND NOT removed
                 OFFSET 0) e))
      ORDER BY i.id FOR NO KEY UPDATE`,
    [first, last, settlements.map((each) => each.id)],
  );
}

function childDays(settlements: readonly Settlement[]): [first: string, last: string] {
  const days = settlements.flatMap((each) => [each.firstChildDay, each.lastChildDay]).sort();
  return [days[0] ?? '', days.at(-1) ?? ''];
}

/**
 * The edges themselves need no lock: whoever changes one has locked its child, or its upstream and writes of
 * no child that has not started. By `ctid` each is looked for once, though the update needs what it was; by the
 * upstreams as well, because a kept plan may be of a time when reading the whole partition was little.
 *
 *   CTE old  ->  Nested Loop: Function Scan on s,
 *                  Bitmap Index Scan on instance_edge_20261123_upstream_id_plan_day_idx
 *   Update on instance_edge e  ->  Hash Join: the same index, Hash  ->  CTE Scan on old
 */
async function writeOutcomes(
  tx: Sql,
  settlements: readonly Settlement[],
  children: readonly WaitingRow[],
): Promise<Map<number, ChildChange>> {
  const [days, ids] = keyArrays(children.map(keyOf));
  const rows = await tx.rows<{ downstream_id: number; delta: number; runs: boolean }>(
    `WITH old AS MATERIALIZED (
       SELECT e.*, s.outcome AS after
         FROM unnest($3::bigint[], $4::text[]) AS s(upstream_id, outcome)
        CROSS JOIN LATERAL (
          SELECT tableoid AS part, ctid AS place, outcome AS before FROM instance_edge
           WHERE plan_day ${onDays('$1')} AND upstream_id = s.upstream_id
             AND downstream_id = ANY($2::bigint[]) AND NOT removed AND outcome <> s.outcome
          OFFSET 0) e
     ), changed AS (
       UPDATE instance_edge e SET outcome = old.after FROM old
        WHERE e.ctid = old.place AND e.tableoid = old.part AND e.upstream_id = ANY($3::bigint[])
          AND e.plan_day ${onDays('$1')}
       RETURNING e.downstream_id,
         (old.after IN ('open', 'failed'))::int - (old.before IN ('open', 'failed'))::int AS delta,
         old.after <> 'skipped' AND (e.kind = 'same_cycle' OR coalesce(e.inherits_dry_run, false)) AS runs
     )
     SELECT downstream_id, sum(delta)::int AS delta, bool_or(runs) AS runs
       FROM changed GROUP BY downstream_id`,
    [days, ids, settlements.map((each) => each.id), settlements.map((each) => each.outcome)],
  );
  return new Map(rows.map(({ downstream_id: id, delta, runs }) => [id, { delta, runs }]));
}

/** What has changed of the edges of a child. */
interface ChildChange {
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

async function moveChanged(
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
