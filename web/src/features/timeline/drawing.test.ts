import { describe, expect, test } from '@jest/globals';

import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import { BarStore } from './bar-store.ts';
import { collect, Frame, LEAST_PX, type Shown } from './drawing.ts';
import { instanceAt, rowAt } from './hit-test.ts';
import { ROW_HEIGHT, rowsOf, stateMask } from './row-model.ts';
import { anAnswerOfBars, anAnswerOfTiles, FROM, type Instance } from './testing/an-answer.ts';
import { columnsOfTiles } from './tile-merge.ts';
import { TileStore } from './tile-store.ts';

const MINUTE = 60_000;
const state = (name: (typeof VISIBLE_STATES)[number]): number => VISIBLE_STATES.indexOf(name);

/** A canvas of 1,000 px for ten minutes: 100 px a minute. */
function shown(instances: readonly Instance[], more: Partial<Shown> = {}, nodes = 4): Shown {
  const answer = anAnswerOfBars(instances, nodes);
  const bars = new BarStore(answer);
  const mask = more.mask ?? stateMask([]);
  const nodesOfGroup = [0, 1].map((group) =>
    [...bars.nodes.keys()].filter((node) => bars.nodes[node]?.group === group),
  );
  return {
    bars,
    tiles: undefined,
    rows: rowsOf(answer, bars, { folded: new Set(), mask }),
    nodesOfGroup,
    mask,
    view: { from: FROM, to: FROM + 10 * MINUTE },
    width: 1_000,
    height: 400,
    scrollTop: 0,
    now: FROM + 5 * MINUTE,
    ...more,
  };
}

function frameOf(on: Shown): Frame {
  const frame = new Frame();
  collect(frame, on);
  return frame;
}

function rects(list: Frame['runs'][number]): number[][] {
  const found: number[][] = [];
  list.each((...rect) => found.push(rect));
  return found;
}

const DONE: Instance = {
  id: 'inst_1',
  node: 0,
  status: 'succeeded',
  run: FROM + MINUTE,
  created: FROM,
  upstreamDone: FROM + MINUTE,
  ready: FROM + 2 * MINUTE,
  dispatched: FROM + 3 * MINUTE,
  started: FROM + 3 * MINUTE,
  ended: FROM + 4 * MINUTE,
};

