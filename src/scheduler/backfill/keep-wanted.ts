import { keepChain } from '../../domain/backfill/keep-chain.js';
import type { PlannedInstance } from '../../store/sql/insert-plan.sql.js';
import { keyOf } from './cycle-key.js';
import type { DatePlan } from './date-plan.js';
import type { WantedIn } from './wanted-cycles.js';

/** Why a node or a cycle that was not asked for succeeds without doing anything. */
const LEFT_OUT = 'left_out';
/** The node's version does not let backfills run it. */
const FORBIDDEN = 'backfill_forbidden';

export interface Overrides {
  readonly resourceGroupId: number | undefined;
  readonly priority: number | undefined;
  /** Not before this; a scheduled time that is still to come is waited for unless it says otherwise. */
  readonly runAt: (scheduledAt: Date) => Date;
  /** Ids of nodes that no backfill runs: what is wanted of them is kept as a dry run. */
  readonly forbidden: ReadonlySet<number>;
  /** Ids of nodes that others wait for on another business date: what leads to them may be on a chain. */
  readonly awaitedLater: ReadonlySet<number>;
}

/** What is wanted of a day's plan, and as dry runs what is between. */
export function keepWanted(plan: DatePlan, wantedIn: WantedIn, overrides: Overrides): DatePlan {
  const isWanted = wantedIn(plan);
  const wanted = plan.instances.map(isWanted);
  if (!wanted.includes(false) && overrides.forbidden.size === 0)
    return {
      ...plan,
      instances: plan.instances.map((instance) => overridden(instance, true, overrides)),
    };
  const kept = keepChain(plan.instances.length, plan.edges, (place) => wanted[place] === true, {
    begins: plan.crossings.map(({ downstream }) => downstream),
    ends: placesOf(plan, overrides.awaitedLater),
  });
  const places = new Map<number, number>();
  const instances: PlannedInstance[] = [];
  for (const [place, instance] of plan.instances.entries()) {
    if (!kept.has(place)) continue;
    places.set(place, instances.length);
    instances.push(overridden(instance, wanted[place] === true, overrides));
  }
  const placeOf = (place: number): number => places.get(place) ?? -1;
  // What is a dry run here waits for nothing outside: it is there for the order within alone.
  const waits = ({ downstream }: { downstream: number }): boolean =>
    wanted[downstream] === true &&
    !overrides.forbidden.has(plan.instances[downstream]?.nodeId ?? 0);
  return {
    ...plan,
    instances,
    edges: plan.edges
      .filter((edge) => kept.has(edge.upstream) && kept.has(edge.downstream))
      .map((edge) => ({
        ...edge,
        upstream: placeOf(edge.upstream),
        downstream: placeOf(edge.downstream),
      })),
    outerEdges: plan.outerEdges
      .filter(waits)
      .map((edge) => ({ ...edge, downstream: placeOf(edge.downstream) })),
    // Of the same cycle is the order within the backfill, although it leads to another of its dates.
    crossings: plan.crossings
      .filter((edge) => kept.has(edge.downstream) && (edge.kind === 'same_cycle' || waits(edge)))
      .map((edge) => ({ ...edge, downstream: placeOf(edge.downstream) })),
  };
}

function placesOf({ instances }: DatePlan, nodes: ReadonlySet<number>): number[] {
  if (nodes.size === 0) return [];
  return instances.flatMap(({ nodeId }, place) => (nodes.has(nodeId) ? [place] : []));
}

function overridden(
  instance: PlannedInstance,
  isWanted: boolean,
  { resourceGroupId, priority, runAt, forbidden }: Overrides,
): PlannedInstance {
  const at = runAt(instance.scheduledAt);
  // A frozen one in the middle would stop what was asked for without being asked for itself.
  const free = { frozen: false, isNeverFrozen: true };
  const isForbidden = forbidden.has(instance.nodeId);
  if (isForbidden || !isWanted) {
    const reason = isForbidden ? FORBIDDEN : LEFT_OUT;
    return { ...instance, runAt: at, dryRun: true, reason, ...free };
  }
  // A year has hundreds of thousands, most of which stay as they are.
  if (at === instance.runAt && resourceGroupId === undefined && priority === undefined)
    return instance;
  return {
    ...instance,
    runAt: at,
    resourceGroupId: resourceGroupId ?? instance.resourceGroupId,
    priority: priority ?? instance.priority,
  };
}

/** Names the cycles of a kept plan that were asked for. */
export function wantedKeys({ instances }: DatePlan): string[] {
  return instances.filter(({ reason }) => reason !== LEFT_OUT && reason !== FORBIDDEN).map(keyOf);
}

/** As {@link wantedKeys} has named them. */
export function wantedAs(keys: readonly string[]): WantedIn {
  const wanted = new Set(keys);
  return () => (instance) => wanted.has(keyOf(instance));
}
