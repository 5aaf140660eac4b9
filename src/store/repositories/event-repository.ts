import type { Sql } from '../database.js';

/** Something that happened, numbered after its commit. */
export interface StoredEvent {
  readonly seq: number;
  readonly workspaceId: number;
  /** `instance.status`, `dataSource.updated`, … */
  readonly type: string;
  readonly at: Date;
  readonly instancePlanDay: string | null;
  readonly instanceId: number | null;
  readonly payload: unknown;
}

/** The number of the latest event. */
export async function latestSeq(sql: Sql): Promise<number> {
  const rows = await sql.rows<{ seq: number }>('SELECT seq FROM event_counter');
  return rows[0]?.seq ?? 0;
}

/** The smallest `since` that can still be answered without a gap: older events were removed with their day. */
export async function oldestSince(sql: Sql): Promise<number> {
  const rows = await sql.rows<{ since: number | null }>('SELECT min(seq) - 1 AS since FROM event');
  return rows[0]?.since ?? (await latestSeq(sql));
}

/** Events of one workspace (of all for `undefined`) with `since` < seq <= `upTo`, in order. */
export async function eventsAfter(
  sql: Sql,
  range: {
    readonly workspaceId: number | undefined;
    readonly since: number;
    readonly upTo: number;
    readonly limit: number;
  },
): Promise<StoredEvent[]> {
  return await sql.rows<StoredEvent>(
    `SELECT seq, workspace_id AS "workspaceId", type, at, instance_plan_day AS "instancePlanDay",
            instance_id AS "instanceId", payload
       FROM event
      WHERE seq > $1 AND seq <= $2 AND ($3::bigint IS NULL OR workspace_id = $3)
      ORDER BY seq LIMIT $4`,
    [range.since, range.upTo, range.workspaceId ?? null, range.limit],
  );
}

/** Writes an event of the installation: everybody of every workspace may see its resource groups and workers. */
export async function addEventEverywhere(
  tx: Sql,
  event: { readonly type: string; readonly payload: Readonly<Record<string, unknown>> },
): Promise<void> {
  await tx.run(
    `INSERT INTO event_outbox (workspace_id, type, at, payload)
     SELECT id, $1, clock_timestamp(), $2::jsonb FROM workspace`,
    [event.type, JSON.stringify(event.payload)],
  );
}

/** Writes an event in the caller's transaction; the publisher numbers it after the commit. No secret, no row data. */
export async function addEvent(
  tx: Sql,
  event: {
    readonly workspaceId: number;
    readonly type: string;
    readonly payload: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  await tx.run(
    `INSERT INTO event_outbox (workspace_id, type, at, payload)
     VALUES ($1, $2, clock_timestamp(), $3::jsonb)`,
    [event.workspaceId, event.type, JSON.stringify(event.payload)],
  );
}
