import type { ScheduleForm } from '../../src/domain/calendar/schedule-times-of.js';
import { type Cell, timeOf } from './cells.js';

/** As {@link Cell}, of an upstream that runs on some days only; `~` behind a time: that instance is a dry run. */
export interface OffDayCell {
  readonly name: string;
  readonly down: string;
  readonly up: ScheduleForm;
  readonly self?: 'down' | 'up' | 'both';
  readonly same: string;
  readonly previous: string;
}

const ON_MONDAYS = { period: { every: 'week', days: ['mon'], at: '00:15' } } as const;
const ON_SATURDAYS = { period: { every: 'week', days: ['sat'], at: '00:15' } } as const;
const ON_THE_21ST = { period: { every: 'month', days: [21], at: '00:15' } } as const;
const ON_THE_FIRST = { period: { every: 'month', days: [1], at: '00:15' } } as const;
const ON_NEW_YEAR = { period: { every: 'year', dates: ['01-01'], at: '00:15' } } as const;
const ON_ITS_DAY = { period: { every: 'year', dates: ['11-21'], at: '00:15' } } as const;

/** The cells speak of the run day 2026-11-21, a Saturday. */
export const OFF_DAY_CELLS: readonly OffDayCell[] = (
  [
    ['week', ON_SATURDAYS, ON_MONDAYS],
    ['month', ON_THE_21ST, ON_THE_FIRST],
    ['year', ON_ITS_DAY, ON_NEW_YEAR],
  ] as const
).flatMap(([period, runs, rests]): OffDayCell[] => [
  {
    name: `day -> ${period}, real`,
    down: '06:00',
    up: runs,
    same: '06:00<00:15',
    previous: '06:00<y00:15~',
  },
  {
    name: `day -> ${period}, dry`,
    down: '06:00',
    up: rests,
    same: '06:00<00:15~',
    previous: '06:00<y00:15~',
  },
  {
    name: `day -> ${period}, real, self`,
    down: '00:00',
    up: runs,
    self: 'both',
    same: '00:00<00:15',
    previous: '00:00<y00:15~',
  },
  {
    name: `day -> ${period}, dry, self`,
    down: '00:00',
    up: rests,
    self: 'up',
    same: '00:00<00:15~',
    previous: '00:00<y00:15~',
  },
  {
    name: `hour -> ${period}, real`,
    down: '01:00 02:00',
    up: runs,
    same: '01:00<00:15 02:00<00:15',
    previous: '01:00<y00:15~ 02:00<y00:15~',
  },
  {
    name: `hour -> ${period}, dry`,
    down: '00:00 02:00',
    up: rests,
    same: '00:00<00:15~ 02:00<00:15~',
    previous: '00:00<y00:15~ 02:00<y00:15~',
  },
  {
    name: `hour -> ${period}, dry, the upstream chains: still all`,
    down: '01:00 02:00',
    up: rests,
    self: 'up',
    same: '01:00<00:15~ 02:00<00:15~',
    previous: '01:00<y00:15~ 02:00<y00:15~',
  },
  {
    name: `hour -> ${period}, dry, both chain: the first, whose success the others wait for`,
    down: '01:00 02:00',
    up: rests,
    self: 'both',
    same: '01:00<00:15~',
    previous: '01:00<y00:15~',
  },
  {
    name: `minute -> ${period}, real`,
    down: '00:10 00:20',
    up: runs,
    same: '00:10<00:15 00:20<00:15',
    previous: '00:10<y00:15~ 00:20<y00:15~',
  },
  {
    name: `minute -> ${period}, dry, self`,
    down: '00:10 00:20',
    up: rests,
    self: 'both',
    same: '00:10<00:15~',
    previous: '00:10<y00:15~',
  },
]);

/** As if the upstream had only clock times. */
export function clockCellOf({ up: _up, ...cell }: OffDayCell): Cell {
  const plain = {
    same: cell.same.replaceAll('~', ''),
    previous: cell.previous.replaceAll('~', ''),
  };
  return { ...cell, ...plain, up: '00:15', before: 'y00:15' };
}

/** The upstreams of a cell that are dry runs, by their times. */
export function dryTimesOf({ same, previous }: OffDayCell): number[] {
  const times = `${same} ${previous}`.match(/y?\d\d:\d\d(?=~)/g) ?? [];
  return [...new Set(times.map(timeOf))].sort();
}
