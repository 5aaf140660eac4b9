import type { CyclePair, CycleRef, MatchOptions } from '../../src/domain/graph/match-cycles.js';
import { CELLS, edgesOfText, worldOf } from './cells.js';
import { clockCellOf, OFF_DAY_CELLS } from './off-day-cells.js';
import {
  type Edge,
  referencePeriod,
  referencePrevious,
  referenceSame,
  type World,
} from './reference.js';

/** What `match-cycles.ts` exports, also when a test has changed its text. */
export interface Matcher {
  periodOf(cycles: readonly CycleRef[]): string;
  matchCycles(
    down: readonly CycleRef[],
    up: readonly CycleRef[],
    options: MatchOptions,
  ): CyclePair<CycleRef, CycleRef>[];
  matchPreviousCycles(
    down: readonly CycleRef[],
    up: readonly CycleRef[],
    before: readonly CycleRef[],
    options: MatchOptions,
  ): CyclePair<CycleRef, CycleRef>[];
  previousCycle(
    cycles: readonly CycleRef[],
    lastBefore: CycleRef | undefined,
  ): CyclePair<CycleRef, CycleRef>[];
}

export function cyclesAt(times: readonly number[]): CycleRef[] {
  return times.map((time, at) => ({ periodNo: at + 1, scheduledAt: new Date(time) }));
}

export function matchedSame(matcher: Matcher, world: World): string[] {
  return textOf(matcher.matchCycles(cyclesAt(world.down), cyclesAt(world.up), optionsOf(world)));
}

export function matchedPrevious(matcher: Matcher, world: World): string[] {
  const before = cyclesAt(world.before);
  const { down, up } = world;
  return textOf(
    matcher.matchPreviousCycles(cyclesAt(down), cyclesAt(up), before, optionsOf(world)),
  );
}

/** Self-dependence of the downstream; `before` is its own day before. */
export function matchedChain(matcher: Matcher, { down, before }: World): string[] {
  return textOf(matcher.previousCycle(cyclesAt(down), cyclesAt(before).at(-1)));
}

function optionsOf(world: World): MatchOptions {
  return {
    downPeriod: world.downPeriod,
    upPeriod: world.upPeriod,
    downSelfDependent: world.downSelf,
    upSelfDependent: world.upSelf,
    sameZone: world.sameZone,
  };
}

function textOf(pairs: readonly CyclePair<CycleRef, CycleRef>[]): string[] {
  return edgeTexts(
    pairs.map(({ down, up }) => [down.scheduledAt.getTime(), up.scheduledAt.getTime()]),
  );
}

/** Comparable: in one order, one edge that is there twice stays there twice. */
export function edgeTexts(edges: readonly Edge[]): string[] {
  return edges
    .map(([down, up]) => `${new Date(down).toISOString()} < ${new Date(up).toISOString()}`)
    .sort();
}

/** The first thing in which a matcher differs from the cells and from the reference; undefined: in none. */
export function differenceOf(matcher: Matcher, worlds: readonly World[]): string | undefined {
  const cell = [...CELLS, ...OFF_DAY_CELLS.map(clockCellOf)].find((each) => {
    const world = worldOf(each);
    const same = each.same !== undefined && !isSame(matchedSame(matcher, world), each.same);
    const previous =
      each.previous !== undefined && !isSame(matchedPrevious(matcher, world), each.previous);
    const chain = each.chain !== undefined && !isSame(matchedChain(matcher, world), each.chain);
    return same || previous || chain;
  });
  if (cell !== undefined) return cell.name;
  const at = worlds.findIndex((world) => !agrees(matcher, world));
  return at < 0 ? undefined : `world ${at}`;
}

function isSame(found: readonly string[], cell: string): boolean {
  return found.join() === edgeTexts(edgesOfText(cell)).join();
}

/** Does the matcher say of this world what the reference says? */
export function agrees(matcher: Matcher, world: World): boolean {
  const cycles = cyclesAt(world.down);
  const yesterday = world.before.length === 0 ? [] : world.down.slice(0, 1).map((time) => time - 1);
  const chain = matcher
    .previousCycle(cycles, cyclesAt(yesterday)[0])
    .map(({ down, up }): Edge => [down.scheduledAt.getTime(), up.scheduledAt.getTime()]);
  return (
    matcher.periodOf(cycles) === referencePeriod(world.down) &&
    matchedSame(matcher, world).join() === edgeTexts(referenceSame(world)).join() &&
    matchedPrevious(matcher, world).join() === edgeTexts(referencePrevious(world)).join() &&
    edgeTexts(chain).join() === edgeTexts(referenceChain(world.down, yesterday)).join()
  );
}

/** Self-dependence, by the definition. */
export function referenceChain(down: readonly number[], yesterday: readonly number[]): Edge[] {
  return down.flatMap((time) => {
    const earlier = [...down, ...yesterday].filter((other) => other < time);
    return earlier.length === 0 ? [] : [[time, Math.max(...earlier)] as const];
  });
}
