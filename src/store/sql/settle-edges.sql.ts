import { endsAtOnce, moveOfChild } from '../../domain/instance/operation.js';
import type { EdgeOutcome } from '../../domain/instance/status.js';
import { NOT_STARTED_STATUSES } from '../../domain/instance/status.js';
import type { Move } from '../../domain/instance/transitions.js';
import type { Sql } from '../database.js';
import { closedDates, NOT_DUE } from './closed-dates.sql.js';
import { type InstanceKey, type InstanceRow, keyArrays, keyOf } from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { makeReady } from './make-ready.sql.js';
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

export function settlementOf(row: InstanceRow, outcome: EdgeOutcome): Settlement {
  return {
    ...keyOf(row),
    firstChildDay: row.first_child_day,
    lastChildDay: row.last_child_day,
    outcome,
  };
}

interface Child {
  readonly plan_day: string;
  readonly downstream_id: number;
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
 */
export async function settleEdges(
  tx: Sql,
  settlements: readonly Settlement[],
  now: Date,
): Promise<void> {
  let wave = [...settlements];
  let mayEnd = MAX_ENDED_AT_ONCE;
  while (wave.length > 0) {
    const next: Settlement[] = [];
    for (let at = 0; at < wave.length; at += CHUNK) {
      const ended = await settleChunk(tx, wave.slice(at, at + CHUNK), now, mayEnd);
      mayEnd -= ended.length;
      next.push(...ended);
    }
    wave = next;
  }
}

async function settleChunk(
  tx: Sql,
  settlements: readonly Settlement[],
  now: Date,
  mayEnd: number,
): Promise<Settlement[]> {
  const children = await findChildren(tx, settlements);
  if (children.length === 0) return [];
  const locked = await lockInstances(
    tx,
    children.map((child) => ({ planDay: child.plan_day, id: child.downstream_id })),
  );
  const open = locked.filter((row) =>
    (NOT_STARTED_STATUSES as readonly string[]).includes(row.status),
  );
  if (open.length === 0) return [];
  const deltas = await writeOutcomes(tx, settlements, open);
  return await moveChildren(tx, open, deltas, now, mayEnd);
}

async function findChildren(tx: Sql, settlements: readonly Settlement[]): Promise<Child[]> {
  const days = settlements.map((each) => each.firstChildDay).sort();
  const lastDays = settlements.map((each) => each.lastChildDay).sort();
  return await tx.rows<Child>(
    `SELECT DISTINCT plan_day, downstream_id FROM instance_edge
      WHERE plan_day BETWEEN $1::date AND $2::date AND upstream_id = ANY($3::bigint[]) AND NOT removed`,
    [days[0], lastDays.at(-1), settlements.map((each) => each.id)],
  );
}

async function writeOutcomes(
  tx: Sql,
  settlements: readonly Settlement[],
  children: readonly InstanceRow[],
): Promise<Map<number, number>> {
  const [days, ids] = keyArrays(children.map(keyOf));
  const rows = await tx.rows<{ downstream_id: number; delta: number }>(
    `WITH old AS (
       SELECT e.plan_day, e.downstream_id, e.upstream_id, e.outcome AS before, s.outcome AS after
         FROM instance_edge e
         JOIN unnest($3::bigint[], $4::text[]) AS s(upstream_id, outcome) USING (upstream_id)
        WHERE e.plan_day = ANY($1::date[]) AND e.downstream_id = ANY($2::bigint[])
          AND NOT e.removed AND e.outcome <> s.outcome
        ORDER BY e.downstream_id, e.upstream_id
        FOR UPDATE OF e
     ), changed AS (
       UPDATE instance_edge e SET outcome = old.after FROM old
        WHERE e.plan_day = old.plan_day AND e.downstream_id = old.downstream_id
          AND e.upstream_id = old.upstream_id
       RETURNING e.downstream_id,
         (old.after IN ('open', 'failed'))::int - (old.before IN ('open', 'failed'))::int AS delta
     )
     SELECT downstream_id, sum(delta)::int AS delta FROM changed GROUP BY downstream_id`,
    [days, ids, settlements.map((each) => each.id), settlements.map((each) => each.outcome)],
  );
  return new Map(rows.map((row) => [row.downstream_id, row.delta]));
}

/**
 * Moves locked children that have not started by what has changed of their edges; `deltas` is by how much
 * `pending` of each changes. What ends at once has to be settled in its turn.
 */
export async function moveChildren(
  tx: Sql,
  children: readonly InstanceRow[],
  deltas: ReadonlyMap<number, number>,
  now: Date,
  mayEnd = MAX_ENDED_AT_ONCE,
): Promise<Settlement[]> {
  const changed = children
    .map((row) => ({ row, delta: deltas.get(row.id) ?? 0 }))
    .filter((each) => each.delta !== 0);
  if (changed.length === 0) return [];
  await tx.run(
    `UPDATE node_instance i SET pending = i.pending + d.delta
       FROM unnest($1::date[], $2::bigint[], $3::int[]) AS d(plan_day, id, delta)
      WHERE i.plan_day = d.plan_day AND i.id = d.id`,
    [
      changed.map(({ row }) => row.plan_day),
      changed.map(({ row }) => row.id),
      changed.map(({ delta }) => delta),
    ],
  );
  const satisfied = changed
    .filter(({ row, delta }) => moveOfChild(row.status, row.pending + delta) === 'release')
    .map(({ row }) => row);
  const reopened = changed
    .filter(({ row, delta }) => moveOfChild(row.status, row.pending + delta) === 'takeBack')
    .map(({ row }) => row);
  await takeBack(tx, reopened, now);
  return await releaseSatisfied(tx, satisfied, now, mayEnd);
}

/** Children whose last edge is satisfied: skipped, due later, or ready at once. */
export async function releaseSatisfied(
  tx: Sql,
  satisfied: readonly InstanceRow[],
  now: Date,
  mayEnd = MAX_ENDED_AT_ONCE,
): Promise<Settlement[]> {
  if (satisfied.length === 0) return [];
  const skipped = await onlySkippedUpstreams(tx, satisfied);
  await markSkipped(tx, satisfied, skipped);
  const rows = satisfied.map((row) =>
    skipped.has(row.id) ? { ...row, dry_run: true, reason: 'skipped' } : row,
  );
  const closed = await closedDates(tx, rows);
  const dueAt = (row: InstanceRow): Date => (closed.has(row.id) ? NOT_DUE : row.run_at);
  const due = rows.filter((row) => dueAt(row) <= now);
  const ending = due.filter(rowEndsAtOnce);
  const later = [...rows.filter((row) => dueAt(row) > now), ...ending.slice(Math.max(0, mayEnd))];
  await waitForTime(tx, later, dueAt, now);
  await makeReady(
    tx,
    due.filter((row) => !rowEndsAtOnce(row)),
    now,
  );
  return await finishAtOnce(tx, ending.slice(0, Math.max(0, mayEnd)), skipped, now);
}

/**
 * A child is a dry run only if every same-cycle upstream was skipped (engine rule 10), and every one of
 * another cycle whose edge inherits. An edge that does not inherit takes skipped as a success.
 */
async function onlySkippedUpstreams(tx: Sql, rows: readonly InstanceRow[]): Promise<Set<number>> {
  const [days, ids] = keyArrays(rows.map(keyOf));
  const found = await tx.rows<{ downstream_id: number }>(
    `SELECT downstream_id FROM instance_edge
      WHERE plan_day = ANY($1::date[]) AND downstream_id = ANY($2::bigint[])
        AND (kind = 'same_cycle' OR inherits_dry_run) AND NOT removed
      GROUP BY downstream_id
     HAVING bool_and(outcome = 'skipped' AND coalesce(inherits_dry_run, true))`,
    [days, ids],
  );
  return new Set(found.map((row) => row.downstream_id));
}

async function markSkipped(
  tx: Sql,
  rows: readonly InstanceRow[],
  skipped: ReadonlySet<number>,
): Promise<void> {
  if (skipped.size === 0) return;
  const [days] = keyArrays(rows.map(keyOf));
  await tx.run(
    `UPDATE node_instance SET dry_run = true, reason = 'skipped'
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])`,
    [days, [...skipped]],
  );
}

async function waitForTime(
  tx: Sql,
  rows: readonly InstanceRow[],
  dueAt: (row: InstanceRow) => Date,
  now: Date,
): Promise<void> {
  if (rows.length === 0) return;
  const [days, ids] = keyArrays(rows.map(keyOf));
  await tx.run(
    `UPDATE node_instance SET status = 'waiting_time', upstream_done_at = $3
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])`,
    [days, ids, now],
  );
  await tx.run(
    `INSERT INTO due_instance (plan_day, instance_id, due_at)
     SELECT * FROM unnest($1::date[], $2::bigint[], $3::timestamptz[])
     ON CONFLICT (instance_id) DO UPDATE SET due_at = excluded.due_at`,
    [rows.map((row) => row.plan_day), ids, rows.map(dueAt)],
  );
  await writeEvents(
    tx,
    now,
    rows.map((row) => statusEvent(row, 'waiting_time')),
  );
}

export function rowEndsAtOnce({ dry_run: dryRun, slots, frozen }: InstanceRow): boolean {
  return endsAtOnce({ dryRun, slots, frozen });
}

/** Dry runs and nodes of zero load succeed without a worker; a skipped one passes "skipped" on. */
export async function finishAtOnce(
  tx: Sql,
  rows: readonly InstanceRow[],
  skipped: ReadonlySet<number>,
  now: Date,
): Promise<Settlement[]> {
  if (rows.length === 0) return [];
  const [days, ids] = keyArrays(rows.map(keyOf));
  await tx.run(
    `UPDATE node_instance SET status = 'succeeded', ended_at = $3,
            upstream_done_at = coalesce(upstream_done_at, $3),
            reason = CASE WHEN dry_run THEN coalesce(reason, 'dry_run') END
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])`,
    [days, ids, now],
  );
  await tx.run(`DELETE FROM due_instance WHERE instance_id = ANY($1::bigint[])`, [ids]);
  // One that lost its worker before its upstreams were rerun and skipped it.
  await closeRuns(
    tx,
    rows.filter((row) => row.epoch > 0).map((row) => row.id),
  );
  await recordLast(
    tx,
    rows.map((row) => ({ row, status: 'succeeded' })),
  );
  await writeEvents(
    tx,
    now,
    rows.map((row) => statusEvent(row, 'succeeded', { dryRun: row.dry_run })),
  );
  return rows.map((row) =>
    settlementOf(row, skipped.has(row.id) || row.reason === 'skipped' ? 'skipped' : 'success'),
  );
}

async function takeBack(tx: Sql, rows: readonly InstanceRow[], now: Date): Promise<void> {
  if (rows.length === 0) return;
  const [days, ids] = keyArrays(rows.map(keyOf));
  await tx.run(`DELETE FROM ready_instance WHERE instance_id = ANY($1::bigint[])`, [ids]);
  await tx.run(`DELETE FROM due_instance WHERE instance_id = ANY($1::bigint[])`, [ids]);
  await tx.run(
    `UPDATE node_instance SET status = 'waiting_upstream', upstream_done_at = NULL, ready_at = NULL,
            dry_run = dry_run_reason IS NOT NULL, reason = dry_run_reason
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])`,
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
