import { encodeDayId } from '../../domain/ids.js';
import type { Sql } from '../database.js';
import type { WhyReason } from './explain-instance.sql.js';
import { BACKFILL_ROOM_OF_GATE, gatesOf, ROOM_OF_GATE, USED_OF_GATE } from './gates-of.js';
import type { InstanceRow } from './instance-row.js';

const SHOWN = 20;

/** Why an instance that is ready is not handed to a worker: a twin, its gates, its resource group. */
export async function explainResource(sql: Sql, row: InstanceRow): Promise<WhyReason[]> {
  return [...(await twins(sql, row)), ...(await gates(sql, row)), ...(await group(sql, row))];
}

async function twins(sql: Sql, row: InstanceRow): Promise<WhyReason[]> {
  const found = await sql.rows<{ plan_day: string; instance_id: number; group: string }>(
    `SELECT a.plan_day, a.instance_id, g.name AS group FROM running_attempt a
       JOIN node_instance i ON i.plan_day = a.plan_day AND i.id = a.instance_id
       JOIN run_group g ON g.id = i.run_group_id
      WHERE a.node_id = $1 AND a.scheduled_at = $2 AND a.path = $3`,
    [row.node_id, row.scheduled_at, row.path],
  );
  return found.map((twin) => ({
    gate: 'resource' as const,
    text: `The same node and scheduled time runs in "${twin.group}"; one partition is never written twice at once.`,
    refs: [encodeDayId('inst', { planDay: twin.plan_day, id: twin.instance_id })],
  }));
}

interface ClosedGate {
  readonly name: string;
  readonly scope: string;
  readonly capacity: number;
  readonly used: number;
  readonly room: number;
  readonly holders: readonly { readonly planDay: string; readonly id: number }[];
}

async function gates(sql: Sql, row: InstanceRow): Promise<WhyReason[]> {
  const closed = await sql.rows<ClosedGate>(
    `SELECT CASE gate.scope
              WHEN 'node' THEN format('node "%s"', (SELECT name FROM node WHERE id = gate.node_id))
              WHEN 'workflow'
              THEN format('workflow "%s"', (SELECT name FROM workflow WHERE id = gate.workflow_id))
              WHEN 'data_source'
              THEN format('data source "%s"', (SELECT name FROM data_source WHERE id = gate.data_source_id))
              WHEN 'scheduling' THEN (SELECT name FROM resource_group WHERE id = gate.resource_group_id)
              ELSE format('node type "%s" in resource group "%s"', gate.node_type,
                          (SELECT name FROM resource_group WHERE id = gate.resource_group_id))
            END AS name, gate.scope, gate.capacity, g.used, g.room,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('planDay', h.plan_day, 'id', h.instance_id)), '[]')
               FROM (SELECT plan_day, instance_id FROM running_attempt
                      WHERE gate_ids <> '{}' AND gate_ids @> ARRAY[gate.id]
                      ORDER BY claimed_at, instance_id LIMIT ${SHOWN}) h) AS holders
       FROM gate CROSS JOIN LATERAL (
         SELECT ${USED_OF_GATE} AS used, ${ROOM_OF_GATE} AS room,
                ${BACKFILL_ROOM_OF_GATE} AS backfill_room) g
      WHERE gate.id IN (${gatesOf({ node: '$1', nodeType: '$2', resourceGroup: '$3' })})
        AND (g.room < CASE gate.scope WHEN 'node_type' THEN $4::int ELSE 1 END
             OR ($5 AND g.backfill_room < 1))
      ORDER BY gate.id`,
    [row.node_id, row.node_type, row.resource_group_id, row.slots, row.in_backfill],
  );
  return closed.map((gate) => ({
    gate: 'resource' as const,
    text: textOf(gate),
    refs: gate.holders.map((each) => encodeDayId('inst', each)),
  }));
}

function textOf({ name, scope, capacity, used, room }: ClosedGate): string {
  if (scope === 'scheduling') return schedulingTextOf({ name, capacity, used, room });
  if (capacity === 0) return `The gate of ${name} is shut: it lets nothing through.`;
  const much = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;
  return scope === 'node_type'
    ? `The quota of ${name} is ${much(capacity, 'slot')}, and ${used} are used.`
    : `The gate of ${name} lets ${much(capacity, 'instance')} through at once, and ${used} run.`;
}

