import type { Database } from '../database.js';

const LOCK = 7_263_002;
/** More than can be drawn while this statement runs: it must never set the sequence back. */
const MARGIN = 1_000_000;

/**
 * Puts the fences of this installation behind all it may have given out before: they count on from the
 * microseconds of the database's clock. A store that comes back from a backup would otherwise draw fences
 * that its targets have seen, and each attempt were refused as an old one (MR-D203).
 */
export async function advanceFences(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.run(`SELECT pg_advisory_xact_lock(${LOCK})`);
    await tx.run(
      `SELECT setval('fence_seq', c.micros)
         FROM fence_seq s, (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros) c
        WHERE c.micros > s.last_value + ${MARGIN}`,
    );
  });
}
