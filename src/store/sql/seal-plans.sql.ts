import type { Database } from '../database.js';
import { renewChecksum } from './plan-checksum.sql.js';

/** An older plan without a checksum keeps none: what it was made of is no more to be known. */
const CHECKED_DAYS = 7;

/**
 * Seals the plans of a zone up to a business date and writes the checksums that are missing: of those just
 * sealed, and of those that were made to their end only after their seal.
 */
export async function sealPlans(
  database: Database,
  workspaceId: number,
  timezone: string,
  last: string,
  now: Date,
  crashPoint: (name: string) => Promise<void>,
): Promise<void> {
  const due = await database.rows<{ bizdate: string }>(
    `SELECT bizdate FROM plan
      WHERE workspace_id = $1 AND timezone = $2 AND bizdate <= $3 AND state = 'planned'
      ORDER BY bizdate`,
    [workspaceId, timezone, last],
  );
  let sealed = 0;
  // One after another, so that it waits for none while it holds one: a patch of several takes the newest first
  // and those of other zones in between, and the two waited for each other.
  for (const { bizdate } of due) {
    sealed += await database.run(
      `UPDATE plan SET state = 'sealed', sealed_at = $4
        WHERE workspace_id = $1 AND timezone = $2 AND bizdate = $3 AND state = 'planned'`,
      [workspaceId, timezone, bizdate, now],
    );
  }
  if (sealed > 0) await crashPoint('seal:before-checksum');
  const open = await database.rows<{ bizdate: string }>(
    `SELECT bizdate FROM plan
      WHERE workspace_id = $1 AND timezone = $2 AND bizdate BETWEEN $3::date - ${CHECKED_DAYS} AND $3
        AND state = 'sealed' AND revision > 0 AND checksum IS NULL`,
    [workspaceId, timezone, last],
  );
  for (const { bizdate } of open) {
    await database.transaction(async (tx) => {
      const [row] = await tx.rows<{ checksum: string | null }>(
        `SELECT checksum FROM plan
          WHERE workspace_id = $1 AND timezone = $2 AND bizdate = $3 FOR NO KEY UPDATE`,
        [workspaceId, timezone, bizdate],
      );
      // Another scheduler may have been faster.
      if (row?.checksum !== null) return;
      await renewChecksum(tx, { workspaceId, timezone, bizdate });
      await crashPoint('seal:before-commit');
    });
  }
}
