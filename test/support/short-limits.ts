import type { Database } from '../../src/store/database.js';

/** In ms. Absent: as it was submitted. */
export interface ShortLimits {
  readonly retryMs?: number;
  readonly retryCapMs?: number;
  readonly timeoutMs?: number;
}

/**
 * Users wait a minute at least for a retry or a timeout; tests that start real processes do not. Changes the
 * versions that a workflow has, past the product, so that nobody can submit such a version.
 */
export async function shortenLimits(
  database: Database,
  workflowId: number,
  { retryMs, retryCapMs, timeoutMs }: ShortLimits,
): Promise<void> {
  await database.run(
    `UPDATE node_version nv
        SET retry_interval_ms = coalesce($2, nv.retry_interval_ms),
            retry_cap_ms = coalesce($3, nv.retry_cap_ms), timeout_ms = coalesce($4, nv.timeout_ms)
       FROM workflow_version wv WHERE wv.id = nv.version_id AND wv.workflow_id = $1`,
    [workflowId, retryMs ?? null, retryCapMs ?? null, timeoutMs ?? null],
  );
}
