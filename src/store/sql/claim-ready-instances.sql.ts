import type { Move } from '../../domain/instance/transitions.js';
import { FEW, type Sql } from '../database.js';
import { heldBackfills } from './held-backfills.js';
import { type InstanceRow, daysOf, onDays } from './instance-row.js';
import { openLanes, PLAIN_LANE } from './open-lanes.sql.js';
import { type Candidate, passCandidates, type Through } from './pass-gates.sql.js';
import { batchOf, statusPayload } from './write-events.sql.js';

export const CLAIM_MOVES: readonly Move[] = [
  { from: ['waiting_resource'], events: ['slot_granted'], to: 'dispatched' },
];

export interface ClaimAsk {
  readonly workerId: number;
  readonly resourceGroupId: number;
  readonly nodeTypes: readonly string[];
  /** What the worker has that nodes may ask for. */
  readonly labels: readonly string[];
  readonly limit: number;
  /**
   * Claims nothing where it would have to wait: while another transaction has the group's row, and where
   * something waits at a gate or for a label. For a transaction that has other locks.
   */
  readonly withoutWaiting?: boolean;
}

export interface ClaimedRow {
  readonly plan_day: string;
  readonly id: number;
  readonly epoch: number;
  readonly run_number: number;
  readonly attempt: number;
  readonly fence: number;
  /** All attempts of the node up to this fence belong to runs that are over; null: not known now. */
  readonly settled_fence: number | null;
  readonly version_id: number;
}

interface QueuedCandidate extends Candidate {
  /** No other transaction claims of its node now. */
  readonly alone: boolean;
}

interface GroupSlots {
  readonly slots: number;
  /** How many of them backfills may use. */
  readonly share: number;
  readonly draining: boolean;
  readonly gated: boolean;
  /** Something of a backfill waits in the plain lane. */
  readonly backfills: boolean;
  /** Something waits in another lane than the plain one. */
  readonly laned: boolean;
}

/** What a claim has taken, and what it has read of it. */
export interface Claimed<T> {
  readonly rows: readonly ClaimedRow[];
  readonly beside: T;
}

/** What this claim has decided to take so far. */
interface Taken extends Through {
  readonly candidates: QueuedCandidate[];
  readonly gates: Map<number, readonly number[]>;
  /** Also those that a gate has held. */
  readonly seen: Set<number>;
  /** Gates whose locks this claim holds. */
  readonly locked: Set<number>;
}

const NODE_LOCKS = 7_263_003;
/** How often a claim looks again because gates held what it had found. */
const MAX_LOOKS = 20;

/**
 * Hands ready instances of a group to one worker: rank by rank, only types it has, as many as the group
 * has free slots and the worker has places, and only what all its gates let through.
 *
 * The lock on the group's row makes claims of one group follow each other, so the sum over
 * `running_attempt` is exact and 10 slots are never 11 (engine rule 7), nor is the share of backfills
 * exceeded. Gates are over all groups and locked after it. `ON CONFLICT DO NOTHING` on (node, scheduled
 * time, path) leaves an instance waiting while another run group runs the same partition (rule 8).
 *
 * `beside` may read more of what is about to be taken, of which something may be left in the end; it is called
 * when something is.
 */
export async function claimReadyInstances<T>(
  tx: Sql,
  ask: ClaimAsk,
  now: Date,
  beside: (instances: readonly Pick<ClaimedRow, 'plan_day' | 'id'>[]) => Promise<T>,
): Promise<Claimed<T> | undefined> {
  const [group] = await tx.rows<GroupSlots>(
    `SELECT slots, slots * backfill_share / 100 AS share, draining, gated,
            EXISTS (SELECT FROM ready_instance WHERE resource_group_id = $1 AND gate_id = 0
                       AND labels = '' AND backfill_id > 0) AS backfills,
            EXISTS (SELECT FROM ready_instance WHERE resource_group_id = $1
                       AND (gate_id, labels) > (0, '')) AS laned
       FROM resource_group
      WHERE id = $1
            -- Looked at before the lock: where nothing is free nobody queues up for it. A slot that is
            -- given back meanwhile wakes whoever looked too early.
        AND slots > (SELECT coalesce(sum(a.slots), 0) FROM running_attempt a
                      WHERE a.resource_group_id = $1)
        FOR NO KEY UPDATE ${ask.withoutWaiting === true ? 'SKIP LOCKED' : ''}`,
    [ask.resourceGroupId],
  );
  if (group === undefined || group.draining) return undefined;
  if (ask.withoutWaiting === true && (group.gated || group.laned)) return undefined;
  const taken: Taken = {
    candidates: [],
    gates: new Map(),
    seen: new Set(),
    locked: new Set(),
  };
  for (let look = 1; look <= MAX_LOOKS; look++) {
    const found = await findCandidates(tx, ask, group, taken, now);
    for (const each of found) taken.seen.add(each.instance_id);
    if (found.length === 0 || (await decide(tx, ask, group, found, taken)) === found.length) break;
  }
  if (taken.candidates.length === 0) return undefined;
  if (taken.candidates.length > FEW) await tx.expectMany();
  const about = taken.candidates.map((each) => ({ plan_day: each.plan_day, id: each.instance_id }));
  const [rows, read] = await Promise.all([take(tx, ask, taken, now), beside(about)]);
  return { rows, beside: read };
}

