import { expect, test } from '@jest/globals';

import {
  maxTop,
  MAX_TRACK,
  rowsInView,
  topOf,
  topToShow,
  trackHeight,
  trackOf,
} from './line-scroll.ts';

const scroll = { rowHeight: 20, viewHeight: 610 };

test.each([10, 1000, 400_000, 5_000_000])(
  '%i lines: both ends of the track are those of the log',
  (total) => {
    const log = { ...scroll, total };
    expect(trackHeight(log)).toBeLessThanOrEqual(MAX_TRACK);
    const room = trackHeight(log) - log.viewHeight;
    expect(rowsInView(log, topOf(log, 0)).first).toBe(0);
    expect(rowsInView(log, topOf(log, room)).last).toBe(total - 1);
    for (const top of [0, maxTop(log) / 3, maxTop(log)])
      expect(topOf(log, trackOf(log, top))).toBeCloseTo(top, 3);
  },
);

test('a line is brought into the middle, and stays where it is when it is seen', () => {
  const log = { ...scroll, total: 5_000_000 };
  const top = topToShow(log, 0, 4_000_000);
  const { first, last } = rowsInView(log, top);
  expect([first, last]).toEqual([3_999_985, 4_000_016]);
  expect(topToShow(log, top, 4_000_010)).toBe(top);
  expect(topToShow(log, 0, 4_999_999)).toBe(maxTop(log));
});
