import type { BackfillRequest, ClockTimes } from '../../domain/backfill/backfill-request.js';
import { localOf } from '../../domain/calendar/zone.js';
import type { Sql } from '../../store/database.js';
import { cycleHistory, type CycleOutcome } from '../../store/sql/cycle-history.sql.js';
import type { PlannedInstance } from '../../store/sql/insert-plan.sql.js';
import type { BackfillScene } from './backfill-scene.js';
import type { BackfillVersions } from './backfill-versions.js';
import { keyOf } from './cycle-key.js';
import { cycleOutputs } from './cycle-outputs.js';
import type { DatePlan } from './date-plan.js';
import { lackOf, type MissingCycle } from './missing-cycle.js';
import { type BackfillNode, mayRun } from './planned-backfill.js';
import { type SourceFinding, standingsBy } from './source-finding.js';

interface WantedOptions {
  readonly versions: BackfillVersions;
  readonly only: NonNullable<BackfillRequest['only']>;
  readonly hours: ClockTimes | undefined;
  /** Ids of the nodes that were asked for. */
  readonly asked: ReadonlySet<number>;
  /** Instead of the nodes' own. */
  readonly resourceGroupId: number | undefined;
  /** What a check at the source has found; `undefined`: records are believed. */
  readonly finding: SourceFinding | undefined;
}

/** Says which instances of a plan were asked for; what is left out of a chain is a dry run. */
export type WantedIn = (plan: DatePlan) => (instance: PlannedInstance) => boolean;

export interface WantedCycles {
  readonly wantedIn: WantedIn;
  /** Of `only: missing` the cycles that are, and those of which nobody could say. */
  readonly missing: readonly MissingCycle[];
}

export function wantedOptions(
  { versions, nodes, overrides }: Pick<BackfillScene, 'versions' | 'nodes' | 'overrides'>,
  {
    only = 'all',
    hours,
    finding,
  }: BackfillRequest & { readonly finding?: SourceFinding | undefined },
): WantedOptions {
  // A dry run mends nothing: a forbidden node is neither missing nor failed.
  const isWanted = only === 'all' ? ({ isAsked }: BackfillNode) => isAsked : mayRun;
  const asked = new Set(nodes.filter(isWanted).map((node) => node.id));
  const { resourceGroupId } = overrides;
  return { versions, only, hours, asked, resourceGroupId, finding };
}

/** Says which instances are of the nodes and hours that were asked for. */
export function askedIn({ asked, hours, versions }: WantedOptions): WantedIn {
  return (plan) => {
    const isWithin = hours === undefined ? () => true : withinHours(plan, hours, versions);
    return (instance) => asked.has(instance.nodeId) && isWithin(instance);
  };
}

/** Looks up what `only` needs to know of the past of these plans, in three statements at most. */
export async function wantedCycles(
  sql: Sql,
  plans: readonly DatePlan[],
  options: WantedOptions,
): Promise<WantedCycles> {
  const { only, asked } = options;
  const isAsked = askedIn(options);
  const times = plans.flatMap((plan) => plan.instances.map((each) => each.scheduledAt.getTime()));
  if (only === 'all' || times.length === 0) return { wantedIn: isAsked, missing: [] };
  const { from, to } = spanOf(times);
  const history = new Map(
    (await cycleHistory(sql, [...asked], from, to)).map((each) => [keyOf(each), each] as const),
  );
  const missing = only === 'failed' ? undefined : await missingOf(sql, plans, options, history);
  const isLeft = (instance: PlannedInstance): boolean => {
    if (missing !== undefined) return isMissing(missing.get(keyOf(instance)));
    const last = history.get(keyOf(instance))?.lastStatus;
    return last === 'failed' || last === 'cancelled';
  };
  return {
    wantedIn: (plan) => {
      const isOfPlan = isAsked(plan);
      return (instance) => isOfPlan(instance) && isLeft(instance);
    },
    missing: [...(missing?.values() ?? [])],
  };
}

/** What nobody could look for counts as what its record says. */
function isMissing(cycle: MissingCycle | undefined): boolean {
  return cycle !== undefined && cycle.reason !== 'unchecked';
}

async function missingOf(
  sql: Sql,
  plans: readonly DatePlan[],
  options: WantedOptions,
  history: ReadonlyMap<string, CycleOutcome>,
): Promise<ReadonlyMap<string, MissingCycle>> {
  const { asked, versions, resourceGroupId, finding } = options;
  const outputsOf = await cycleOutputs(sql, versions, [...asked]);
  const isAsked = askedIn(options);
  const standingsIn = standingsBy(finding);
  const missing = new Map<string, MissingCycle>();
  for (const plan of plans) {
    for (const instance of plan.instances.filter(isAsked(plan))) {
      // On such a day nothing is produced, so nothing is missing.
      if (instance.dryRun) continue;
      const key = keyOf(instance);
      const hasSucceeded = history.get(key)?.succeeded === true;
      const standingOf = standingsIn(resourceGroupId ?? instance.resourceGroupId);
      const lack = lackOf(outputsOf(instance), hasSucceeded, standingOf);
      if (lack === undefined) continue;
      const { nodeId, scheduledAt } = instance;
      missing.set(key, { ...lack, nodeId, scheduledAt, bizdate: plan.bizdate });
    }
  }
  return missing;
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