/** How many of them it takes. */
async function decide(
  tx: Sql,
  ask: ClaimAsk,
  group: GroupSlots,
  found: readonly QueuedCandidate[],
  taken: Taken,
): Promise<number> {
  // A scheduling slot is asked for where something waits for it: other groups need not be gated for that.
  if (!group.gated && found.every((each) => each.gate_id === 0))
    return taken.candidates.push(...found);
  const { through, gates } = await passCandidates(tx, ask.resourceGroupId, found, taken);
  for (const each of through) {
    taken.candidates.push(each);
    taken.gates.set(each.instance_id, gates.get(each.instance_id) ?? []);
  }
  return through.length;
}

/**
 * The first of the queue that fit. Each lane is read by the index, in the order of the rank, and no further
 * than its limit: with 100,000 ready rows behind a closed gate the plan reads none of them.
 *
 *   Nested Loop
 *     ->  Function Scan on unnest l
 *     ->  Limit
 *           ->  Limit
 *                 ->  Nested Loop Anti Join
 *                       ->  Index Scan using ix_ready_instance_claim on ready_instance r
 *                       ->  Index Only Scan using running_attempt_node_id_scheduled_at_path_key
 */
async function findCandidates(
  tx: Sql,
  ask: ClaimAsk,
  group: GroupSlots,
  taken: Taken,
  now: Date,
): Promise<QueuedCandidate[]> {
  const limit = ask.limit - taken.candidates.length;
  if (limit <= 0) return [];
  const isLaned = group.laned || group.gated;
  const lanes = isLaned ? await openLanes(tx, ask.resourceGroupId, ask.labels) : [PLAIN_LANE];
  if (lanes.length === 0) return [];
  const withBackfills = group.backfills || isLaned;
  const backfilled = taken.candidates.filter((each) => each.backfill_id > 0);
  return await tx.rows<QueuedCandidate>(
    `WITH lane AS (
       SELECT * FROM unnest($5::bigint[], $6::text[], $7::int[], $11::int[])
                AS l(gate_id, labels, room, backfill_room)
     ), ${withBackfills ? QUEUE_WITH_BACKFILLS : QUEUE}, head AS (
       SELECT r.*, row_number() OVER (PARTITION BY r.node_id, r.scheduled_at, r.path
                                          ORDER BY r.rank, r.instance_id) AS nth FROM queue r
     ), filled AS (
       SELECT plan_day, instance_id, node_id, node_type, gate_id, backfill_id, slots, rank,
              sum(slots) OVER (ORDER BY rank, instance_id) AS upto
         FROM head WHERE nth = 1 ORDER BY rank, instance_id LIMIT $3
     )
     -- A node that has just changed its group may be claimed in both: what one of the two has drawn the
     -- other does not see, and must not call over. Taken before the snapshot of the next statement.
     SELECT plan_day, instance_id, node_id, node_type, gate_id, backfill_id, filled.slots,
            pg_try_advisory_xact_lock(${NODE_LOCKS}, (node_id % 2147483647)::int) AS alone
       FROM filled, used
      WHERE filled.upto <= $4::int - used.slots - $8::int
        -- Whoever drains the worker has had the group's lock since, or waits for it.
        AND EXISTS (SELECT FROM worker WHERE id = $10 AND NOT draining)
      ORDER BY rank, instance_id`,
    [
      ask.resourceGroupId,
      ask.nodeTypes,
      limit,
      group.slots,
      lanes.map((lane) => lane.gate_id),
      lanes.map((lane) => lane.labels),
      lanes.map((lane) => lane.room),
      slotsOf(taken.candidates),
      [...taken.seen],
      ask.workerId,
      lanes.map((lane) => lane.backfill_room),
      ...(withBackfills ? [group.share, now, slotsOf(backfilled)] : []),
    ],
  );
}

function slotsOf(candidates: readonly Candidate[]): number {
  return candidates.reduce((sum, each) => sum + each.slots, 0);
}

/**
 * The first of each lane that the worker can run and no other run group runs now. The inner limit is the one
 * the planner knows: by the outer one alone it would prepare for a tenth of the queue.
 */
