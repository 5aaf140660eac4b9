import type { Sql } from '../database.js';
import { storableJson } from '../storable.js';
import type { InstanceRow } from './instance-row.js';

export interface NewEvent {
  readonly workspaceId: number;
  readonly type: string;
  readonly planDay?: string;
  readonly instanceId?: number;
  /** Both or none: their names are added to the payload. */
  readonly resourceGroupId?: number;
  readonly runGroupId?: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * Puts events into the outbox, in the transaction that made them true. Several status events share one row:
 * while a session somewhere holds an old snapshot, every row that was published is still in the publisher's way.
 */
export async function writeEvents(tx: Sql, now: Date, events: readonly NewEvent[]): Promise<void> {
  const isBatched = events.length > 1 ? ({ type }: NewEvent) => type === STATUS : () => false;
  await insertEach(
    tx,
    now,
    events.filter((event) => !isBatched(event)),
  );
  await insertBatch(tx, now, events.filter(isBatched));
}

const STATUS = 'instance.status';

const textOf = (value: string): string => `to_json(${value})::text`;

/** Clients filter by these names, and know no ids of groups. */
const NAMES = `coalesce(',"resourceGroup":' || ${textOf('g.name')} || ',"runGroupKind":' || ${textOf('r.kind')}, '')`;

/** An object of which the end is still to come, so that names can be added to it as text. */
function openJson(payload: NewEvent['payload']): string {
  return storableJson(payload).slice(0, -1);
}

async function insertEach(tx: Sql, now: Date, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.send(
    `INSERT INTO event_outbox (workspace_id, type, at, plan_day, instance_id, payload)
     SELECT e.workspace_id, e.type, $8::timestamptz, e.plan_day, e.instance_id,
            CASE WHEN e.payload = '{' THEN '{}' ELSE e.payload || ${NAMES} || '}' END::json
       FROM unnest($1::bigint[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])
              WITH ORDINALITY AS e(workspace_id, type, plan_day, instance_id, resource_group_id, run_group_id,
              payload, no)
       LEFT JOIN resource_group g ON g.id = e.resource_group_id
       LEFT JOIN run_group r ON r.id = e.run_group_id
      ORDER BY e.no`,
    [
      events.map((event) => event.workspaceId),
      events.map((event) => event.type),
      events.map((event) => event.planDay ?? null),
      events.map((event) => event.instanceId ?? null),
      events.map((event) => event.resourceGroupId ?? null),
      events.map((event) => event.runGroupId ?? null),
      events.map((event) => openJson(event.payload)),
      now,
    ],
  );
}

/**
 * JSON as text, parsed once: records made of it, names merged into each and all put together again took three
 * times as long.
 */
async function insertBatch(tx: Sql, now: Date, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.send(
    `INSERT INTO event_outbox (workspace_id, type, at, events, payload)
     SELECT e.workspace_id, 'batch', $5::timestamptz, count(*),
            ('[' || string_agg(e.event || ${NAMES} || '}}', ',' ORDER BY e.no) || ']')::json
       FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], string_to_array($4, E'\\n'))
              WITH ORDINALITY AS e(workspace_id, resource_group_id, run_group_id, event, no)
       LEFT JOIN resource_group g ON g.id = e.resource_group_id
       LEFT JOIN run_group r ON r.id = e.run_group_id
      GROUP BY e.workspace_id`,
    [
      events.map((event) => event.workspaceId),
      events.map((event) => event.resourceGroupId ?? null),
      events.map((event) => event.runGroupId ?? null),
      // Not as an array: its quotes would be escaped here and unescaped there. JSON has no newline of its own.
      events
        .map(
          ({ planDay, instanceId, payload }) =>
            `{"d":"${planDay ?? ''}","i":${instanceId ?? 0},"p":${openJson(payload)}`,
        )
        .join('\n'),
      now,
    ],
  );
}

/**
 * The event every change of an instance's status writes, in the transaction and with the `now` that wrote
 * the row: with `timesAfter` a reader works out the row's times from it. `row` is the instance before the
 * change, and so are `from` and the times; everything else in the payload is as it is after it, so what
 * the change itself sets (`attempt`, `runNumber`, `dryRun`, `frozen`) has to be said in `more`.
 */
export function statusEvent(
  row: InstanceRow,
  status: string,
  more: Readonly<Record<string, unknown>> = {},
): NewEvent {
  return {
    workspaceId: row.workspace_id,
    type: STATUS,
    planDay: row.plan_day,
    instanceId: row.id,
    resourceGroupId: row.resource_group_id,
    runGroupId: row.run_group_id,
    payload: {
      from: row.status,
      status,
      workflowId: row.workflow_id,
      nodeId: row.node_id,
      nodeType: row.node_type,
      runGroupId: row.run_group_id,
      bizdate: row.bizdate,
      runNumber: row.run_number,
      attempt: row.attempt,
      frozen: row.frozen,
      dryRun: row.dry_run,
      runAt: row.run_at,
      ...timesBefore(row),
      ...more,
    },
  };
}

/** A time that is not there yet is left out: most events are of instances that have few. */
function timesBefore(row: InstanceRow): Record<string, Date> {
  return Object.fromEntries(
    [
      ['upstreamDoneAt', row.upstream_done_at] as const,
      ['readyAt', row.ready_at] as const,
      ['dispatchedAt', row.dispatched_at] as const,
      ['startedAt', row.started_at] as const,
      ['endedAt', row.ended_at] as const,
    ].flatMap(([name, at]) => (at === null ? [] : [[name, at]])),
  );
}

/**
 * `,"name":value` of a JSON object, or nothing where there is no such time. `to_char` takes three times as long;
 * the microsecond makes JSON write the milliseconds also where there are none.
 */
export function timeIn(name: string, column: string): string {
  const written = `to_json(date_trunc('milliseconds', ${column} AT TIME ZONE 'UTC') + interval '1 us')::text`;
  return `coalesce(',"${name}":' || left(${written}, ${'"2026-11-21T04:30:00.000'.length}) || 'Z"', '')`;
}

/**
 * The payload of {@link statusEvent} as an SQL expression over `node_instance i` as it is before the change,
 * `resource_group g` and `run_group r`: thousands of events need not travel to this process and back. What
 * the change itself sets is given as SQL.
 *
 * JSON as text: `jsonb_build_object` looks up the type of each of its 40 arguments for each row, which took
 * longer than all the rest of moving an instance.
 */
export function statusPayload(after: {
  readonly status: string;
  readonly dryRun: string;
  readonly attempt?: string;
  /** More of it, each as `,"name":value`. */
  readonly more?: string;
}): string {
  return `'{"from":"' || i.status || '","status":"' || ${after.status} || '","workflowId":' || i.workflow_id ||
    ',"nodeId":' || i.node_id || ',"nodeType":' || ${textOf('i.node_type')} ||
    ',"runGroupId":' || i.run_group_id || ',"bizdate":' || to_json(i.bizdate)::text ||
    ',"runNumber":' || i.run_number || ',"attempt":' || (${after.attempt ?? 'i.attempt'}) ||
    ',"frozen":' || i.frozen || ',"dryRun":' || (${after.dryRun}) ||
    ${timeIn('runAt', 'i.run_at')} || ${timeIn('upstreamDoneAt', 'i.upstream_done_at')} ||
    ${timeIn('readyAt', 'i.ready_at')} || ${timeIn('dispatchedAt', 'i.dispatched_at')} ||
    ${timeIn('startedAt', 'i.started_at')} || ${timeIn('endedAt', 'i.ended_at')} ||
    ${after.more ?? "''"} || ${NAMES} || '}'`;
}

/**
 * One row of the outbox for many status events of `node_instance i`: the aggregate that is its payload. As JSON
 * that the server only checks: the publisher makes JSONB of it, later and for nobody who waits.
 */
export function batchOf(payload: string): string {
  return `('[' || string_agg('{"d":' || to_json(i.plan_day)::text || ',"i":' || i.id ||
    ',"p":' || ${payload} || '}', ',') || ']')::json`;
}
