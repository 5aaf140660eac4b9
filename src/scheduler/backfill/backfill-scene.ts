import { backfillDates } from '../../domain/backfill/backfill-dates.js';
import type { BackfillOrder, BackfillRequest } from '../../domain/backfill/backfill-request.js';
import type { Bizdate } from '../../domain/calendar/bizdate.js';
import { MillraceError } from '../../domain/errors.js';
import { checkOutsideValue } from '../../domain/params/check-outside-value.js';
import type { Sql } from '../../store/database.js';
import type { WorkflowPlan } from '../../store/sql/insert-plan.sql.js';
import {
  loadVersionScene,
  planCycles,
  type PlanOrder,
  planWorkflow,
  type VersionScene,
} from '../plan-workflow.js';
import { refuseUnknownParameters } from '../run-workflow.js';
import { digestOf } from '../seen-token.js';
import { nodesInScope } from './backfill-nodes.js';
import type { BackfillVersions } from './backfill-versions.js';
import { type DatePlan, joined } from './date-plan.js';
import type { Overrides } from './keep-wanted.js';
import { type BackfillNode, mayRun } from './planned-backfill.js';
import {
  awaitedAcrossZones,
  type BackfillPart,
  siblingNodes,
  siblingsOf,
} from './sibling-nodes.js';

/** How many nodes an error names. */
const MAX_NAMES = 10;

/** What a backfill makes of its versions, the same on all of its business dates. */
export interface BackfillScene {
  readonly versions: BackfillVersions;
  /** In scope; upstream first. */
  readonly nodes: readonly BackfillNode[];
  readonly order: BackfillOrder;
  /** In that order. */
  readonly dates: readonly Bizdate[];
  /** A cycle waits for one of another date, which has to be known where its edge is made. */
  readonly chains: boolean;
  /** No node of the versions is out of scope. */
  readonly isWhole: boolean;
  readonly overrides: Overrides;
  /** Of all that is read here: the same digest makes the same instances. */
  readonly digest: string;
  /** All instances of a business date, without edges. */
  readonly cyclesOn: (bizdate: Bizdate) => DatePlan;
  /** All instances and edges of a business date; run group 0 while there is none. */
  readonly planOn: (sql: Sql, bizdate: Bizdate, runGroupId: number) => Promise<DatePlan>;
}

export async function backfillScene(
  tx: Sql,
  now: Date,
  planDay: string,
  versions: BackfillVersions,
  request: BackfillRequest,
): Promise<BackfillScene> {
  const parameters = await checkedParameters(tx, versions, request);
  const nodes = await nodesInScope(tx, versions, request.scope);
  const waits = nodes.some((node) => mayRun(node) && node.waitsForPrevious);
  const order = waits ? 'asc' : request.order;
  const dates = backfillDates({ ...request, order });
  const parts = await partsOf(tx, versions);
  const siblings = siblingsOf(parts, new Set(nodes.map(({ id }) => id)));
  const overrides = {
    ...(await overridesOf(tx, now, request)),
    forbidden: forbiddenOf(nodes),
    awaitedLater: awaitedAcrossZones(siblings),
  };
  const said = parts.flatMap(({ scene }) => [scene.nodes, calendarsIn(scene)]);
  const all = parts.reduce((sum, { scene }) => sum + scene.nodes.length, 0);
  return {
    versions,
    nodes,
    order,
    dates,
    chains: waits || new Set(versions.map(({ timezone }) => timezone)).size > 1,
    isWhole: all === nodes.filter((node) => node.isAsked).length,
    overrides,
    digest: digestOf([...said, nodes.map(versionless), overrides.resourceGroupId]),
    ...datePlanner(parts, siblings, dates, { planDay, runAt: now, parameters }),
  };
}

