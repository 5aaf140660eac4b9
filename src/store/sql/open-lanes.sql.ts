import type { Sql } from '../database.js';
import { BACKFILL_ROOM_OF_GATE, ROOM_OF_GATE } from './gates-of.js';

/** A part of the queue of a resource group: what one gate holds and what asks for the same labels. */
export interface Lane {
  /** 0: of no gate. */
  readonly gate_id: number;
  /** Sorted, with a blank between two. */
  readonly labels: string;
  /** How much its gate lets through; null: as much as there is. */
  readonly room: number | null;
  /** How much of that backfills may have; null: all of it. */
  readonly backfill_room: number | null;
}

/** The only lane there is without gates and labels. */
export const PLAIN_LANE: Lane = { gate_id: 0, labels: '', room: null, backfill_room: null };

/**
 * The lanes of a group from which a worker with these labels may be given something.
 *
 * A loose scan of the index: a few rows of each lane are read, however many wait in it. Where a gate was
 * removed, its lane is open.
 */
export async function openLanes(
  sql: Sql,
  resourceGroupId: number,
  labels: readonly string[],
): Promise<Lane[]> {
  return await sql.rows<Lane>(
    `WITH RECURSIVE lane AS (
       (SELECT gate_id, labels FROM ready_instance WHERE resource_group_id = $1
         ORDER BY gate_id, labels LIMIT 1)
       UNION ALL
       SELECT next.gate_id, next.labels FROM lane CROSS JOIN LATERAL (
         SELECT r.gate_id, r.labels FROM ready_instance r
          WHERE r.resource_group_id = $1 AND (r.gate_id, r.labels) > (lane.gate_id, lane.labels)
          ORDER BY r.gate_id, r.labels LIMIT 1) next
     ), seen AS (
       SELECT lane.gate_id, lane.labels, ${ROOM_OF_GATE} AS room,
              ${BACKFILL_ROOM_OF_GATE} AS backfill_room
         FROM lane LEFT JOIN gate ON gate.id = lane.gate_id
        WHERE string_to_array(lane.labels, ' ') <@ $2::text[]
     )
     SELECT gate_id, labels, room, backfill_room FROM seen WHERE room IS NULL OR room > 0`,
    [resourceGroupId, labels],
  );
}