function readyOf(which: string, room = 'lane.room'): string {
  return `SELECT r.* FROM lane CROSS JOIN LATERAL (
         SELECT * FROM (
           SELECT r.plan_day, r.instance_id, r.node_id, r.node_type, r.scheduled_at, r.path, r.rank, r.slots,
                  r.gate_id, r.backfill_id
             FROM ready_instance r
            WHERE r.resource_group_id = $1 AND r.gate_id = lane.gate_id AND r.labels = lane.labels
              AND ${which} AND r.node_type = ANY($2::text[]) AND r.slots <= $4::int
              AND r.instance_id <> ALL($9::bigint[])
              AND NOT EXISTS (SELECT FROM running_attempt a WHERE a.node_id = r.node_id
                                 AND a.scheduled_at = r.scheduled_at AND a.path = r.path
                              -- As a join it would be of all that run, where the plan is of a time of few.
                              OFFSET 0)
            ORDER BY r.rank, r.instance_id LIMIT $3) first
          ORDER BY rank, instance_id LIMIT ${room}) r`;
}

// Summed up once: the planner would do it again for each candidate.
const QUEUE = `used AS MATERIALIZED (
       SELECT coalesce(sum(slots), 0)::int AS slots FROM running_attempt WHERE resource_group_id = $1
     ), queue AS (
       ${readyOf('r.backfill_id = 0')}
     )`;

/** Apart, because planning it takes twice as long and nearly no claim needs it. */
const QUEUE_WITH_BACKFILLS = `used AS MATERIALIZED (
       SELECT coalesce(sum(slots), 0)::int AS slots,
              coalesce(sum(slots) FILTER (WHERE backfill_id > 0), 0)::int + $14::int AS by_backfills
         FROM running_attempt WHERE resource_group_id = $1
     ), planned AS (
       ${readyOf('r.backfill_id = 0')}
     ), backfilled AS (
       SELECT r.*, sum(r.slots) OVER (ORDER BY r.rank, r.instance_id) AS upto
         FROM (${readyOf(`r.backfill_id > 0 AND r.backfill_id <> ALL(ARRAY(${heldBackfills('$13')}))`, 'least(lane.room, lane.backfill_room)')}) r
     ), queue AS (
       SELECT * FROM planned
       UNION ALL
       -- One goes on even if it alone is more than the share.
       SELECT plan_day, instance_id, node_id, node_type, scheduled_at, path, rank, b.slots, gate_id,
              backfill_id
         FROM backfilled b, used
        WHERE b.upto <= $12::int - by_backfills OR (by_backfills = 0 AND b.upto = b.slots)
     )`;

/** What got in, as a test on rows of `fenced` that the planner makes no join of. */
const IS_HELD = '(i.id IN (SELECT instance_id FROM held)) IS TRUE';
/** The same as values, for the index. */
const HELD = 'ANY(ARRAY(SELECT instance_id FROM held))';

/**
 * $1 plan days, $2 instance ids, $3 worker, $4 now, $5 nodes that nobody else claims now, $6 group, $7 gates
 * by instance id, $8 labels of the worker.
 *
 * Without a join: the planner takes what `locked` finds for one row, whatever it is, and of 256 claimed
 * instances three nested loops over the others took four fifths of the time.
 *
 *   LockRows  ->  Nested Loop Left Join
 *                   ->  Index Scan using node_instance_20261123_pkey on node_instance_20261123 i
 *                   ->  Limit  ->  Index Scan Backward using ix_node_version_latest on node_version nv
 *   Update on node_instance  ->  Index Scan using node_instance_20261123_pkey on node_instance_20261123 i
 *   Delete on ready_instance  ->  Index Scan using ready_instance_pkey on ready_instance
 */
