import type { Bizdate } from '../../domain/calendar/bizdate.js';
import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../../store/database.js';
import { type LiveTwin, liveTwins } from '../../store/sql/live-twins.sql.js';
import { backfillScene } from './backfill-scene.js';
import { backfillVersions } from './backfill-versions.js';
import { keyOf } from './cycle-key.js';
import { type DatePlan, withCrossings } from './date-plan.js';
import { keepWanted } from './keep-wanted.js';
import type {
  BackfillCell,
  BackfillNode,
  BackfillOrderOptions,
  PlannedBackfill,
  PlannedDate,
  PreviousChoice,
} from './planned-backfill.js';
import { rechain } from './rechain.js';
import { missingCycles } from './missing-cycle.js';
import { spanOf, wantedCycles, wantedOptions } from './wanted-cycles.js';

/** Where the memory of one process is still at ease. */
const MAX_INSTANCES = 500_000;

/**
 * Works out a backfill: which instances of which business dates, what else lives beside them, and which
 * previous cycles they wait for. Reads only. Edges are worked out where they decide about instances or
 * `withEdges` asks for them; then there are three statements for each business date, else none.
 */
export async function planBackfill(
  tx: Sql,
  now: Date,
  planDay: string,
  options: BackfillOrderOptions,
  withEdges = false,
): Promise<PlannedBackfill> {
  const versions = await backfillVersions(tx, options);
  const scene = await backfillScene(tx, now, planDay, versions, options);
  const { nodes, order, overrides } = scene;
  const only = options.only ?? 'all';
  if (options.checkSource === true && options.finding === undefined)
    throw new RangeError('a check at the source is made before the backfill is planned');
  const isAll = scene.isWhole && only === 'all' && options.hours === undefined;
  const all: DatePlan[] = [];
  let planned = 0;
  for (const bizdate of scene.dates) {
    const plan =
      withEdges || scene.chains || !isAll
        ? await scene.planOn(tx, bizdate, 0)
        : scene.cyclesOn(bizdate);
    planned += plan.instances.length;
    if (planned > MAX_INSTANCES)
      throw new MillraceError('MR-S135', `It has more than ${MAX_INSTANCES} instances.`);
    all.push(plan);
  }
  const { wantedIn, missing } = await wantedCycles(tx, all, wantedOptions(scene, options));
  const kept: DatePlan[] = [];
  for (const plan of all) kept.push(await rechain(tx, plan, keepWanted(plan, wantedIn, overrides)));
  refuseLater(nodes, kept);
  const twins = await twinsOf(tx, kept);
  const dates = kept.map((plan, at): PlannedDate => {
    const bizdate = plan.bizdate as Bizdate;
    return { bizdate, plan, cells: cellsOf(nodes, all[at], plan, twins) };
  });
  return {
    versions,
    scene,
    nodes,
    dates,
    order,
    conflicts: [...twins.values()],
    choices: choicesOf(nodes, kept),
    totals: totalsOf(dates),
    missing: only === 'missing' ? missingCycles(missing, options.finding) : null,
    planOn: async (bizdate, runGroupId) => {
      const plan = await scene.planOn(tx, bizdate, runGroupId);
      const wanted = await rechain(tx, plan, keepWanted(plan, wantedIn, overrides));
      return await withCrossings(tx, wanted);
    },
  };
}

/**
 * MR-S197 for an edge to what is opened later: the dates before it would hold its place for ever. An edge to
 * an earlier one is waited for like any other.
 */
function refuseLater(nodes: readonly BackfillNode[], plans: readonly DatePlan[]): void {
  if (plans.every(({ crossings }) => crossings.length === 0)) return;
  const names = new Map(nodes.map((node) => [node.id, node.name]));
  const later = new Map<string, ReadonlySet<string>>();
  for (const plan of plans.toReversed()) {
    for (const { downstream, upstream } of plan.crossings) {
      if (later.get(upstream.bizdate)?.has(keyOf(upstream)) !== true) continue;
      const down = names.get(plan.instances[downstream]?.nodeId ?? 0) ?? '';
      const up = names.get(upstream.nodeId) ?? '';
      throw new MillraceError(
        'MR-S197',
        `"${down}" of ${plan.bizdate} waits for "${up}" of ${upstream.bizdate}, which is opened later.`,
      );
    }
    later.set(plan.bizdate, new Set(plan.instances.map(keyOf)));
  }
}

/** By node and scheduled time: what lives already of what would really run. */
async function twinsOf(
  tx: Sql,
  plans: readonly DatePlan[],
): Promise<ReadonlyMap<string, LiveTwin>> {
  const real = plans.flatMap((plan) => plan.instances.filter((each) => !each.dryRun));
  if (real.length === 0) return new Map();
  const { from, to } = spanOf(real.map((each) => each.scheduledAt.getTime()));
  const found = await liveTwins(tx, [...new Set(real.map((each) => each.nodeId))], from, to);
  // Named are the nodes that live, not all that is asked for: that may be half a million.
  const living = new Set(found.map((twin) => twin.nodeId));
  const asked = new Set(real.filter((each) => living.has(each.nodeId)).map(keyOf));
  return new Map(
    found.map((twin) => [keyOf(twin), twin] as const).filter(([key]) => asked.has(key)),
  );
}

function cellsOf(
  nodes: readonly BackfillNode[],
  all: DatePlan | undefined,
  kept: DatePlan,
  twins: ReadonlyMap<string, LiveTwin>,
): BackfillCell[] {
  const cells = new Map<number, { -readonly [Count in keyof BackfillCell]: number }>(
    nodes.map(({ id }) => [id, { run: 0, dryRun: 0, leftOut: 0, conflicts: 0 }]),
  );
  for (const { nodeId } of all?.instances ?? []) {
    const cell = cells.get(nodeId);
    if (cell !== undefined) cell.leftOut++;
  }
  for (const instance of kept.instances) {
    const cell = cells.get(instance.nodeId);
    if (cell === undefined) continue;
    cell.leftOut--;
    if (instance.dryRun) cell.dryRun++;
    else cell.run++;
    if (!instance.dryRun && twins.size > 0 && twins.has(keyOf(instance))) cell.conflicts++;
  }
  return [...cells.values()];
}

/** Of the first date a node has; on later ones it waits for its own cycle in this backfill. */
function choicesOf(nodes: readonly BackfillNode[], plans: readonly DatePlan[]): PreviousChoice[] {
  const names = new Map(nodes.map((node) => [node.id, node.name]));
  const seen = new Set<number>();
  const choices: PreviousChoice[] = [];
  for (const plan of plans) {
    for (const { upstream, downstream } of plan.outerEdges) {
      const nodeId = plan.instances[downstream]?.nodeId;
      if (nodeId === undefined || seen.has(nodeId)) continue;
      choices.push({ node: names.get(nodeId) ?? '', bizdate: plan.bizdate, ...upstream });
    }
    for (const { nodeId } of plan.instances) seen.add(nodeId);
  }
  return choices;
}

function totalsOf(dates: readonly PlannedDate[]): PlannedBackfill['totals'] {
  const totals = { run: 0, dryRun: 0, leftOut: 0, conflicts: 0 };
  for (const { cells } of dates) {
    for (const cell of cells) {
      totals.run += cell.run;
      totals.dryRun += cell.dryRun;
      totals.leftOut += cell.leftOut;
      totals.conflicts += cell.conflicts;
    }
  }
  return totals;
}
