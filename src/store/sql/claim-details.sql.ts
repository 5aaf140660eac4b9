import type { ChannelChange } from '../../domain/channel/channel-change.js';
import type { RegisteredCode } from '../../domain/error-registry.js';
import { MillraceError, registeredCodeOf } from '../../domain/errors.js';
import type { NamedOutput, NodeInput } from '../../domain/params/named-output.js';
import type { Sql } from '../database.js';
import { daysOf, onDays } from './instance-row.js';
import type { SecretBox } from '../secret-box.js';
import type { ClaimedRow } from './claim-ready-instances.sql.js';
import { type InputAsk, resolveInputs } from './resolve-inputs.sql.js';

/** What a worker must know of a claimed instance, credentials included: for this attempt alone. */
export interface ClaimDetails {
  readonly nodeId: number;
  readonly nodeName: string;
  readonly workflowId: number;
  readonly nodeType: string;
  readonly config: unknown;
  readonly configVersion: number;
  readonly bizdate: string;
  readonly scheduledAt: Date;
  readonly timezone: string;
  readonly timeoutMs: number;
  /** With those that come from upstreams. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Names of what its downstreams may take of this run; absent: an api of an older release. */
  readonly produces?: readonly string[];
  readonly dataSources: readonly {
    readonly name: string;
    readonly type: string;
    /** The configuration without its secret fields, and those by JSON pointer. */
    readonly visible: unknown;
    readonly secret: Readonly<Record<string, unknown>>;
    readonly configVersion: number;
    /** It may be used as far as shares of its rate are lent, and not before the first one. */
    readonly isRateLimited?: boolean;
  }[];
  /** What an operator has set for it in place of what its node says. */
  readonly channel?: ChannelChange;
  /** Why the attempt cannot begin; it is claimed all the same, or it would keep its group waiting. */
  readonly problem?: { readonly code: RegisteredCode; readonly detail: string };
}

interface DetailRow extends Omit<
  ClaimDetails,
  'dataSources' | 'problem' | 'parameters' | 'produces' | 'channel'
> {
  readonly id: number;
  readonly inputs: readonly NodeInput[] | null;
  readonly named_outputs: readonly NamedOutput[] | null;
  readonly parameters: ClaimDetails['parameters'] | null;
  readonly channel: ChannelChange | null;
  readonly dataSources:
    | readonly {
        readonly name: string;
        readonly type: string;
        readonly config: unknown;
        readonly config_version: number;
        readonly secret_id: number;
        readonly limited: boolean;
      }[]
    | null;
}

/** The details of claimed instances, by instance id. `found`: what {@link findDetails} read of them. */
export async function claimDetails(
  sql: Sql,
  box: SecretBox,
  claimed: readonly ClaimedRow[],
  found?: FoundDetails,
): Promise<Map<number, ClaimDetails>> {
  const rows = await detailRows(sql, claimed, found ?? (await findDetails(sql, claimed)));
  const taken = await resolveInputs(sql, inputAsks(rows, claimed));
  const details = new Map<number, ClaimDetails>();
  for (const detail of rows) {
    const {
      id,
      dataSources,
      parameters: stored,
      inputs: _,
      named_outputs,
      channel,
      ...found
    } = detail;
    const { values, problem } = taken.get(id) ?? {};
    const produces = (named_outputs ?? []).flatMap((each) => ('from' in each ? [each.from] : []));
    const row = {
      ...found,
      produces,
      parameters: { ...stored, ...values },
      ...(channel === null ? {} : { channel }),
    };
    try {
      if (stored === null) {
        throw new MillraceError('MR-A109', `The store has no parameters of instance ${id}.`);
      }
      if (problem !== undefined) throw new MillraceError(problem.code, problem.detail);
      details.set(id, { ...row, dataSources: await openedOf(sql, box, dataSources ?? []) });
    } catch (error) {
      const code = registeredCodeOf(error);
      // Anything else is the database's: the claim is rolled back and tried again.
      if (code === undefined || !(error instanceof MillraceError)) throw error;
      details.set(id, { ...row, dataSources: [], problem: { code, detail: error.detail } });
    }
  }
  return details;
}

