import type { Sql } from '../database.js';
import { heldBackfills } from './held-backfills.js';
import type { InstanceRow } from './instance-row.js';

interface BackfillReason {
  readonly gate: 'time' | 'resource';
  readonly text: string;
  readonly refs: readonly string[];
}

interface BackfillFacts {
  readonly state: string;
  readonly parallelism: number;
  readonly timezone: string;
  readonly window_from: string | null;
  readonly window_to: string | null;
  readonly is_held: boolean;
  readonly date_state: string;
  readonly open: readonly string[] | null;
}

/** What holds back an instance of a backfill besides its own gates: its date's turn, a pause, the clock. */
export async function explainBackfill(
  sql: Sql,
  row: InstanceRow,
  now: Date,
): Promise<BackfillReason[]> {
  if (!row.in_backfill) return [];
  const [facts] = await sql.rows<BackfillFacts>(
    `SELECT b.state, b.parallelism, b.timezone, b.window_from, b.window_to, d.state AS date_state,
            b.run_group_id IN (${heldBackfills('$3')}) AS is_held,
            (SELECT array_agg(o.bizdate::text ORDER BY o.no) FROM backfill_date o
              WHERE o.run_group_id = b.run_group_id AND o.state = 'open') AS open
       FROM backfill b JOIN backfill_date d USING (run_group_id)
      WHERE b.run_group_id = $1 AND d.bizdate = $2`,
    [row.run_group_id, row.bizdate, now],
  );
  if (facts === undefined) return [];
  const reasons: BackfillReason[] = [];
  if (facts.date_state === 'waiting') {
    const open = facts.open === null ? 'none is open' : `open now: ${facts.open.join(', ')}`;
    const text = `Business date ${row.bizdate} waits for its turn in the backfill, ${facts.parallelism} at once; ${open}.`;
    reasons.push({ gate: 'time', text, refs: [] });
  }
  if (facts.is_held) reasons.push({ gate: 'resource', text: holdOf(facts), refs: [] });
  return reasons;
}

function holdOf(facts: BackfillFacts): string {
  if (facts.state === 'paused') return 'Its backfill is paused: resume it.';
  if (facts.state === 'cancelling') return 'Its backfill is being cancelled.';
  return `Its backfill runs from ${facts.window_from} to ${facts.window_to} (${facts.timezone}) only.`;
}