const TAKE = `WITH locked AS (
       -- Code and configuration are the latest submitted ones at the start (engine rule 11); a node
       -- that the latest version no longer has runs as it was planned, and so does a rerun that asks for it.
       SELECT i.*, CASE WHEN i.runs_planned THEN i.version_id
                        ELSE coalesce(latest.version_id, i.version_id) END AS code_version_id
         FROM node_instance i LEFT JOIN LATERAL (
           SELECT nv.version_id, nv.labels, nv.scheduling_group_id FROM node_version nv
            WHERE nv.node_id = i.node_id ORDER BY nv.version_id DESC LIMIT 1) latest ON true
        WHERE i.plan_day ${onDays('$1')} AND i.id = ANY($2::bigint[])
          AND i.status = 'waiting_resource' AND NOT i.frozen
          -- It may have been given to another group meanwhile, whose slots are not locked here.
          AND i.resource_group_id = $6
          -- What was submitted since it was queued may ask for another machine, or for a slot elsewhere.
          AND coalesce(latest.labels <@ $8::text[], true)
          AND (latest.scheduling_group_id IS NULL OR EXISTS (
                SELECT FROM gate WHERE gate.scope = 'scheduling'
                   AND gate.resource_group_id = latest.scheduling_group_id
                   AND $7::jsonb -> i.id::text @> to_jsonb(gate.id)))
        ORDER BY i.id FOR NO KEY UPDATE OF i SKIP LOCKED
     ), fenced AS MATERIALIZED (
       SELECT *, nextval('fence_seq') AS fence FROM locked
     ), held AS (
       INSERT INTO running_attempt (plan_day, instance_id, epoch, worker_id, resource_group_id, node_id,
              scheduled_at, path, slots, backfill_id, fence, gate_ids)
       SELECT plan_day, id, epoch + 1, $3, resource_group_id, node_id, scheduled_at, path, slots,
              CASE WHEN in_backfill THEN run_group_id ELSE 0 END, fence,
              ARRAY(SELECT jsonb_array_elements_text($7::jsonb -> id::text)::bigint)
         FROM fenced
       ON CONFLICT DO NOTHING
       RETURNING instance_id
     ), moved AS (
       UPDATE node_instance i
          SET status = 'dispatched', epoch = i.epoch + 1, attempt = i.attempt + 1, dispatched_at = $4,
              started_at = NULL, ended_at = NULL
        WHERE i.plan_day ${onDays('$1')} AND i.id = ${HELD}
     ), recorded AS (
       INSERT INTO attempt (plan_day, instance_id, epoch, run_number, attempt, fence, worker_id, version_id,
              state, claimed_at)
       SELECT plan_day, id, epoch + 1, run_number, attempt + 1, fence, $3, code_version_id, 'dispatched', $4
         FROM fenced i WHERE ${IS_HELD}
     ), gone AS (
       DELETE FROM ready_instance WHERE instance_id = ${HELD}
     ), told AS (
       INSERT INTO event_outbox (workspace_id, type, at, events, payload)
       SELECT i.workspace_id, 'batch', $4::timestamptz, count(*),
              ${batchOf(statusPayload({ status: "'dispatched'", dryRun: 'i.dry_run', attempt: 'i.attempt + 1' }))}
         FROM fenced i
         LEFT JOIN resource_group g ON g.id = i.resource_group_id
         LEFT JOIN run_group r ON r.id = i.run_group_id
        WHERE ${IS_HELD}
        GROUP BY i.workspace_id
     )
     SELECT i.plan_day, i.id, i.node_id, i.epoch, i.run_number, i.attempt, i.fence, i.code_version_id,
            -- What is not over: attempts that are held, and runs between two attempts.
            CASE WHEN i.node_id = ANY($5::bigint[]) THEN
              least((SELECT min(coalesce(a.fence, 0)) FROM running_attempt a WHERE a.node_id = i.node_id),
                    (SELECT min(o.fence) FROM open_run o WHERE o.node_id = i.node_id)) END AS open_fence
       FROM fenced i WHERE ${IS_HELD}`;

/** An instance as it was before its claim. */
interface TakenRow extends Pick<
  InstanceRow,
  'plan_day' | 'id' | 'node_id' | 'epoch' | 'run_number' | 'attempt'
> {
  readonly fence: number;
  readonly code_version_id: number;
  /** The lowest of what is not over of its node, but for this very claim; null: nothing, or not known. */
  readonly open_fence: number | null;
}

async function take(
  tx: Sql,
  ask: ClaimAsk,
  { candidates, gates }: Taken,
  now: Date,
): Promise<ClaimedRow[]> {
  const alone = new Set(candidates.flatMap((each) => (each.alone ? [each.node_id] : [])));
  const rows = await tx.rows<TakenRow>(TAKE, [
    daysOf(candidates.map((each) => each.plan_day)),
    candidates.map((each) => each.instance_id),
    ask.workerId,
    now,
    [...alone],
    ask.resourceGroupId,
    JSON.stringify(Object.fromEntries(gates)),
    ask.labels,
  ]);
  const lowest = new Map<number, number>();
  for (const { node_id: node, fence, open_fence: open } of rows)
    lowest.set(node, Math.min(lowest.get(node) ?? fence, fence, open ?? fence));
  return rows.map((row) => ({
    plan_day: row.plan_day,
    id: row.id,
    epoch: row.epoch + 1,
    run_number: row.run_number,
    attempt: row.attempt + 1,
    fence: row.fence,
    settled_fence: alone.has(row.node_id) ? (lowest.get(row.node_id) ?? row.fence) - 1 : null,
    version_id: row.code_version_id,
  }));
}