async function openedOf(
  sql: Sql,
  box: SecretBox,
  sources: NonNullable<DetailRow['dataSources']>,
): Promise<ClaimDetails['dataSources']> {
  const opened: ClaimDetails['dataSources'][number][] = [];
  for (const source of sources) {
    opened.push({
      name: source.name,
      type: source.type,
      visible: source.config,
      secret: (await box.open(sql, source.secret_id)) as Readonly<Record<string, unknown>>,
      configVersion: source.config_version,
      ...(source.limited ? { isRateLimited: true } : {}),
    });
  }
  return opened;
}

/** What was frozen with the instance. */
interface PlannedRow {
  readonly plan_day: string;
  readonly id: number;
  readonly node_id: number;
  readonly version_id: number;
  readonly workspace_id: number;
  readonly workflow_id: number;
  readonly bizdate: string;
  readonly scheduled_at: Date;
  readonly parameters: ClaimDetails['parameters'] | null;
  readonly channel: ChannelChange | null;
}

/** One node of one version. */
interface CodeRow extends Pick<DetailRow, 'inputs' | 'named_outputs'> {
  readonly version_id: number;
  readonly node_id: number;
  readonly name: string;
  readonly type: string;
  readonly config: unknown;
  readonly config_version: number;
  readonly timeout_ms: number;
  readonly timezone: string;
  readonly data_sources: readonly string[];
}

type SourceRow = NonNullable<DetailRow['dataSources']>[number] & { readonly workspace_id: number };

/** What the store has of instances that are being claimed, and of some that are not after all. */
export interface FoundDetails {
  readonly planned: readonly PlannedRow[];
  /** Of each node as it was planned, and as the latest version has it. */
  readonly code: ReadonlyMap<string, CodeRow>;
}

/**
 * Reads what {@link claimDetails} needs. Neither statement needs the answer to the other, nor that of the claim
 * itself: a claim that sends all three together has one way to the server and back less.
 */
export async function findDetails(
  sql: Sql,
  instances: readonly Pick<ClaimedRow, 'plan_day' | 'id'>[],
): Promise<FoundDetails> {
  const keys = [
    daysOf(instances.map((row) => row.plan_day)),
    instances.map((row) => row.id),
  ] as const;
  const [planned, code] = await Promise.all([plannedRows(sql, keys), codeRows(sql, keys, [])]);
  return { planned, code };
}

type Keys = readonly [days: readonly string[], ids: readonly number[]];

/** Small statements: to plan one over all these tables took longer than to run it. */
async function detailRows(
  sql: Sql,
  claimed: readonly ClaimedRow[],
  { planned: all, code: known }: FoundDetails,
): Promise<DetailRow[]> {
  const versionOf = new Map(claimed.map((row) => [row.id, row.version_id]));
  const planned = all.filter((row) => versionOf.has(row.id));
  // Submitted again between the two statements: what the claim has noted down is what has to run.
  const missed = planned.filter(
    (row) => !known.has(codeKey(versionOf.get(row.id) ?? row.version_id, row.node_id)),
  );
  const code = new Map([
    ...known,
    ...(missed.length === 0
      ? []
      : await codeRows(
          sql,
          [daysOf(missed.map((row) => row.plan_day)), missed.map((row) => row.id)],
          missed.map((row) => versionOf.get(row.id) ?? row.version_id),
        )),
  ]);
  const sources = await sourceRows(sql, planned, [...code.values()]);
  return planned.flatMap((row): DetailRow[] => {
    // Inputs and outputs are parameters: those of the planned version, also when the code is newer.
    const asPlanned = code.get(codeKey(row.version_id, row.node_id));
    const found = code.get(codeKey(versionOf.get(row.id) ?? row.version_id, row.node_id));
    if (found === undefined) return [];
    return [
      {
        id: row.id,
        nodeId: row.node_id,
        nodeName: found.name,
        workflowId: row.workflow_id,
        nodeType: found.type,
        config: found.config,
        configVersion: found.config_version,
        bizdate: row.bizdate,
        scheduledAt: row.scheduled_at,
        timezone: asPlanned?.timezone ?? found.timezone,
        timeoutMs: found.timeout_ms,
        parameters: row.parameters,
        channel: row.channel,
        inputs: asPlanned?.inputs ?? null,
        named_outputs: asPlanned?.named_outputs ?? null,
        dataSources: sources.filter(
          (source) =>
            source.workspace_id === row.workspace_id && found.data_sources.includes(source.name),
        ),
      },
    ];
  });
}

