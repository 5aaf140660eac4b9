import { describe, expect, test } from '@jest/globals';

import { parseBizdate } from '../../src/domain/calendar/bizdate.js';
import { cyclesOf } from '../../src/domain/calendar/cycles-of.js';
import * as matcher from '../../src/domain/graph/match-cycles.js';
import { seeded, testSeed } from '../support/seeded.js';
import { type Cell, CELLS, edgesOfText, timeOf, worldOf } from './cells.js';
import {
  agrees,
  differenceOf,
  edgeTexts,
  matchedChain,
  matchedPrevious,
  matchedSame,
  referenceChain,
} from './matcher.js';
import { MUTATIONS, mutantOf } from './mutants.js';
import { clockCellOf, dryTimesOf, OFF_DAY_CELLS } from './off-day-cells.js';
import { referencePrevious, referenceSame, type World } from './reference.js';
import { randomWorld } from './worlds.js';

const SEED = testSeed();
const WORLDS = 10_000;

function worlds(count: number): World[] {
  const random = seeded(SEED);
  return Array.from({ length: count }, () => randomWorld(random));
}

function expectEdges(cell: Cell): void {
  const world = worldOf(cell);
  if (cell.same !== undefined) {
    const edges = edgeTexts(edgesOfText(cell.same));
    expect(matchedSame(matcher, world)).toEqual(edges);
    expect(edgeTexts(referenceSame(world))).toEqual(edges);
  }
  if (cell.previous !== undefined) {
    const edges = edgeTexts(edgesOfText(cell.previous));
    expect(matchedPrevious(matcher, world)).toEqual(edges);
    expect(edgeTexts(referencePrevious(world))).toEqual(edges);
  }
  if (cell.chain !== undefined) {
    const edges = edgeTexts(edgesOfText(cell.chain));
    expect(matchedChain(matcher, world)).toEqual(edges);
    expect(edgeTexts(referenceChain(world.down, world.before))).toEqual(edges);
  }
  expect(cell.same ?? cell.previous ?? cell.chain).toBeDefined();
}

describe('each cell of the table', () => {
  test.each(CELLS.map((cell) => [cell.name, cell] as const))('%s', (_, cell) => {
    expectEdges(cell);
  });

  test.each(OFF_DAY_CELLS.map((cell) => [cell.name, cell] as const))('%s', (_, cell) => {
    expectEdges(clockCellOf(cell));
    // What the upstream has on both days: one instance each, dry where the cell says so.
    const cycles = ['2026-11-19', '2026-11-20'].flatMap((bizdate) =>
      cyclesOf({ ...cell.up, zone: 'UTC' }, parseBizdate(bizdate)),
    );
    expect(cycles.map(({ scheduledAt }) => scheduledAt.getTime())).toEqual(
      ['y00:15', '00:15'].map(timeOf),
    );
    expect(
      cycles.filter(({ dryRun }) => dryRun === 'off_day').map((each) => each.scheduledAt.getTime()),
    ).toEqual(dryTimesOf(cell));
  });
});

test(`the slow reference agrees on ${WORLDS} random worlds`, () => {
  console.info(`matching: MILLRACE_TEST_SEED=${SEED}`);
  for (const [at, world] of worlds(WORLDS).entries()) {
    if (agrees(matcher, world)) continue;
    // Only now: ten thousand comparisons of lists would take longer than everything else.
    expect({
      at,
      same: matchedSame(matcher, world),
      previous: matchedPrevious(matcher, world),
    }).toEqual({
      at,
      same: edgeTexts(referenceSame(world)),
      previous: edgeTexts(referencePrevious(world)),
    });
    throw new Error(`world ${at} differs in its period or its chain: ${JSON.stringify(world)}`);
  }
});

test('of the wrong edits of the matcher the cells and the reference catch all but at most one', () => {
  expect(differenceOf(matcher, worlds(2000))).toBeUndefined();
  const sample = worlds(2000);
  const survivors = MUTATIONS.filter(
    (mutation) => differenceOf(mutantOf(mutation), sample) === undefined,
  );
  console.info(
    `matching: ${MUTATIONS.length - survivors.length} of ${MUTATIONS.length} mutants killed; survived: ${
      survivors.map(([from, to]) => `"${from}" -> "${to}"`).join(', ') || 'none'
    }`,
  );
  expect(MUTATIONS.length).toBeGreaterThanOrEqual(20);
  expect(survivors.length).toBeLessThanOrEqual(1);
});
