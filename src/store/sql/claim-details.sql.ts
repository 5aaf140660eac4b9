import type { ChannelChange } from '../../domain/channel/channel-change.js';
import type { RegisteredCode } from '../../domain/error-registry.js';
import { MillraceError, registeredCodeOf } from '../../domain/errors.js';
import type { NamedOutput, NodeInput } from '../../domain/params/named-output.js';
import type { Sql } from '../database.js';
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

/** Reads the details of claimed instances, by instance id. */
export async function claimDetails(
  sql: Sql,
  box: SecretBox,
  claimed: readonly ClaimedRow[],
): Promise<Map<number, ClaimDetails>> {
  const rows = await detailRows(sql, claimed);
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

async function detailRows(sql: Sql, claimed: readonly ClaimedRow[]): Promise<DetailRow[]> {
  return await sql.rows<DetailRow>(
    `SELECT i.id, i.node_id AS "nodeId", n.name AS "nodeName", i.workflow_id AS "workflowId",
            nv.type AS "nodeType", nv.config, nv.config_version AS "configVersion", i.bizdate,
            i.scheduled_at AS "scheduledAt", v.timezone, nv.timeout_ms AS "timeoutMs", d.parameters, d.channel,
            pv.inputs, pv.named_outputs,
            (SELECT jsonb_agg(jsonb_build_object('name', s.name, 'type', s.type, 'config', s.config,
                      'config_version', s.config_version, 'secret_id', s.secret_id,
                      'limited', EXISTS (SELECT FROM rate_limit l WHERE l.data_source_id = s.id)))
               FROM data_source s WHERE s.workspace_id = i.workspace_id
                AND s.environment = 'production' AND s.name = ANY(nv.data_sources)) AS "dataSources"
       FROM unnest($2::bigint[], $3::bigint[]) AS c(id, version_id)
       JOIN node_instance i ON i.id = c.id AND i.plan_day = ANY($1::date[])
       JOIN node n ON n.id = i.node_id
       JOIN node_version nv ON nv.version_id = c.version_id AND nv.node_id = i.node_id
       JOIN workflow_version v ON v.id = i.version_id
       -- Inputs and outputs are parameters: those of the planned version, also when the code is newer.
       LEFT JOIN node_version pv ON pv.version_id = i.version_id AND pv.node_id = i.node_id
       LEFT JOIN node_instance_detail d ON d.plan_day = i.plan_day AND d.instance_id = i.id
             AND d.plan_day = ANY($1::date[])`,
    [
      [...new Set(claimed.map((row) => row.plan_day))],
      claimed.map((row) => row.id),
      claimed.map((row) => row.version_id),
    ],
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
