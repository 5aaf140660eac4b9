import type { Database, Sql } from '../database.js';
import { type LogStore, logKeyOf } from '../log-store.js';

interface EndedLog {
  readonly plan_day: string;
  readonly instance_id: number;
  readonly epoch: number;
}

/**
 * Moves run logs of attempts that ended at least `minAgeMs` ago from rows to the log store: first the
 * object, then, in one statement, the rows give up their bodies and say where they went. A process that
 * dies between leaves an object that the next round writes again, byte for byte. Returns how many logs.
 *
 * What is archived is not in the partial index, so that 40 logs that have ended are found without the 1,500 others:
 *
 *   Limit  ->  Hash Join: attempt, Bitmap Index Scan on log_chunk_20261123_instance_id_epoch_idx
 *   Update on log_chunk c  ->  Nested Loop: Function Scan on p, Index Scan using log_chunk_20261123_pkey
 */
export async function archiveLogs(
  database: Database,
  logStore: Pick<LogStore, 'write'>,
  minAgeMs: number,
  limit: number,
): Promise<number> {
  const ended = await database.rows<EndedLog>(
    `SELECT c.plan_day, c.instance_id, c.epoch FROM log_chunk c
       JOIN attempt a ON a.plan_day = c.plan_day AND a.instance_id = c.instance_id AND a.epoch = c.epoch
      WHERE c.no = 0 AND c.body IS NOT NULL
        AND a.ended_at IS NOT NULL AND a.ended_at < clock_timestamp() - $1 * interval '1 ms'
      LIMIT $2`,
    [minAgeMs, limit],
  );
  for (const log of ended) {
    await database.transaction((tx) => archiveLog(tx, logStore, log));
  }
  return ended.length;
}

async function archiveLog(
  tx: Sql,
  logStore: Pick<LogStore, 'write'>,
  log: EndedLog,
): Promise<void> {
  const key = [log.plan_day, log.instance_id, log.epoch];
  // A chunk that comes late, of a worker that was frozen, stays a row beside the object.
  const rows = await tx.rows<{ no: number; body: Buffer }>(
    `SELECT no, body FROM log_chunk
      WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 AND body IS NOT NULL ORDER BY no
      FOR UPDATE SKIP LOCKED`,
    key,
  );
  // Another process moves or has moved it: what is left would replace its object, and the log were lost.
  if (rows[0]?.no !== 0) return;
  await logStore.write(
    logKeyOf(log.plan_day, log.instance_id, log.epoch),
    rows.map((row) => row.body),
  );
  let offset = 0;
  const places = rows.map((row) => {
    const place = { no: row.no, offset, length: row.body.length };
    offset += row.body.length;
    return place;
  });
  await tx.run(
    `UPDATE log_chunk c SET body = NULL, object_offset = p.place, object_length = p.bytes
       FROM unnest($4::int[], $5::bigint[], $6::int[]) AS p(no, place, bytes)
      WHERE c.plan_day = $1 AND c.instance_id = $2 AND c.epoch = $3 AND c.no = p.no
        AND c.body IS NOT NULL`,
    [
      ...key,
      places.map((place) => place.no),
      places.map((place) => place.offset),
      places.map((place) => place.length),
    ],
  );
}