function schedulingTextOf({
  name,
  capacity,
  used,
  room,
}: Pick<ClosedGate, 'name' | 'capacity' | 'used' | 'room'>): string {
  const uses = `Resource group "${name}", which schedules it, uses ${used} of ${capacity} scheduling slots`;
  if (room > 0) return `${uses}; those that are for backfills are taken.`;
  if (used < capacity)
    return `Resource group "${name}", which schedules it, is draining: it takes nothing new until somebody undoes that.`;
  return `${uses}.`;
}

interface GroupFacts {
  readonly name: string;
  readonly slots: number;
  readonly share: number;
  readonly draining: boolean;
  readonly used: number;
  readonly by_backfills: number;
  readonly workers: number;
  readonly able: number;
  readonly labelled: number;
  readonly taking: number;
  readonly labels: string;
  readonly missing: string;
  readonly ahead: number;
}

async function group(sql: Sql, row: InstanceRow): Promise<WhyReason[]> {
  const [facts] = await sql.rows<GroupFacts>(
    `WITH own AS (
       SELECT rank, string_to_array(labels, ' ') AS labels FROM ready_instance WHERE instance_id = $3
     ), live AS (
       SELECT w.draining, $2 = ANY(w.node_types) AS able,
              coalesce((SELECT labels FROM own), '{}') <@ w.labels AS labelled, w.labels
         FROM worker w JOIN worker_lease l ON l.worker_id = w.id
        WHERE w.resource_group_id = $1 AND w.ended_at IS NULL AND l.lease_until > clock_timestamp()
     )
     SELECT g.name, g.slots, greatest(1, g.slots * g.backfill_share / 100) AS share, g.draining,
            (SELECT coalesce(sum(slots), 0)::int FROM running_attempt WHERE resource_group_id = g.id) AS used,
            (SELECT coalesce(sum(slots), 0)::int FROM running_attempt
              WHERE resource_group_id = g.id AND backfill_id > 0) AS by_backfills,
            (SELECT count(*)::int FROM live) AS workers,
            (SELECT count(*)::int FROM live WHERE able) AS able,
            (SELECT count(*)::int FROM live WHERE able AND labelled) AS labelled,
            (SELECT count(*)::int FROM live WHERE able AND labelled AND NOT draining) AS taking,
            coalesce((SELECT array_to_string(labels, '", "') FROM own), '') AS labels,
            coalesce((SELECT string_agg(label, '", "') FROM own, unnest(own.labels) AS label
                       WHERE NOT EXISTS (SELECT FROM live WHERE able AND label = ANY(live.labels))), '')
              AS missing,
            (SELECT count(*)::int FROM ready_instance r, own
              WHERE r.resource_group_id = g.id AND r.rank < own.rank) AS ahead
       FROM resource_group g WHERE g.id = $1`,
    [row.resource_group_id, row.node_type, row.id],
  );
  if (facts === undefined) return [];
  return [{ gate: 'resource', text: reasonOf(facts, row), refs: [] }];
}

function reasonOf(facts: GroupFacts, row: InstanceRow): string {
  const name = `resource group "${facts.name}"`;
  if (facts.draining)
    return `The ${name} is draining: it takes nothing new until somebody undoes that.`;
  if (facts.workers === 0) return `No worker of ${name} is alive: start one.`;
  if (facts.able === 0)
    return `No worker of ${name} has node type "${row.node_type}": install its plugin there.`;
  if (facts.labelled === 0)
    return facts.missing === ''
      ? `No worker of ${name} has the labels "${facts.labels}" together: give them to one.`
      : `No worker of ${name} has the label "${facts.missing}": start one that has.`;
  if (facts.taking === 0)
    return `Every worker of ${name} that could run it is draining: undo that for one, or start one.`;
  if (row.slots > facts.slots)
    return `It wants ${row.slots} slots and ${name} has ${facts.slots}: give it more, or the node less.`;
  if (row.in_backfill && facts.by_backfills + row.slots > facts.share)
    return `Backfills use ${facts.by_backfills} of the ${facts.share} slots that are theirs in ${name}.`;
  return `Resource group "${facts.name}" uses ${facts.used} of ${facts.slots} slots; ${facts.ahead} instances are before it.`;
}
