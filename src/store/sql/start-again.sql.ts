import type { RerunCode, RerunMode } from '../../domain/instance/operation.js';
import type { Sql } from '../database.js';
import { chunksOf } from './chunks.js';
import { holdDays } from './hold-days.sql.js';
import { daysOf, type InstanceKey, type InstanceRow, keyArrays, keyOf } from './instance-row.js';
import { lockInstances } from './lock-instances.sql.js';
import { releaseSatisfied } from './move-children.sql.js';
import { settleEdges } from './settle-edges.sql.js';
import { settlementOf } from './settlement.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

export interface RerunOptions {
  /** Upstreams that are not satisfied are passed over, for this run. */
  readonly isForced?: boolean;
  readonly code?: RerunCode | undefined;
}

export interface RerunRow extends InstanceRow {
  readonly rerun_mode: RerunMode;
}

/**
 * Locks instances that may be rerun, and their upstreams against ending meanwhile. Upstreams come before
 * their children, as a finish locks them: the other way round the two wait for each other. Among the
 * instances themselves the order is that of the ids.
 */
export async function lockForRerun(tx: Sql, keys: readonly InstanceKey[]): Promise<RerunRow[]> {
  await holdDays(tx, daysOf(keys.map((key) => key.planDay)));
  const own = new Set(keys.map((key) => key.id));
  const outside = new Map<number, InstanceKey>();
  for (const chunk of chunksOf(keys)) {
    for (const upstream of await upstreamsOf(tx, chunk))
      if (!own.has(upstream.id)) outside.set(upstream.id, upstream);
  }
  for (const chunk of chunksOf(inOrder([...outside.values()]))) {
    await tx.run(
      `SELECT FROM node_instance
        WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[]) ORDER BY id FOR SHARE`,
      keyArrays(chunk),
    );
  }
  const rows: RerunRow[] = [];
  for (const chunk of chunksOf(inOrder(keys)))
    rows.push(...(await withRerunModes(tx, await lockInstances(tx, chunk))));
  return rows;
}

function inOrder(keys: readonly InstanceKey[]): InstanceKey[] {
  return [...keys].sort((a, b) => a.id - b.id);
}

async function upstreamsOf(tx: Sql, keys: readonly InstanceKey[]): Promise<InstanceKey[]> {
  return await tx.rows<InstanceKey>(
    `SELECT DISTINCT upstream_plan_day AS "planDay", upstream_id AS id FROM instance_edge
      WHERE plan_day = ANY($1::date[]) AND downstream_id = ANY($2::bigint[]) AND (NOT removed OR forced)`,
    keyArrays(keys),
  );
}

async function withRerunModes(tx: Sql, rows: readonly InstanceRow[]): Promise<RerunRow[]> {
  const modes = await tx.rows<{ id: number; rerun_mode: RerunMode }>(
    `SELECT r.id, nv.rerun_mode FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
            AS r(id, version_id, node_id)
       JOIN node_version nv ON nv.version_id = r.version_id AND nv.node_id = r.node_id`,
    [rows.map((row) => row.id), rows.map((row) => row.version_id), rows.map((row) => row.node_id)],
  );
  const modeOf = new Map(modes.map((each) => [each.id, each.rerun_mode]));
  return rows.map((row) => ({ ...row, rerun_mode: modeOf.get(row.id) ?? 'always' }));
}

/**
 * Starts final instances again, all at once: each waits for those of them that are upstream of it. Edges
 * to children that have not started are opened, their own edges are written anew by what their upstreams
 * are now, and time and gates are checked again (engine rule 3). The rows are locked by {@link lockForRerun}.
 */
export async function startAgain(
  tx: Sql,
  rows: readonly InstanceRow[],
  now: Date,
  { isForced = false, code = 'latest' }: RerunOptions = {},
): Promise<void> {
  for (const chunk of chunksOf(rows)) await resetRuns(tx, chunk, now, code);
  // Only now: an upstream among them is not final any more.
  for (const chunk of chunksOf(rows)) await refreshEdges(tx, chunk);
  if (isForced) await passUpstreams(tx, rows);
  await settleEdges(
    tx,
    rows.map((row) => settlementOf(row, 'open')),
    now,
  );
  const free = [];
  for (const chunk of chunksOf(rows)) {
    const fresh = await lockInstances(tx, chunk.map(keyOf));
    free.push(...fresh.filter((row) => row.status === 'waiting_upstream' && row.pending === 0));
  }
  await settleEdges(tx, await releaseSatisfied(tx, free, now), now);
}

