import type { InstanceStatus } from '../../domain/instance/status.js';
import type { Sql } from '../database.js';
import { Values } from './matching-instances.js';
import {
  GROUP_COLUMNS,
  matchesOf,
  msOf,
  statusConditionOf,
  type TimelineGrouping,
  type TimelineMatch,
} from './timeline-matches.js';

/** How many instances of a group and status have their anchor in a bucket. */
export interface TimelineTile {
  readonly group: string | number;
  readonly bucket: number;
  readonly status: InstanceStatus;
  readonly count: number;
}

/** Bucket n holds the anchors from `origin + n * bucketMs` on, epoch ms; n may be negative. */
export interface TileGrid {
  readonly origin: number;
  readonly bucketMs: number;
}

/**
 * An instance's anchor is the time it started, else the earliest it may. Statistics know nothing of
 * buckets, so the planner takes every instance for a tile of its own and sorts all of them on disk;
 * hashing 100,000 of them takes half the time, and two processes may count them, for what they hand on is few.
 * `tx` is a transaction: it is not to sort in it any more.
 */
export async function readTimelineTiles(
  tx: Sql,
  match: TimelineMatch,
  groupBy: TimelineGrouping,
  { origin, bucketMs }: TileGrid,
): Promise<TimelineTile[]> {
  const values = new Values();
  await tx.run(
    `SELECT set_config('enable_sort', 'off', true), set_config('parallel_tuple_cost', '0', true)`,
  );
  return await tx.rows<TimelineTile>(
    `WITH ${matchesOf(match, values)}, tiles AS (
       SELECT ${GROUP_COLUMNS[groupBy]} AS "group", status, count(*)::int AS count,
              date_bin(${values.add(bucketMs)} * interval '1 ms', coalesce(started_at, run_at), ${values.add(new Date(origin))}) AS bin
         FROM matches WHERE ${statusConditionOf(match, values)}
        GROUP BY 1, 2, 4
     )
     SELECT "group", status, count,
            ((${msOf('bin')} - ${values.add(origin)}::float8) / ${values.add(bucketMs)}::float8)::int AS bucket
       FROM tiles`,
    values.list,
  );
}
