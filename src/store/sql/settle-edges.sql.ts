import { NOT_STARTED_STATUSES } from '../../domain/instance/status.js';
import { FEW, type Sql } from '../database.js';
import { keyArrays, keyOf, WAITING_COLUMNS, type WaitingRow, onDays } from './instance-row.js';
import {
  type ChildChange,
  MAX_ENDED_AT_ONCE,
  moveChanged,
  type Released,
} from './move-children.sql.js';
import type { Settlement } from './settlement.js';

const CHUNK = 500;

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
