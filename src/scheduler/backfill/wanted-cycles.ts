import type { BackfillRequest, ClockTimes } from '../../domain/backfill/backfill-request.js';
import { localOf } from '../../domain/calendar/zone.js';
import type { Sql } from '../../store/database.js';
import { cycleHistory, producedPartitions } from '../../store/sql/cycle-history.sql.js';
import type { PlannedInstance } from '../../store/sql/insert-plan.sql.js';
import type { BackfillVersions } from './backfill-versions.js';
import type { DatePlan } from './date-plan.js';
import { type BackfillNode, mayRun } from './planned-backfill.js';

/** A node's declared product; its partition is in the parameters of each instance as `output.<no>`. */
interface NodeOutput {
  readonly nodeId: number;
  readonly no: number;
  readonly dataSource: string;
  readonly tableName: string;
}

interface WantedOptions {
  readonly versions: BackfillVersions;
  readonly only: NonNullable<BackfillRequest['only']>;
  readonly hours: ClockTimes | undefined;
  /** Ids of the nodes that were asked for. */
  readonly asked: ReadonlySet<number>;
}

/** Says which instances of a plan were asked for; what is left out of a chain is a dry run. */
export type WantedIn = (plan: DatePlan) => (instance: PlannedInstance) => boolean;

export function wantedOptions(
  {
    versions,
    nodes,
  }: { readonly versions: BackfillVersions; readonly nodes: readonly BackfillNode[] },
  { only = 'all', hours }: BackfillRequest,
): WantedOptions {
  // A dry run mends nothing: a forbidden node is neither missing nor failed.
  const isWanted = only === 'all' ? ({ isAsked }: BackfillNode) => isAsked : mayRun;
  const asked = new Set(nodes.filter(isWanted).map((node) => node.id));
  return { versions, only, hours, asked };
}

/** Looks up what `only` needs to know of the past of these plans, in three statements at most. */
export async function wantedCycles(
  sql: Sql,
  plans: readonly DatePlan[],
  options: WantedOptions,
): Promise<WantedIn> {
  const isLeft = await filterOf(sql, plans, options);
  const { asked, hours, versions } = options;
  return (plan) => {
    const isWithin = hours === undefined ? () => true : withinHours(plan, hours, versions);
    return (instance) => asked.has(instance.nodeId) && isWithin(instance) && isLeft(instance);
  };
}

async function filterOf(
  sql: Sql,
  plans: readonly DatePlan[],
  { only, asked, versions }: WantedOptions,
): Promise<(instance: PlannedInstance) => boolean> {
  const times = plans.flatMap((plan) => plan.instances.map((each) => each.scheduledAt.getTime()));
  if (only === 'all' || times.length === 0) return () => true;
  const nodeIds = [...asked];
  const { from, to } = spanOf(times);
  const history = new Map(
    (await cycleHistory(sql, nodeIds, from, to)).map((each) => [keyOf(each), each] as const),
  );
  if (only === 'failed')
    return (instance) => {
      const last = history.get(keyOf(instance))?.lastStatus;
      return last === 'failed' || last === 'cancelled';
    };
  const records = await producedPartitions(sql, versions[0].workspaceId, nodeIds);
  const produced = new Set(
    records.map((each) => `${each.nodeId} ${partitionKey(each, each.partition)}`),
  );
  const producedAt = new Set(records.map((each) => `${keyOf(each)} ${partitionKey(each, '')}`));
  const outputsOf = new Map<number, NodeOutput[]>();
  for (const output of await declaredOutputs(sql, versions))
    outputsOf.set(output.nodeId, [...(outputsOf.get(output.nodeId) ?? []), output]);
  return (instance) => {
    // On such a day nothing is produced, so nothing is missing.
    if (instance.dryRun) return false;
    const own = outputsOf.get(instance.nodeId);
    // A node that declares no product has nothing but its own outcome to be known by.
    if (own === undefined) return history.get(keyOf(instance))?.succeeded !== true;
    // It has no id yet: of a product that is named after the id, any of its cycle counts.
    const [parameters, others] = [instance.parameters(0), instance.parameters(1)];
    return own.some((output) => {
      const name = `output.${output.no}`;
      const partition = parameters[name] ?? '';
      if (partition !== others[name])
        return !producedAt.has(`${keyOf(instance)} ${partitionKey(output, '')}`);
      return !produced.has(`${instance.nodeId} ${partitionKey(output, partition)}`);
    });
  };
}

async function declaredOutputs(tx: Sql, versions: BackfillVersions): Promise<NodeOutput[]> {
  return await tx.rows<NodeOutput>(
    `SELECT node_id AS "nodeId", no, data_source AS "dataSource", table_name AS "tableName"
       FROM node_output WHERE version_id = ANY($1::bigint[])`,
    [versions.map(({ versionId }) => versionId)],
  );
}

/** The first and the last of these times; not by spreading them, which a stack has no room for. */
export function spanOf(times: readonly number[]): { readonly from: Date; readonly to: Date } {
  let [from, to] = [Infinity, -Infinity];
  for (const time of times) {
    from = Math.min(from, time);
    to = Math.max(to, time);
  }
  return { from: new Date(from), to: new Date(to) };
}

/** Names one cycle of one node. */
export function keyOf(cycle: { readonly nodeId: number; readonly scheduledAt: Date }): string {
  return `${cycle.nodeId} ${cycle.scheduledAt.getTime()}`;
}

function partitionKey(
  output: { readonly dataSource: string; readonly tableName: string },
  partition: string,
): string {
  return JSON.stringify([output.dataSource, output.tableName, partition]);
}

/** Hours choose among the cycles of a day; a node that runs once a day has nothing to choose from. */
function withinHours(
  plan: DatePlan,
  hours: ClockTimes,
  versions: BackfillVersions,
): (instance: PlannedInstance) => boolean {
  const zones = new Map(versions.map(({ versionId, timezone }) => [versionId, timezone]));
  const counts = new Map<number, number>();
  for (const { nodeId } of plan.instances) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
  return ({ nodeId, versionId, scheduledAt }) => {
    if (counts.get(nodeId) === 1) return true;
    const time = localOf(scheduledAt, zones.get(versionId) ?? versions[0].timezone).time.slice(
      0,
      5,
    );
    return time >= hours.from && time <= hours.to;
  };
}