async function plannedRows(sql: Sql, keys: Keys): Promise<PlannedRow[]> {
  return await sql.rows<PlannedRow>(
    `SELECT i.plan_day, i.id, i.node_id, i.version_id, i.workspace_id, i.workflow_id, i.bizdate,
            i.scheduled_at, d.parameters, d.channel
       FROM node_instance i
       LEFT JOIN node_instance_detail d ON d.plan_day = i.plan_day AND d.instance_id = i.id
             AND d.plan_day ${onDays('$1')} AND d.instance_id = ANY($2::bigint[])
      WHERE i.plan_day ${onDays('$1')} AND i.id = ANY($2::bigint[])`,
    keys,
  );
}

/** The nodes as they were planned, and as the latest version and those of `versions` have them. */
async function codeRows(
  sql: Sql,
  keys: Keys,
  versions: readonly number[],
): Promise<Map<string, CodeRow>> {
  const rows = await sql.rows<CodeRow>(
    `WITH planned AS MATERIALIZED (
       SELECT version_id, node_id FROM node_instance
        WHERE plan_day ${onDays('$1')} AND id = ANY($2::bigint[])
     )
     SELECT nv.version_id, nv.node_id, n.name, nv.type, nv.config, nv.config_version, nv.timeout_ms,
            v.timezone, nv.data_sources, nv.inputs, nv.named_outputs
       FROM node_version nv JOIN node n ON n.id = nv.node_id
       JOIN workflow_version v ON v.id = nv.version_id
      WHERE nv.version_id = ANY(ARRAY(SELECT DISTINCT version_id FROM planned) || ARRAY(
              SELECT DISTINCT (SELECT l.version_id FROM node_version l WHERE l.node_id = p.node_id
                                ORDER BY l.version_id DESC LIMIT 1)
                FROM planned p) || $3::bigint[])
        AND nv.node_id = ANY(ARRAY(SELECT node_id FROM planned))`,
    [...keys, versions],
  );
  return new Map(rows.map((row) => [codeKey(row.version_id, row.node_id), row]));
}

function codeKey(versionId: number, nodeId: number): string {
  return `${versionId}:${nodeId}`;
}

async function sourceRows(
  sql: Sql,
  planned: readonly PlannedRow[],
  code: readonly CodeRow[],
): Promise<SourceRow[]> {
  const names = new Set(code.flatMap((row) => row.data_sources));
  if (names.size === 0) return [];
  return await sql.rows<SourceRow>(
    `SELECT s.workspace_id, s.name, s.type, s.config, s.config_version, s.secret_id,
            EXISTS (SELECT FROM rate_limit l WHERE l.data_source_id = s.id) AS limited
       FROM data_source s
      WHERE s.workspace_id = ANY($1::bigint[]) AND s.environment = 'production'
        AND s.name = ANY($2::text[])`,
    [[...new Set(planned.map((row) => row.workspace_id))], [...names]],
  );
}

/** A value that a test run or a backfill was given for an input stands among the planned ones. */
function inputAsks(rows: readonly DetailRow[], claimed: readonly ClaimedRow[]): InputAsk[] {
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  return claimed.flatMap(({ plan_day: planDay, id, epoch }) => {
    const { inputs, parameters } = rowOf.get(id) ?? {};
    const open = (inputs ?? []).filter(({ name }) => !Object.hasOwn(parameters ?? {}, name));
    return open.length === 0 ? [] : [{ planDay, id, epoch, inputs: open }];
  });
}
