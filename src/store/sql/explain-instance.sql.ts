import { encodeDayId } from '../../domain/ids.js';
import { HELD_STATUSES, type InstanceStatus, isFinal } from '../../domain/instance/status.js';
import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../database.js';
import { explainBackfill } from './explain-backfill.sql.js';
import { explainResource } from './explain-resource.sql.js';
import { INSTANCE_COLUMNS, type InstanceKey, type InstanceRow } from './instance-row.js';

/** One answer to "why is it not running?", frozen first, then in the order of the gates an instance passes. */
export interface WhyReason {
  readonly gate: 'upstream' | 'time' | 'resource' | 'frozen' | 'running' | 'done';
  readonly text: string;
  /** API ids of the instances that are named. */
  readonly refs: readonly string[];
}

export interface Why {
  readonly status: InstanceStatus;
  readonly reasons: readonly WhyReason[];
}

const SHOWN = 20;
/** How many instances upstream are looked at for what holds the chain. */
const LOOKED_AT = 10_000;

/** Walks the gates of one instance: frozen, upstream, time, resource. */
export async function explainInstance(sql: Sql, key: InstanceKey, now: Date): Promise<Why> {
  const [row] = await sql.rows<InstanceRow>(
    `SELECT ${INSTANCE_COLUMNS} FROM node_instance i WHERE i.plan_day = $1 AND i.id = $2`,
    [key.planDay, key.id],
  );
  if (row === undefined) throw new MillraceError('MR-A104', `There is no instance ${key.id}.`);
  const reasons: WhyReason[] = [];
  if (isFinal(row.status)) reasons.push(await done(sql, row));
  else if ((HELD_STATUSES as readonly string[]).includes(row.status)) {
    reasons.push(await running(sql, row));
  } else {
    // First, because nothing else matters until somebody unfreezes it.
    if (row.frozen) reasons.push({ gate: 'frozen', text: 'It is frozen. Unfreeze it.', refs: [] });
    const open = await upstream(sql, row);
    reasons.push(...open, ...(await awaited(sql, row)), ...(await further(sql, row, open)));
    if (row.run_at > now) {
      reasons.push({
        gate: 'time',
        text: `Its time has not come: it may run from ${row.run_at.toISOString()}.`,
        refs: [],
      });
    }
    reasons.push(...(await explainBackfill(sql, row, now)));
    if (row.status === 'retry_wait') reasons.push(...(await retry(sql, row)));
    if (row.status === 'waiting_resource') reasons.push(...(await explainResource(sql, row)));
  }
  return { status: row.status, reasons };
}

async function done(sql: Sql, row: InstanceRow): Promise<WhyReason> {
  const [attempt] = await sql.rows<{ error_code: string | null; error_detail: string | null }>(
    `SELECT error_code, error_detail FROM attempt
      WHERE plan_day = $1 AND instance_id = $2 ORDER BY epoch DESC LIMIT 1`,
    [row.plan_day, row.id],
  );
  const how = row.reason === null ? '' : ` (${row.reason})`;
  const detail = attempt?.error_detail?.trim().replace(/\.$/, '') ?? '';
  const cause = attempt?.error_code == null ? '' : `: ${`${attempt.error_code} ${detail}`.trim()}`;
  return {
    gate: 'done',
    text: `It ${endOf(row.status)}${how}${row.status === 'succeeded' ? '' : cause}.`,
    refs: [],
  };
}

function endOf(status: InstanceStatus): string {
  return status === 'cancelled' ? 'was cancelled' : `has ${status}`;
}

async function running(sql: Sql, row: InstanceRow): Promise<WhyReason> {
  const [held] = await sql.rows<{ name: string }>(
    `SELECT w.name FROM running_attempt a JOIN worker w ON w.id = a.worker_id WHERE a.instance_id = $1`,
    [row.id],
  );
  return { gate: 'running', text: `Worker "${held?.name ?? '?'}" runs it.`, refs: [] };
}

async function upstream(sql: Sql, row: InstanceRow): Promise<WhyReason[]> {
  const open = await sql.rows<{
    plan_day: string;
    id: number;
    name: string;
    status: InstanceStatus;
    frozen: boolean | null;
    kind: string;
  }>(
    // What was removed with its day is known by the last outcome of its node.
    `SELECT e.upstream_plan_day AS plan_day, e.upstream_id AS id, n.name,
            coalesce(i.status, l.status) AS status, i.frozen, e.kind
       FROM instance_edge e
       LEFT JOIN node_instance i ON i.plan_day = e.upstream_plan_day AND i.id = e.upstream_id
       LEFT JOIN node_last l ON i.id IS NULL AND l.instance_id = e.upstream_id
       JOIN node n ON n.id = coalesce(i.node_id, l.node_id)
      WHERE e.plan_day = $1 AND e.downstream_id = $2 AND NOT e.removed AND e.outcome IN ('open', 'failed')
      ORDER BY (i.status = 'failed') DESC, i.scheduled_at, e.upstream_id LIMIT ${SHOWN}`,
    [row.plan_day, row.id],
  );
  return open.map((each) => ({
    gate: 'upstream' as const,
    text: `Upstream "${each.name}"${whatHolds(each)}`,
    refs: [encodeDayId('inst', { planDay: each.plan_day, id: each.id })],
  }));
}

