import { conditionsOf, type InstanceMatch, type Values } from './matching-instances.js';
import type { Unnumbered } from './timeline-unnumbered.sql.js';

export const TIMELINE_GROUPINGS = ['workflow', 'nodeType', 'resourceGroup'] as const;
/** What the rows of the timeline stand under. */
export type TimelineGrouping = (typeof TIMELINE_GROUPINGS)[number];

export interface TimelineMatch extends InstanceMatch {
  readonly planDays: readonly string[];
  readonly unnumbered: Unnumbered;
  readonly statuses?: readonly string[] | undefined;
  readonly frozen?: boolean | undefined;
}

/** The column whose value names the group. */
export const GROUP_COLUMNS: Readonly<Record<TimelineGrouping, string>> = {
  workflow: 'workflow_id',
  nodeType: 'node_type',
  resourceGroup: 'resource_group_id',
};

/** Epoch ms of a time that was written to the millisecond. A double, since numbers of any length are slow. */
export function msOf(time: string): string {
  return `round(date_part('epoch', ${time}) * 1000)`;
}

const TIMES = {
  upstream_done_at: 'upstreamDoneAt',
  ready_at: 'readyAt',
  dispatched_at: 'dispatchedAt',
  started_at: 'startedAt',
  ended_at: 'endedAt',
} as const;

/**
 * A `WITH` list that ends in `matches`: the instances as they were at the event counter of this snapshot.
 *
 * A row changes when its transaction commits, and its event gets a number a moment later. Rows as they
 * are, sent with the counter, would have changes in them whose events follow: a client that counts would
 * count those twice. What has no number yet is still in the outbox, and the first such event of an
 * instance says what the row was before it.
 */
export function matchesOf(match: TimelineMatch, values: Values): string {
  const days = values.add(match.planDays);
  const conditions = conditionsOf(match, values);
  const { window, frozen, unnumbered } = match;
  const shown = [
    ...(window === undefined
      ? []
      : [
          `run_at < ${values.add(window.to)}::timestamptz`,
          `(ended_at IS NULL OR ended_at >= ${values.add(window.from)}::timestamptz)`,
        ]),
    ...(frozen === undefined ? [] : [`frozen = ${values.add(frozen)}::boolean`]),
  ];
  const all = `i.plan_day = ANY(${days}::date[])
        AND ${conditions}`;
  return `numbered AS (
       ${unnumbered.ids.length === 0 ? rowsAsTheyAre(all) : rowsAsTheyWere(all, unnumbered, values)}
     ), matches AS (
       SELECT * FROM numbered ${shown.length === 0 ? '' : `WHERE ${shown.join(' AND ')}`}
     )`;
}

const FIXED = `i.plan_day, i.id, i.node_id, i.workflow_id, i.node_type, i.resource_group_id,
              i.scheduled_at, i.run_at, i.created_at, i.attempt, i.dry_run`;

function rowsAsTheyAre(where: string): string {
  const columns = Object.keys(TIMES).map((column) => `i.${column}`);
  return `SELECT ${FIXED}, i.frozen, i.status, ${columns.join(', ')}
         FROM node_instance i
        WHERE ${where}`;
}

/** In two branches: one outer join would build its hash table of all instances instead of the few. */
function rowsAsTheyWere(
  where: string,
  { ids, was, wasFrozen }: Unnumbered,
  values: Values,
): string {
  const few = `${values.add(ids)}::bigint[]`;
  const rows = `${few}, ${values.add(was)}::jsonb[], ${values.add(wasFrozen)}::boolean[]`;
  const columns = Object.entries(TIMES).map(
    ([column, name]) =>
      `CASE WHEN u.was IS NULL THEN i.${column} ELSE (u.was ->> '${name}')::timestamptz END`,
  );
  return `${rowsAsTheyAre(`${where}
        AND i.id <> ALL(${few})`)}
        UNION ALL
       SELECT ${FIXED}, coalesce(u.was_frozen, i.frozen), coalesce(u.was ->> 'from', i.status),
              ${columns.join(',\n              ')}
         FROM unnest(${rows}) AS u(id, was, was_frozen) JOIN node_instance i ON i.id = u.id
        WHERE ${where}`;
}

/** The condition of the status filter on `matches`, which the counts beside it do not have. */
export function statusConditionOf(match: TimelineMatch, values: Values): string {
  return match.statuses === undefined
    ? 'true'
    : `status = ANY(${values.add(match.statuses)}::text[])`;
}
