import { type Bizdate, plusDays } from '../domain/calendar/bizdate.js';
import {
  type CyclePair,
  type CycleRef,
  matchCycles,
  matchPreviousCycles,
  periodOf,
} from '../domain/graph/match-cycles.js';
import type { Dependency } from './needs-of.js';

/** A node of the workflow whose edges are worked out, with its cycles of that business date. */
export interface OwnNode<C extends CycleRef> {
  readonly selfDependent: boolean;
  readonly cycles: readonly C[];
}

/** A node whose cycles lie outside: of another workflow, or of another business date. */
export interface OutsideNode<C extends CycleRef> {
  readonly selfDependent: boolean;
  readonly timezone: string;
  /** Ascending; the same objects each time. Empty where it is not planned. */
  cyclesOn(bizdate: Bizdate): readonly C[];
}

/** The business dates of the outside that the edges of one business date may lead to. */
export function datesAround(bizdate: Bizdate): Bizdate[] {
  return [-2, -1, 0, 1].map((days) => plusDays(bizdate, days));
}

export interface EdgeWorld<D extends CycleRef, U extends CycleRef> {
  readonly bizdate: Bizdate;
  readonly timezone: string;
  readonly own: ReadonlyMap<number, OwnNode<D>>;
  /** Upstreams of other workflows, and own nodes whose previous cycle is needed. */
  readonly outside: ReadonlyMap<number, OutsideNode<U>>;
  readonly dependencies: readonly Dependency[];
}

export interface MatchedEdge<D, U> extends CyclePair<D, D | U> {
  readonly dependency: Dependency;
}

/**
 * The edges of one workflow for one business date, without self-dependence. Two cycles have one edge at most:
 * that of the same cycle where both kinds would make one, or it would be counted twice and never satisfied.
 */
export function edgesOf<D extends CycleRef, U extends CycleRef>(
  world: EdgeWorld<D, U>,
): MatchedEdge<D, U>[] {
  const hasBoth = pairsOfBothKinds(world.dependencies);
  const taken = new Map<D, Set<D | U>>();
  const isNew = (down: D, up: D | U): boolean => {
    const ups = taken.get(down) ?? new Set();
    taken.set(down, ups);
    if (ups.has(up)) return false;
    ups.add(up);
    return true;
  };
  const sameFirst = [...world.dependencies].sort(
    (a, b) => Number(a.kind !== 'same_cycle') - Number(b.kind !== 'same_cycle'),
  );
  const edges: MatchedEdge<D, U>[] = [];
  for (const dependency of sameFirst) {
    const hasOther = hasBoth(dependency);
    for (const { down, up } of pairsOf(world, dependency)) {
      if (!hasOther || isNew(down, up)) edges.push({ down, up, dependency });
    }
  }
  return edges;
}

/** Says whether two nodes depend on each other in both kinds. Each (upstream, downstream, kind) is there once. */
function pairsOfBothKinds(dependencies: readonly Dependency[]): (of: Dependency) => boolean {
  const previous = dependencies.filter(({ kind }) => kind !== 'same_cycle');
  if (previous.length === 0) return () => false;
  const pairOf = ({ upstream, downstream }: Dependency): string => `${upstream} ${downstream}`;
  const kinds = new Map(previous.map((dependency) => [pairOf(dependency), 1]));
  for (const dependency of dependencies) {
    if (dependency.kind !== 'same_cycle') continue;
    const pair = pairOf(dependency);
    if (kinds.has(pair)) kinds.set(pair, 2);
  }
  return (dependency) => kinds.get(pairOf(dependency)) === 2;
}

function pairsOf<D extends CycleRef, U extends CycleRef>(
  world: EdgeWorld<D, U>,
  { upstream, downstream, kind }: Dependency,
): CyclePair<D, D | U>[] {
  const down = world.own.get(downstream);
  const own = world.own.get(upstream);
  const outside = world.outside.get(upstream);
  if (down === undefined || (own === undefined && outside === undefined)) return [];
  if (kind === 'same_cycle' && down.cycles.length === 1 && own?.cycles.length === 1) {
    // Nearly all edges of a day: there is nothing to choose from.
    const [[onlyDown], [up]] = [down.cycles, own.cycles];
    return onlyDown === undefined || up === undefined ? [] : [{ down: onlyDown, up }];
  }
  const sameZone = own !== undefined || outside?.timezone === world.timezone;
  const { today, before } = upstreamCycles(world, own, outside, kind, sameZone);
  const downPeriod = periodOf(down.cycles);
  const oneDay = own?.cycles ?? outside?.cyclesOn(world.bizdate) ?? [];
  const options = {
    downPeriod,
    upPeriod: periodOf(oneDay.length > 0 ? oneDay : before),
    downSelfDependent: down.selfDependent,
    upSelfDependent: (own ?? outside)?.selfDependent === true,
    sameZone,
  };
  return kind === 'same_cycle'
    ? matchCycles(down.cycles, today, options)
    : matchPreviousCycles(down.cycles, today, before, options);
}

function upstreamCycles<D extends CycleRef, U extends CycleRef>(
  { bizdate }: EdgeWorld<D, U>,
  own: OwnNode<D> | undefined,
  outside: OutsideNode<U> | undefined,
  kind: Dependency['kind'],
  sameZone: boolean,
): { today: readonly (D | U)[]; before: readonly (D | U)[] } {
  const before = outside?.cyclesOn(plusDays(bizdate, -1)) ?? [];
  if (own !== undefined) return { today: own.cycles, before };
  if (sameZone) return { today: outside?.cyclesOn(bizdate) ?? [], before };
  const days = datesAround(bizdate).slice(kind === 'same_cycle' ? 1 : 0);
  return { today: days.flatMap((day) => outside?.cyclesOn(day) ?? []), before };
}