async function resetRuns(
  tx: Sql,
  rows: readonly InstanceRow[],
  now: Date,
  code: RerunCode,
): Promise<void> {
  await tx.run(
    `UPDATE node_instance SET status = 'waiting_upstream', epoch = epoch + 1,
            run_number = run_number + 1, attempt = 0, lost_leases = 0, returned = 0, upstream_done_at = NULL,
            ready_at = NULL, dispatched_at = NULL, started_at = NULL, ended_at = NULL,
            dry_run = dry_run_reason IS NOT NULL, reason = dry_run_reason, runs_planned = $3
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[])`,
    [...keyArrays(rows.map(keyOf)), code === 'planned'],
  );
  await writeEvents(
    tx,
    now,
    rows.map((row) =>
      statusEvent(row, 'waiting_upstream', {
        rerun: true,
        runNumber: row.run_number + 1,
        attempt: 0,
        dryRun: row.dry_run_reason !== null,
      }),
    ),
  );
}

/** Writes the edges into `rows` by the present state of their upstreams, which are locked. */
async function refreshEdges(tx: Sql, rows: readonly InstanceRow[]): Promise<void> {
  const [days, ids] = keyArrays(rows.map(keyOf));
  const upstreams = await upstreamsOf(tx, rows.map(keyOf));
  // First: what is being planned now turns an awaited edge into one that is seen only after it.
  await tx.run(
    `UPDATE awaited_edge SET forced = false WHERE downstream_id = ANY($1::bigint[]) AND forced`,
    [ids],
  );
  await tx.run(
    `UPDATE instance_edge SET removed = false, forced = false
      WHERE plan_day = ANY($1::date[]) AND downstream_id = ANY($2::bigint[]) AND forced`,
    [days, ids],
  );
  await tx.run(
    `UPDATE instance_edge e SET outcome = u.outcome
       FROM (SELECT id, CASE status WHEN 'succeeded' THEN CASE WHEN reason = 'skipped'
                      THEN 'skipped' ELSE 'success' END
                    WHEN 'failed' THEN 'failed' WHEN 'cancelled' THEN 'failed' ELSE 'open' END AS outcome
               FROM node_instance WHERE plan_day = ANY($3::date[]) AND id = ANY($4::bigint[])) u
      WHERE e.plan_day = ANY($1::date[]) AND e.downstream_id = ANY($2::bigint[])
        AND e.upstream_id = u.id AND NOT e.removed AND e.outcome <> u.outcome`,
    [days, ids, ...keyArrays(upstreams)],
  );
  await tx.run(
    `UPDATE node_instance i SET pending = coalesce(c.pending, 0)
       FROM unnest($2::bigint[]) AS k(id)
       LEFT JOIN (SELECT downstream_id, count(*)::int AS pending FROM (
                    SELECT downstream_id FROM instance_edge
                     WHERE plan_day = ANY($1::date[]) AND downstream_id = ANY($2::bigint[])
                       AND NOT removed AND outcome IN ('open', 'failed')
                    UNION ALL
                    SELECT downstream_id FROM awaited_edge WHERE downstream_id = ANY($2::bigint[])
                  ) open GROUP BY downstream_id) c ON c.downstream_id = k.id
      WHERE i.plan_day = ANY($1::date[]) AND i.id = k.id`,
    [days, ids],
  );
}

/**
 * Removes every edge that is not a success from locked instances, for this run, also those to upstreams
 * that have not been planned yet: what is skipped would make a dry run of an instance that somebody wants
 * to run.
 */
export async function passUpstreams(tx: Sql, rows: readonly InstanceRow[]): Promise<void> {
  const keys = keyArrays(rows.map(keyOf));
  // First: what is being planned now turns an awaited edge into one that is seen only after it.
  await tx.run(
    `UPDATE awaited_edge SET forced = true WHERE downstream_id = ANY($1::bigint[]) AND NOT forced`,
    [keys[1]],
  );
  await tx.run(
    `UPDATE instance_edge SET removed = true, forced = true
      WHERE plan_day = ANY($1::date[]) AND downstream_id = ANY($2::bigint[])
        AND NOT removed AND outcome <> 'success'`,
    keys,
  );
  await tx.run(
    `UPDATE node_instance SET pending = 0
      WHERE plan_day = ANY($1::date[]) AND id = ANY($2::bigint[]) AND pending <> 0`,
    keys,
  );
}