/** `frozen` is null of one that is gone. */
function whatHolds(each: { status: InstanceStatus; frozen: boolean | null; kind: string }): string {
  if (each.frozen === null)
    return ` ${endOf(each.status)} and was removed with its day: unlink it, or force the rerun.`;
  if (each.status === 'failed' || each.status === 'cancelled')
    return ` ${endOf(each.status)}: rerun it or set it to success.`;
  const cycle = each.kind === 'same_cycle' ? '' : ' (previous cycle)';
  return `${cycle} is ${each.status}${each.frozen ? ' and frozen: unfreeze it' : ''}.`;
}

async function awaited(sql: Sql, row: InstanceRow): Promise<WhyReason[]> {
  const found = await sql.rows<{ workflow: string; name: string; scheduled_at: Date }>(
    `SELECT w.name AS workflow, n.name, a.scheduled_at FROM awaited_edge a
       JOIN node n ON n.id = a.upstream_node_id JOIN workflow w ON w.id = n.workflow_id
      WHERE a.downstream_id = $1 AND NOT a.forced ORDER BY a.scheduled_at, n.name LIMIT ${SHOWN}`,
    [row.id],
  );
  return found.map((each) => ({
    gate: 'upstream' as const,
    text: `Upstream "${each.workflow}/${each.name}" of ${each.scheduled_at.toISOString()} has not been planned yet.`,
    refs: [],
  }));
}

/**
 * What holds its upstreams in their turn, however far away: instances that will not go on by themselves.
 * Those that are named already are left out.
 */
async function further(
  sql: Sql,
  row: InstanceRow,
  named: readonly WhyReason[],
): Promise<WhyReason[]> {
  if (named.length === 0) return [];
  const roots = await sql.rows<Root>(
    // Each step goes by key into the partitions of the step before; as a join it would read them whole.
    `WITH RECURSIVE above (plan_day, id) AS (
       SELECT $1::date, $2::bigint
       UNION
       SELECT e.upstream_plan_day, e.upstream_id
         FROM above a
        CROSS JOIN LATERAL (SELECT upstream_plan_day, upstream_id FROM instance_edge
                             WHERE plan_day = a.plan_day AND downstream_id = a.id AND NOT removed
                               AND outcome IN ('open', 'failed') OFFSET 0) e
     )
     SELECT i.plan_day, i.id, n.name, w.name AS workflow, i.bizdate, i.status, i.frozen
       FROM (SELECT * FROM above LIMIT ${LOOKED_AT}) a
      CROSS JOIN LATERAL (SELECT * FROM node_instance
                           WHERE plan_day = a.plan_day AND id = a.id
                             AND (status IN ('failed', 'cancelled') OR frozen AND status <> 'succeeded')
                          OFFSET 0) i
       JOIN node n ON n.id = i.node_id JOIN workflow w ON w.id = i.workflow_id
      WHERE i.id <> $2 ORDER BY i.frozen, i.scheduled_at, i.id LIMIT ${SHOWN * 2}`,
    [row.plan_day, row.id],
  );
  const known = new Set(named.flatMap(({ refs }) => refs));
  return roots
    .map((root) => ({
      gate: 'upstream' as const,
      text: `Further up, ${textOf(root)}`,
      refs: [encodeDayId('inst', { planDay: root.plan_day, id: root.id })],
    }))
    .filter(({ refs: [ref = ''] }) => !known.has(ref))
    .slice(0, SHOWN);
}

interface Root {
  readonly plan_day: string;
  readonly id: number;
  readonly name: string;
  readonly workflow: string;
  readonly bizdate: string;
  readonly status: InstanceStatus;
  readonly frozen: boolean;
}

function textOf({ name, workflow, bizdate, status, frozen }: Root): string {
  const who = `"${name}" of workflow "${workflow}" on ${bizdate}`;
  if (status === 'failed' || status === 'cancelled')
    return `${who} ${endOf(status)}: rerun it or set it to success.`;
  return `${who} is ${frozen ? 'frozen: unfreeze it' : status}.`;
}

async function retry(sql: Sql, row: InstanceRow): Promise<WhyReason[]> {
  const [due] = await sql.rows<{ due_at: Date }>(
    `SELECT due_at FROM due_instance WHERE instance_id = $1`,
    [row.id],
  );
  if (due === undefined) return [];
  return [
    {
      gate: 'time',
      text: `Attempt ${row.attempt} failed; it is tried again at ${due.due_at.toISOString()}.`,
      refs: [],
    },
  ];
}
