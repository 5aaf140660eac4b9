import type { Bizdate } from '../../domain/calendar/bizdate.js';
import { localOf } from '../../domain/calendar/zone.js';
import type { RegisteredCode } from '../../domain/error-registry.js';
import { MillraceError } from '../../domain/errors.js';
import { encodeDayId } from '../../domain/ids.js';
import {
  type NamedOutput,
  type NodeInput,
  type ProducedOutputs,
  resolveInput,
  type UpstreamRun,
} from '../../domain/params/named-output.js';
import type { Sql } from '../database.js';
import { daysOf, onDays } from './instance-row.js';

/** A claimed instance whose node takes outputs of upstreams. */
export interface InputAsk {
  readonly planDay: string;
  readonly id: number;
  readonly epoch: number;
  readonly inputs: readonly NodeInput[];
}

/** What an attempt was given for one input; `AttemptInputs` is what the attempt row keeps. */
export interface AttemptInput {
  readonly value: string;
  readonly output: string;
  /** The instance it comes from; absent: it is the default. */
  readonly instance?: string;
  /** Of that instance. */
  readonly runNumber?: number;
  /** Why the default was taken. */
  readonly reason?: string;
}
export type AttemptInputs = Readonly<Record<string, AttemptInput>>;

interface InputResolution {
  readonly values: Readonly<Record<string, string>>;
  readonly problem?: { readonly code: RegisteredCode; readonly detail: string };
}

interface UpstreamRow {
  readonly downstream_id: number;
  readonly no: number;
  readonly plan_day: string;
  readonly id: number;
  readonly node_id: number;
  readonly workflow_id: number;
  readonly name: string;
  readonly status: string;
  readonly dry_run: boolean;
  readonly run_number: number;
  readonly bizdate: Bizdate;
  readonly scheduled_at: Date;
  readonly timezone: string;
  readonly declared: readonly NamedOutput[] | null;
  readonly parameters: Readonly<Record<string, string>> | null;
  readonly has_succeeded: boolean;
  readonly produced: ProducedOutputs | null;
  readonly given: AttemptInputs | null;
}

/**
 * Looks the outputs of upstreams up for attempts that are being claimed, and notes on each attempt what it
 * was given: not frozen at the planning, so that an upstream that was rerun is seen. By instance id.
 */
export async function resolveInputs(
  tx: Sql,
  asks: readonly InputAsk[],
): Promise<Map<number, InputResolution>> {
  const resolved = new Map<number, InputResolution>();
  if (asks.length === 0) return resolved;
  const upstreams = await findUpstreams(tx, asks);
  const given = new Map<number, AttemptInputs>();
  for (const ask of asks) {
    const inputs: Record<string, AttemptInput> = {};
    let problem: InputResolution['problem'];
    for (const [no, input] of ask.inputs.entries()) {
      const row = upstreams.get(`${ask.id} ${no}`);
      try {
        inputs[input.name] = inputOf(input, row);
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        const from = row === undefined ? '' : ` (output "${input.output}" of ${row.name})`;
        const isNamed = error.code === 'MR-S181';
        problem ??= { code: error.code, detail: `${error.detail}${isNamed ? '' : from}` };
      }
    }
    given.set(ask.id, inputs);
    const values = Object.fromEntries(
      Object.entries(inputs).map(([name, { value }]) => [name, value]),
    );
    resolved.set(ask.id, { values, ...(problem === undefined ? {} : { problem }) });
  }
  await tx.run(
    `UPDATE attempt a SET inputs = g.inputs
       FROM unnest($2::bigint[], $3::int[], $4::jsonb[]) AS g(id, epoch, inputs)
      WHERE a.plan_day ${onDays('$1')} AND a.instance_id = g.id AND a.epoch = g.epoch`,
    [
      daysOf(asks.map((ask) => ask.planDay)),
      asks.map((ask) => ask.id),
      asks.map((ask) => ask.epoch),
      asks.map((ask) => JSON.stringify(given.get(ask.id))),
    ],
  );
  return resolved;
}

function inputOf(input: NodeInput, row: UpstreamRow | undefined): AttemptInput {
  const { output } = input;
  const result = resolveInput(input, row === undefined ? undefined : upstreamOf(row));
  if (result.kind === 'default') return { value: result.value, output, reason: result.reason };
  if (row === undefined) throw new MillraceError('MR-A109', `Nothing gave ${input.name} a value.`);
  const instance = encodeDayId('inst', { planDay: row.plan_day, id: row.id });
  return { value: result.value, output, instance, runNumber: row.run_number };
}

function upstreamOf(row: UpstreamRow): UpstreamRun {
  const given = Object.entries(row.given ?? {}).map(([name, { value }]) => [name, value] as const);
  return {
    name: row.name,
    declared: row.declared ?? [],
    isSucceeded: row.status === 'succeeded',
    isDryRun: row.dry_run,
    values: { ...Object.fromEntries(given), ...row.parameters },
    base: {
      bizdate: row.bizdate,
      scheduledLocal: localOf(row.scheduled_at, row.timezone),
      zone: row.timezone,
      workflowId: row.workflow_id,
      nodeId: row.node_id,
      instanceId: encodeDayId('inst', { planDay: row.plan_day, id: row.id }),
    },
    produced: row.has_succeeded ? (row.produced ?? {}) : null,
  };
}

