import type { Sql } from '../store/database.js';
import { medianDurations } from '../store/sql/timeline-durations.sql.js';

const KEEP_MS = 300_000;
const MAX_NODES = 100_000;

/**
 * How long nodes usually run. Kept for five minutes: for 8,000 nodes the question costs more than the
 * timeline itself, and the median of 20 successes changes slowly.
 */
export class NodeDurations {
  readonly #known = new Map<number, { readonly ms: number | null; readonly until: number }>();

  /** The median ms of each node's last 20 successes, in the order of `nodeIds`; `null` without any. */
  async of(sql: Sql, nodeIds: readonly number[]): Promise<(number | null)[]> {
    const now = performance.now();
    const asked = nodeIds.filter((id) => (this.#known.get(id)?.until ?? 0) < now);
    if (asked.length > 0) {
      const found = await medianDurations(sql, asked);
      if (this.#known.size + asked.length > MAX_NODES) this.#known.clear();
      for (const id of asked)
        this.#known.set(id, { ms: found.get(id) ?? null, until: now + KEEP_MS });
    }
    return nodeIds.map((id) => this.#known.get(id)?.ms ?? null);
  }
}