/** Plans each workflow for a business date, and joins what they have. */
function datePlanner(
  [own, ...others]: BackfillParts,
  siblings: ReturnType<typeof siblingsOf>,
  dates: readonly Bizdate[],
  order: Pick<PlanOrder, 'planDay' | 'runAt' | 'parameters'>,
): Pick<BackfillScene, 'cyclesOn' | 'planOn'> {
  const versions = [own, ...others].map(({ version }) => version);
  const ofBackfill = new Set<string>(dates);
  return {
    cyclesOn: (bizdate) => {
      const planOf = ({ version, scene }: BackfillPart): WorkflowPlan =>
        planCycles(scene, { ...version, ...order, bizdate, runGroupId: 0 });
      return joined([planOf(own), ...others.map(planOf)], versions, ofBackfill);
    },
    planOn: async (sql, bizdate, runGroupId) => {
      const planOf = async (part: BackfillPart): Promise<WorkflowPlan> =>
        await planWorkflow(
          sql,
          { ...part.version, ...order, bizdate, runGroupId },
          part.scene,
          siblingNodes(siblings.get(part) ?? []),
        );
      const plans: [WorkflowPlan, ...WorkflowPlan[]] = [await planOf(own)];
      for (const part of others) plans.push(await planOf(part));
      return joined(plans, versions, ofBackfill);
    },
  };
}

type BackfillParts = readonly [BackfillPart, ...BackfillPart[]];

async function partsOf(tx: Sql, [own, ...others]: BackfillVersions): Promise<BackfillParts> {
  const parts: [BackfillPart, ...BackfillPart[]] = [
    { version: own, scene: await loadVersionScene(tx, own) },
  ];
  for (const version of others) parts.push({ version, scene: await loadVersionScene(tx, version) });
  return parts;
}

function calendarsIn({ calendars }: VersionScene): unknown[] {
  return [...calendars].map(([name, { workWeekdays, holidays, workDays }]) => [
    name,
    ...[workWeekdays, holidays, workDays].map((days) => [...days]),
  ]);
}

/** What a version says of backfills never changes: digests of before it said so still hold. */
function versionless({ id, name, waitsForPrevious, isAsked }: BackfillNode): object {
  return { id, name, waitsForPrevious, isAsked };
}

/** MR-S196 when that is all that was asked for. */
function forbiddenOf(nodes: readonly BackfillNode[]): ReadonlySet<number> {
  const asked = nodes.filter((node) => node.isAsked);
  if (asked.length > 0 && !asked.some(mayRun)) {
    const names = asked.slice(0, MAX_NAMES).map(({ name }) => `"${name}"`);
    const more = asked.length > names.length ? ` and ${asked.length - names.length} more` : '';
    throw new MillraceError(
      'MR-S196',
      `They say \`backfill: forbidden\`: ${names.join(', ')}${more}.`,
    );
  }
  return new Set(nodes.filter((node) => node.isForbidden).map(({ id }) => id));
}

async function checkedParameters(
  tx: Sql,
  versions: BackfillVersions,
  { parameters = {} }: BackfillRequest,
): Promise<Readonly<Record<string, string>>> {
  for (const [name, value] of Object.entries(parameters)) checkOutsideValue(name, value);
  await refuseUnknownParameters(tx, versions, Object.keys(parameters));
  return parameters;
}

async function overridesOf(
  tx: Sql,
  now: Date,
  request: BackfillRequest,
): Promise<Omit<Overrides, 'forbidden' | 'awaitedLater'>> {
  const { resourceGroup, priority, runFutureNow = false } = request;
  const runAt = (scheduledAt: Date): Date =>
    runFutureNow || scheduledAt <= now ? now : scheduledAt;
  if (resourceGroup === undefined) return { resourceGroupId: undefined, priority, runAt };
  const [group] = await tx.rows<{ id: number }>(`SELECT id FROM resource_group WHERE name = $1`, [
    resourceGroup,
  ]);
  if (group === undefined)
    throw new MillraceError('MR-A101', `there is no resource group "${resourceGroup}"`, {
      errors: [{ pointer: '/resourceGroup', detail: 'unknown' }],
    });
  return { resourceGroupId: group.id, priority, runAt };
}
