import { describe, expect, it } from '@jest/globals';

import { BarChoice, type Choosable, idsInRows, idsWhere } from './bar-choice.ts';
import { collectBoxes } from './bar-box.ts';
import { BarStore } from './bar-store.ts';
import { RectList } from './rect-list.ts';
import { ROW_HEIGHT, rowsOf, stateMask } from './row-model.ts';
import { PLACE_OF_STATE } from './status-places.ts';
import { anAnswerOfBars, FROM, type Instance, type Status } from './testing/an-answer.ts';

const MINUTE = 60_000;
const ran = (id: string, node: number, minute: number, status: Status = 'succeeded'): Instance => {
  const run = FROM + minute * MINUTE;
  return { id, node, status, run, created: run, started: run, ended: run + MINUTE };
};
// Nodes 0 and 2 are of the first group, nodes 1 and 3 of the second.
const ANSWER = anAnswerOfBars(
  [ran('a1', 0, 0), ran('a2', 0, 5, 'failed'), ran('b1', 1, 1), ran('c1', 2, 2, 'failed')],
  4,
);

function choosable(states: readonly string[] = [], folded: readonly string[] = []): Choosable {
  const bars = new BarStore(ANSWER);
  const mask = stateMask(states);
  return { bars, mask, rows: rowsOf(ANSWER, bars, { folded: new Set(folded), mask }) };
}

const idsOf = (choice: BarChoice, on: Choosable): string[] => choice.shown(on).map(({ id }) => id);

describe('bars that are chosen', () => {
  it('are those from the one before to this one, row after row as they are seen', () => {
    const on = choosable();
    const choice = new BarChoice();
    choice.toggle(on.bars, 1);
    choice.toggle(on.bars, 2, idsInRows(on));
    expect(idsInRows(on)).toEqual(['a1', 'a2', 'c1', 'b1']);
    expect(idsOf(choice, on)).toEqual(['a2', 'c1', 'b1']);
    expect([...choice.marks]).toEqual([0, 1, 1, 1]);
  });

  it('leave out what is folded or filtered away when a range goes over it', () => {
    expect(idsInRows(choosable([], ['wf_1']))).toEqual(['b1']);
    expect(idsInRows(choosable(['failed']))).toEqual(['a2', 'c1']);
  });

  it('are all of a state or of a group, and none of them when they are chosen again', () => {
    const on = choosable();
    const choice = new BarChoice();
    choice.toggleAll(on.bars, idsWhere(on, { state: PLACE_OF_STATE.failed }));
    expect(idsOf(choice, on)).toEqual(['a2', 'c1']);
    choice.toggleAll(on.bars, idsWhere(on, { group: 1 }));
    expect(idsOf(choice, on)).toEqual(['a2', 'c1', 'b1']);
    choice.toggleAll(on.bars, idsWhere(on, { state: PLACE_OF_STATE.failed }));
    expect(idsOf(choice, on)).toEqual(['b1']);
  });

  it('outlive another answer, and are no operand while they are not seen', () => {
    const choice = new BarChoice();
    choice.toggleAll(choosable().bars, ['a1', 'a2']);
    const later = new BarStore(anAnswerOfBars([ran('a2', 0, 5, 'failed'), ran('b1', 1, 1)], 4));
    choice.renew(later);
    expect([...choice.marks]).toEqual([1, 0]);
    expect(choice.shown({ bars: later, mask: stateMask([]) })).toEqual([
      { id: 'a2', status: 'failed', frozen: false },
    ]);
    expect(choice.shown({ bars: later, mask: stateMask(['succeeded']) })).toEqual([]);
  });
});

it('frames the chosen bars in sight, and no others', () => {
  const on = choosable();
  const lists = { chosen: new RectList(), single: new RectList() };
  const shown = {
    ...on,
    tiles: undefined,
    nodesOfGroup: [],
    view: { from: FROM, to: FROM + 10 * MINUTE },
    width: 1_000,
    // The group and its first node.
    height: 2 * ROW_HEIGHT,
    scrollTop: 0,
    now: FROM + 20 * MINUTE,
  };
  collectBoxes(lists, shown, { marks: Uint8Array.of(0, 1, 1, 1), single: new Set([0]) });
  const rects = (list: RectList): number[][] => {
    const found: number[][] = [];
    list.each((...rect) => found.push(rect));
    return found;
  };
  expect(rects(lists.chosen)).toEqual([[498, ROW_HEIGHT + 4, 104, 18]]);
  expect(rects(lists.single)).toEqual([[-2, ROW_HEIGHT + 4, 104, 18]]);
});