describe('a frame', () => {
  test('draws the three waits and the run of an instance one after another', () => {
    const frame = frameOf(shown([DONE]));
    expect(rects(frame.waits.upstream).map(([x, , width]) => [x, width])).toEqual([[0, 100]]);
    expect(rects(frame.waits.time).map(([x, , width]) => [x, width])).toEqual([[100, 100]]);
    expect(rects(frame.waits.resource).map(([x, , width]) => [x, width])).toEqual([[200, 100]]);
    expect(rects(frame.runs[state('succeeded')]!)).toEqual([[300, ROW_HEIGHT + 6, 100, 14]]);
    expect(frame.texts.map(({ text }) => text)).toEqual(['1m 00s']);
    expect(frame.usual.every((list) => list.count === 0)).toBe(true);
  });

  test('lets what runs grow to the present and outlines how long it usually takes', () => {
    const running: Instance = {
      id: 'inst_1',
      node: 0,
      status: 'running',
      run: FROM,
      upstreamDone: FROM,
      ready: FROM,
      dispatched: FROM + 4 * MINUTE,
      started: FROM + 4 * MINUTE,
    };
    const early = shown([running], { now: FROM + 4 * MINUTE + 3_000 });
    const frame = frameOf(early);
    expect(rects(frame.runs[state('running')]!)[0]?.[2]).toBeCloseTo(5);
    expect(rects(frame.usual[state('running')]!)[0]?.[2]).toBeCloseTo(100 / 6, 3);
    const late = frameOf(shown([running]));
    expect(rects(late.runs[state('running')]!)[0]?.[2]).toBeCloseTo(100);
  });

  test('waits on while it waits, and outlines what is to come after the present', () => {
    const waiting: Instance = {
      id: 'inst_1',
      node: 0,
      status: 'waiting_time',
      run: FROM + 7 * MINUTE,
      upstreamDone: FROM + MINUTE,
    };
    const frame = frameOf(shown([waiting]));
    expect(rects(frame.waits.time).map(([x, , width]) => [x, width])).toEqual([[100, 400]]);
    expect(rects(frame.usual[state('time')]!)[0]?.[0]).toBeCloseTo(700);
  });

  test('waits for a resource again after an attempt that failed', () => {
    const again: Instance = {
      ...DONE,
      status: 'waiting_resource',
      started: FROM + MINUTE,
      dispatched: FROM + MINUTE,
      ready: FROM + 2 * MINUTE,
    };
    const { ended: _ended, ...open } = again;
    const frame = frameOf(shown([open]));
    expect(rects(frame.waits.resource).map(([x, , width]) => [x, width])).toEqual([[200, 300]]);
  });

  test('keeps the shortest run visible and makes one of many that touch', () => {
    const many = Array.from({ length: 5_000 }, (_, place) => ({
      ...DONE,
      id: `inst_${place}`,
      started: FROM + place * 100,
      dispatched: FROM + place * 100,
      ended: FROM + place * 100 + 20,
    }));
    const one = rects(frameOf(shown(many.slice(0, 1))).runs[state('succeeded')]!);
    expect(one[0]?.[2]).toBe(LEAST_PX);
    expect(frameOf(shown(many)).runs[state('succeeded')]!.count).toBeLessThan(10);
  });

  test('draws only rows in sight: at most 8,000 rectangles of 10,000 bars in 2,000 rows', () => {
    const many = Array.from({ length: 10_000 }, (_, place) => ({
      ...DONE,
      id: `inst_${place}`,
      node: place % 2_000,
    }));
    const on = shown(many, { height: 1_000 }, 2_000);
    expect(on.rows).toHaveLength(2_002);
    expect(frameOf(on).rects).toBeLessThan(8_000);
    expect(frameOf({ ...on, scrollTop: 2_002 * ROW_HEIGHT }).rects).toBe(0);
  });

  test('has the row at the height at which the gutter has it, however far it is scrolled', () => {
    const many = Array.from({ length: 2_000 }, (_, place) => ({
      ...DONE,
      id: `inst_${place}`,
      node: place,
    }));
    const on = shown(many, { scrollTop: 1_500 * ROW_HEIGHT + 7 }, 2_000);
    expect(rowAt(on, 0)).toBe(on.rows[1_500]);
    const first = rects(frameOf(on).runs[state('succeeded')]!)[0];
    expect(first?.[1]).toBe(-7 + 6);
  });

  test('leaves out states that are not chosen, and the rows that then have nothing', () => {
    const failed: Instance = { ...DONE, id: 'inst_2', node: 1, status: 'failed' };
    const on = shown([DONE, failed], { mask: stateMask(['failed']) });
    expect(on.rows.map(({ kind }) => kind)).toEqual(['group', 'node']);
    const frame = frameOf(on);
    expect(frame.runs[state('succeeded')]!.count).toBe(0);
    expect(frame.runs[state('failed')]!.count).toBe(1);
  });

  test('draws a folded group as columns of its states', () => {
    const on = shown([DONE]);
    const answer = anAnswerOfBars([DONE]);
    const rows = rowsOf(answer, on.bars, { folded: new Set(['wf_1']), mask: on.mask });
    const frame = frameOf({ ...on, rows });
    expect(frame.runs[state('succeeded')]!.count).toBe(0);
    expect(frame.columns[state('succeeded')]!.count).toBe(1);
  });

  test('draws tiles in the place of their bucket', () => {
    const tiles = new TileStore(
      anAnswerOfTiles([DONE, { ...DONE, id: 'inst_2', status: 'failed' }]),
      'workflow',
    );
    const on = shown([]);
    const columns = columnsOfTiles(tiles, 0, on);
    expect(columns).toMatchObject([{ x: 300, width: 100, total: 2 }]);
    const far = columnsOfTiles(tiles, 0, {
      ...on,
      view: { from: FROM, to: FROM + 100_000 * MINUTE },
    });
    expect(far).toMatchObject([{ total: 2, width: 4 }]);
  });
});

describe('what is under the cursor', () => {
  test('is the run, else the wait, else nothing', () => {
    const on = shown([DONE]);
    const y = ROW_HEIGHT * 1.5;
    expect(instanceAt(on, 350, y)).toBe(0);
    expect(instanceAt(on, 150, y)).toBe(0);
    expect(instanceAt(on, 600, y)).toBeUndefined();
    expect(instanceAt(on, 350, ROW_HEIGHT / 2)).toBeUndefined();
  });

  test('is the later of two, and a run before a wait', () => {
    const later: Instance = {
      ...DONE,
      id: 'inst_2',
      run: FROM + 2 * MINUTE,
      started: FROM + 6 * MINUTE,
      dispatched: FROM + 6 * MINUTE,
      ended: FROM + 7 * MINUTE,
    };
    const on = shown([DONE, later]);
    expect(instanceAt(on, 350, ROW_HEIGHT * 1.5)).toBe(0);
    expect(instanceAt(on, 450, ROW_HEIGHT * 1.5)).toBe(1);
  });
});
