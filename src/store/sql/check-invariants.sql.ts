import { type DayIdKind, encodeDayId } from '../../domain/ids.js';
import type { Sql } from '../database.js';
import { AWAITED } from './invariants/awaited.js';
import { EFFECTS } from './invariants/effects.js';
import { EVENTS } from './invariants/events.js';
import type { Invariant } from './invariants/invariant.js';
import { ONE_ATTEMPT } from './invariants/one-attempt.js';
import { ONE_ROW } from './invariants/one-row.js';
import { PENDING } from './invariants/pending.js';
import { SLOTS } from './invariants/slots.js';
import { UPSTREAMS_FIRST } from './invariants/upstreams-first.js';

export type { Invariant } from './invariants/invariant.js';

/** docs/invariants.md explains them; a test compares the two. */
export const INVARIANTS: readonly Invariant[] = [
  ONE_ROW,
  ONE_ATTEMPT,
  UPSTREAMS_FIRST,
  SLOTS,
  PENDING,
  AWAITED,
  EVENTS,
  EFFECTS,
];

export interface Violation {
  /** API id of the instance or run; absent where the detail names what it is. */
  readonly subject?: string;
  readonly detail: string;
}

export interface Violations {
  readonly total: number;
  /** The first of them, in the order of their ids. */
  readonly first: readonly Violation[];
}

interface ViolationRow {
  readonly kind: DayIdKind | null;
  readonly plan_day: string | null;
  readonly id: number | null;
  readonly detail: string;
  readonly total: number;
}

/** What breaks one invariant now, and the first `limit` of it. Reads the whole store: not for every minute. */
export async function findViolations(
  sql: Sql,
  invariant: Invariant,
  limit: number,
): Promise<Violations> {
  const rows = await sql.rows<ViolationRow>(
    `SELECT v.kind, v.plan_day, v.id, v.detail, count(*) OVER () AS total
       FROM (${invariant.violations}) v ORDER BY v.plan_day, v.id, v.detail LIMIT $1`,
    [limit],
  );
  return { total: rows[0]?.total ?? 0, first: rows.map(violationOf) };
}

function violationOf({ kind, plan_day: planDay, id, detail }: ViolationRow): Violation {
  return kind === null || planDay === null || id === null
    ? { detail }
    : { subject: encodeDayId(kind, { planDay, id }), detail };
}