/** By `<downstream> <place of the input>`. */
async function findUpstreams(
  tx: Sql,
  asks: readonly InputAsk[],
): Promise<Map<string, UpstreamRow>> {
  const days = daysOf(asks.map((ask) => ask.planDay));
  const wanted = asks.flatMap((ask) => ask.inputs.map((input, no) => ({ id: ask.id, no, input })));
  const found = new Map<string, UpstreamRow>();
  for (const find of [BY_EDGE, BY_BUSINESS_DATE]) {
    const rest = wanted.filter(({ id, no }) => !found.has(`${id} ${no}`));
    if (rest.length === 0) break;
    const rows = await tx.rows<UpstreamRow>(`WITH ${WANTED}, ${find} ${DETAILS}`, [
      days,
      rest.map(({ id }) => id),
      rest.map(({ no }) => no),
      rest.map(({ input }) => input.nodeId),
      rest.map(({ input }) => input.cycle),
    ]);
    for (const row of rows) found.set(`${row.downstream_id} ${row.no}`, row);
  }
  return found;
}

const WANTED = `wanted AS (
  SELECT * FROM unnest($2::bigint[], $3::int[], $4::bigint[], $5::text[]) AS w(id, no, node_id, cycle))`;

/**
 * The upstream's cycle that the instance waits for; of several the latest. An edge that was removed still
 * tells which one it is: nobody waits for it, but what it has left is there.
 */
const BY_EDGE = `chosen AS (
  SELECT DISTINCT ON (w.id, w.no) w.id AS downstream_id, w.no, u.plan_day, u.id
    FROM wanted w
    JOIN instance_edge e ON e.plan_day ${onDays('$1')} AND e.downstream_id = w.id
                        AND (e.kind = 'same_cycle') = (w.cycle = 'same')
    JOIN node_instance u ON u.plan_day = e.upstream_plan_day AND u.id = e.upstream_id
                        AND u.node_id = w.node_id
   ORDER BY w.id, w.no, e.removed, u.scheduled_at DESC, u.id DESC)`;

/**
 * Without an edge, in a test run or a backfill that leaves the upstream out: its last success of the same
 * business date in any run group, of several cycles the one that is nearest. Plans and run groups tell the
 * plan days, which would otherwise all be probed.
 */
const BY_BUSINESS_DATE = `chosen AS (
  SELECT DISTINCT ON (w.id, w.no) w.id AS downstream_id, w.no, u.plan_day, u.id
    FROM wanted w
    JOIN node_instance d ON d.plan_day ${onDays('$1')} AND d.id = w.id AND d.node_id <> w.node_id
    JOIN LATERAL (SELECT plan_day FROM plan WHERE workspace_id = d.workspace_id AND bizdate = d.bizdate
                  UNION SELECT plan_day FROM run_group
                   WHERE workspace_id = d.workspace_id AND plan_day IS NOT NULL) days ON true
    JOIN node_instance u ON u.plan_day = days.plan_day AND u.node_id = w.node_id
                        AND u.bizdate = d.bizdate AND u.status = 'succeeded' AND u.path = ''
   WHERE w.cycle = 'same'
   ORDER BY w.id, w.no, u.dry_run, u.scheduled_at > d.scheduled_at,
            abs(extract(epoch FROM u.scheduled_at - d.scheduled_at)), u.id DESC)`;

/** An upstream's declarations are those of its planned version; what it produced, that of its last run. */
const DETAILS = `
  SELECT c.downstream_id, c.no, u.plan_day, u.id, u.node_id, u.workflow_id, w.name || '/' || n.name AS name,
         u.status, u.dry_run, u.run_number, u.bizdate, u.scheduled_at, v.timezone,
         nv.named_outputs AS declared, p.parameters, a.has_succeeded, a.produced, a.given
    FROM chosen c
    JOIN node_instance u ON u.plan_day = c.plan_day AND u.id = c.id
    JOIN node n ON n.id = u.node_id
    JOIN workflow w ON w.id = u.workflow_id
    JOIN workflow_version v ON v.id = u.version_id
    LEFT JOIN node_version nv ON nv.version_id = u.version_id AND nv.node_id = u.node_id
    LEFT JOIN node_instance_detail p ON p.plan_day = u.plan_day AND p.instance_id = u.id
    CROSS JOIN LATERAL (
      SELECT coalesce(bool_or(a.state = 'succeeded'), false) AS has_succeeded,
             (array_agg(a.outputs ORDER BY a.epoch DESC) FILTER (WHERE a.outputs IS NOT NULL))[1] AS produced,
             (array_agg(a.inputs ORDER BY a.epoch DESC) FILTER (WHERE a.inputs IS NOT NULL))[1] AS given
        FROM attempt a
       WHERE a.plan_day = u.plan_day AND a.instance_id = u.id AND a.run_number = u.run_number) a`;
