import { type GateRoom, type Passenger, passGates } from '../../domain/resource/pass-gates.js';
import type { Sql } from '../database.js';
import { BACKFILL_ROOM_OF_GATE, gatesOf, ROOM_OF_GATE } from './gates-of.js';

/** One of the queue that a claim wants to take. */
export interface Candidate {
  readonly plan_day: string;
  readonly instance_id: number;
  readonly node_id: number;
  readonly node_type: string;
  /** Of its lane. */
  readonly gate_id: number;
  readonly slots: number;
  /** 0: of no backfill. */
  readonly backfill_id: number;
}

/** What goes through its gates, and which those are by instance id. */
export interface Through<C extends Candidate = Candidate> {
  readonly candidates: readonly C[];
  readonly gates: ReadonlyMap<number, readonly number[]>;
}

/**
 * Which of these go through their gates, in the given order, after what the claim has `taken` before. The
 * gates stay locked until the transaction ends, so that claims of other resource groups count what this one
 * takes; whoever is held moves to the lane of the gate that holds it, where no claim looks before there is
 * room. Who needs a gate whose lock cannot be had in order stays where it is: the next claim begins anew.
 */
export async function passCandidates<C extends Candidate>(
  tx: Sql,
  resourceGroupId: number,
  found: readonly C[],
  taken: Through<C> & { readonly locked: Set<number> },
): Promise<{ readonly through: readonly C[]; readonly gates: Through['gates'] }> {
  const gates = await gatesOfCandidates(tx, resourceGroupId, found);
  const ids = [...new Set([...gates.values()].flat())];
  if (ids.length === 0) return { through: found, gates };
  await lockGates(tx, ids, taken.locked);
  const locked = found.filter(({ instance_id: id }) =>
    (gates.get(id) ?? []).every((gate) => taken.locked.has(gate)),
  );
  // A statement of its own: it has to see what was committed while the lock was waited for.
  const rooms = await tx.rows<RoomRow>(
    `SELECT gate.id, ${ROOM_OF_GATE} AS room, ${BACKFILL_ROOM_OF_GATE} AS backfill_room, gate.scope
       FROM gate WHERE gate.id = ANY($1::bigint[])`,
    [ids],
  );
  const { through, heldBy } = passGates(
    [...passengers(taken.candidates, taken.gates), ...passengers(locked, gates)],
    new Map(rooms.map((each) => [each.id, roomOf(each)])),
  );
  await moveToLanes(tx, locked, heldBy);
  const isThrough = new Set(through);
  return { through: found.filter((each) => isThrough.has(each.instance_id)), gates };
}

/**
 * Adds to `locked`. Two claims never wait for each other: only gates behind all that this one holds are
 * waited for, those before them are taken if nobody else has them. Nobody takes a gate away under its lock.
 */
async function lockGates(tx: Sql, ids: readonly number[], locked: Set<number>): Promise<void> {
  const last = Math.max(0, ...locked);
  const lock = async (gates: readonly number[], how: string): Promise<void> => {
    if (gates.length === 0) return;
    const got = await tx.rows<{ id: number }>(
      `SELECT id FROM gate WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE ${how}`,
      [gates],
    );
    for (const { id } of got) locked.add(id);
  };
  const missing = ids.filter((id) => !locked.has(id));
  await lock(
    missing.filter((id) => id < last),
    'SKIP LOCKED',
  );
  await lock(
    missing.filter((id) => id > last),
    '',
  );
}

interface RoomRow {
  readonly id: number;
  readonly room: number;
  readonly backfill_room: number | null;
  readonly scope: string;
}

function roomOf({ room, backfill_room: backfillRoom, scope }: RoomRow): GateRoom {
  const counts = scope === 'node_type' ? 'slots' : 'instances';
  return backfillRoom === null ? { room, counts } : { room, backfillRoom, counts };
}

function passengers(candidates: readonly Candidate[], gates: Through['gates']): Passenger[] {
  return candidates.map(({ instance_id: id, slots, backfill_id: backfill }) => ({
    id,
    slots,
    isBackfill: backfill > 0,
    gates: gates.get(id) ?? [],
  }));
}

async function gatesOfCandidates(
  tx: Sql,
  resourceGroupId: number,
  candidates: readonly Candidate[],
): Promise<Map<number, number[]>> {
  const rows = await tx.rows<{ instance_id: number; gate_id: number }>(
    `SELECT c.instance_id, g.gate_id
       FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS c(instance_id, node_id, node_type)
      CROSS JOIN LATERAL (
        ${gatesOf({ node: 'c.node_id', nodeType: 'c.node_type', resourceGroup: '$4' })}) g
      ORDER BY g.gate_id`,
    [
      candidates.map((each) => each.instance_id),
      candidates.map((each) => each.node_id),
      candidates.map((each) => each.node_type),
      resourceGroupId,
    ],
  );
  const gates = new Map<number, number[]>();
  for (const { instance_id: id, gate_id: gate } of rows)
    gates.set(id, [...(gates.get(id) ?? []), gate]);
  return gates;
}

async function moveToLanes(
  tx: Sql,
  candidates: readonly Candidate[],
  heldBy: ReadonlyMap<number, number>,
): Promise<void> {
  const moved = candidates.filter(
    ({ instance_id: id, gate_id: lane }) => heldBy.has(id) && heldBy.get(id) !== lane,
  );
  if (moved.length === 0) return;
  await tx.run(
    `UPDATE ready_instance r SET gate_id = m.gate_id
       FROM unnest($1::bigint[], $2::bigint[]) AS m(instance_id, gate_id)
      WHERE r.instance_id = m.instance_id`,
    [moved.map((each) => each.instance_id), moved.map((each) => heldBy.get(each.instance_id))],
  );
}
