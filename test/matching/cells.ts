import { referencePeriod, type World } from './reference.js';

/** One cell of the table: clock times and edges, written by hand. `y` before a time: yesterday. */
export interface Cell {
  readonly name: string;
  readonly down: string;
  readonly up: string;
  readonly before?: string;
  /** Who is self-dependent. */
  readonly self?: 'down' | 'up' | 'both';
  /** The zones differ: `up` holds the days around, and this is what one of its days says. */
  readonly otherZone?: 'day' | 'hour' | 'minute';
  /** Absent: not looked at. `01:00<00:30,00:45`: the downstream of 01:00 waits for two. */
  readonly same?: string;
  readonly previous?: string;
  /** Of the downstream on itself; `before` is its own day before. */
  readonly chain?: string;
}

const MORNING = '01:00 02:00 03:00 04:00';

export const CELLS: readonly Cell[] = [
  { name: 'day -> day, also a later one', down: '01:00', up: '03:00', same: '01:00<03:00' },
  { name: 'day -> day, self', down: '03:00', up: '01:00', self: 'both', same: '03:00<01:00' },
  {
    name: 'day -> day, only the upstream chains',
    down: '03:00',
    up: '01:00',
    self: 'up',
    same: '03:00<01:00',
  },
  {
    name: 'day -> day, only the downstream chains',
    down: '01:00',
    up: '03:00',
    self: 'down',
    same: '01:00<03:00',
  },
  {
    name: 'day -> hour: all of the day',
    down: '02:30',
    up: MORNING,
    same: '02:30<01:00,02:00,03:00,04:00',
  },
  { name: 'day -> hour, self', down: '02:30', up: MORNING, self: 'up', same: '02:30<02:00' },
  {
    name: 'day -> hour, both chain',
    down: '03:59',
    up: MORNING,
    self: 'both',
    same: '03:59<03:00',
  },
  {
    name: 'day -> hour, only the downstream chains: all of the day',
    down: '02:30',
    up: MORNING,
    self: 'down',
    same: '02:30<01:00,02:00,03:00,04:00',
  },
  {
    name: 'day -> hour, self, all later: the first',
    down: '00:30',
    up: MORNING,
    self: 'up',
    same: '00:30<01:00',
  },
  {
    name: 'day -> minute: all of the day',
    down: '00:20',
    up: '00:00 00:10 00:20 00:30',
    same: '00:20<00:00,00:10,00:20,00:30',
  },
  {
    name: 'day -> minute, self: the nearest, also at the same time',
    down: '00:20',
    up: '00:00 00:10 00:20 00:30',
    self: 'up',
    same: '00:20<00:20',
  },
  {
    name: 'day -> minute, both chain',
    down: '00:25',
    up: '00:00 00:10 00:20 00:30',
    self: 'both',
    same: '00:25<00:20',
  },
  {
    name: 'hour -> hour, same count: by ordinal, whatever the clock says',
    down: '01:00 02:00 03:00',
    up: '10:00 11:00 12:00',
    same: '01:00<10:00 02:00<11:00 03:00<12:00',
  },
  {
    name: 'hour -> hour, same count, self',
    down: '10:00 11:00 12:00',
    up: '01:00 02:00 03:00',
    self: 'both',
    same: '10:00<01:00 11:00<02:00 12:00<03:00',
  },
  {
    name: 'hour -> hour, same count, only the upstream chains',
    down: '01:00 02:00 03:00',
    up: '10:00 11:00 12:00',
    self: 'up',
    same: '01:00<10:00 02:00<11:00 03:00<12:00',
  },
  {
    name: 'hour -> hour, fewer upstreams: several share one, before the first it is the first',
    down: '00:30 01:30 02:30 03:30 04:30',
    up: '02:00 04:00',
    same: '00:30<02:00 01:30<02:00 02:30<02:00 03:30<02:00 04:30<04:00',
  },
  {
    name: 'hour -> hour, fewer upstreams, self: the nearest',
    down: '00:30 01:30 02:30 03:30 04:30',
    up: '02:00 04:00',
    self: 'up',
    same: '00:30<02:00 01:30<02:00 02:30<02:00 03:30<02:00 04:30<04:00',
  },
  {
    name: 'hour -> hour, more upstreams: all since my previous one',
    down: '02:00 04:00',
    up: '00:30 01:30 02:30 03:30 04:30',
    same: '02:00<00:30,01:30 04:00<02:30,03:30',
  },
  {
    name: 'hour -> hour, more upstreams, self: the nearest',
    down: '02:00 04:00',
    up: '00:30 01:30 02:30 03:30 04:30',
    self: 'up',
    same: '02:00<01:30 04:00<03:30',
  },
  {
    name: 'hour -> hour, more upstreams, both chain',
    down: '02:00 04:00',
    up: '00:30 01:30 02:30 03:30 04:30',
    self: 'both',
    same: '02:00<01:30 04:00<03:30',
  },
  {
    name: 'hour -> day: all wait for the one',
    down: '01:00 02:00 03:00',
    up: '02:30',
    same: '01:00<02:30 02:00<02:30 03:00<02:30',
  },
  {
    name: 'hour -> day, the upstream chains: still all',
    down: '01:00 02:00 03:00',
    up: '02:30',
    self: 'up',
    same: '01:00<02:30 02:00<02:30 03:00<02:30',
  },
  {
    name: 'hour -> day, the downstream chains: only its first',
    down: '01:00 02:00 03:00',
    up: '00:30',
    self: 'both',
    same: '01:00<00:30',
  },
  {
    name: 'hour -> day, only the downstream chains: only its first',
    down: '01:00 02:00 03:00',
    up: '02:30',
    self: 'down',
    same: '01:00<02:30',
  },
  {
    name: 'minute -> day',
    down: '00:00 00:05 00:10',
    up: '00:02',
    same: '00:00<00:02 00:05<00:02 00:10<00:02',
  },
  {
    name: 'minute -> day, the downstream chains',
    down: '00:00 00:05 00:10',
    up: '00:02',
    self: 'down',
    same: '00:00<00:02',
  },
  {
    name: 'minute -> day, the upstream chains: still all',
    down: '00:00 00:05 00:10',
    up: '00:02',
    self: 'up',
    same: '00:00<00:02 00:05<00:02 00:10<00:02',
  },
  {
    name: 'minute -> day, both chain: only its first',
    down: '00:00 00:05 00:10',
    up: '00:02',
    self: 'both',
    same: '00:00<00:02',
  },
  {
    name: 'hour -> minute: all minutes of its hour',
    down: '01:00 02:00',
    up: '00:00 00:30 01:00 01:30 02:00 02:30',
    same: '01:00<00:00,00:30,01:00 02:00<01:30,02:00',
  },
  {
    name: 'hour -> minute, as many of the one as of the other: still by the hour',
    down: '01:00 02:00 03:00',
    up: '00:30 00:45 02:30',
    same: '01:00<00:30,00:45 02:00<00:45 03:00<02:30',
  },
  {
    name: 'hour -> minute, self: the nearest of its hour',
    down: '01:00 02:00',
    up: '00:00 00:30 01:00 01:30 01:45 02:15',
    self: 'up',
    same: '01:00<01:00 02:00<01:45',
  },
  {
    name: 'hour -> minute, both chain',
    down: '01:00 02:00',
    up: '00:00 00:30 01:00 01:30 01:45 02:15',
    self: 'both',
    same: '01:00<01:00 02:00<01:45',
  },
  {
    name: 'minute -> hour: the nearest, shared',
    down: '00:00 00:30 01:00 01:30',
    up: '00:00 01:00',
    same: '00:00<00:00 00:30<00:00 01:00<01:00 01:30<01:00',
  },
  {
    name: 'minute -> hour, beginning late: not the hours before',
    down: '10:00 10:20 10:40',
    up: '08:00 09:00 10:00 11:00',
    same: '10:00<10:00 10:20<10:00 10:40<10:00',
  },
  {
    name: 'minute -> hour, self',
    down: '00:00 00:30 01:00 01:30',
    up: '00:00 01:00',
    self: 'both',
    same: '00:00<00:00 00:30<00:00 01:00<01:00 01:30<01:00',
  },
  {
    name: 'minute -> hour, only the upstream chains',
    down: '00:10 00:40 01:10',
    up: '00:00 01:00',
    self: 'up',
    same: '00:10<00:00 00:40<00:00 01:10<01:00',
  },
  {
    name: 'minute -> minute, same count',
    down: '00:00 00:10 00:20',
    up: '06:00 06:10 06:20',
    same: '00:00<06:00 00:10<06:10 00:20<06:20',
  },
  {
    name: 'minute -> minute, more upstreams',
    down: '00:10 00:20',
    up: '00:00 00:05 00:10 00:15 00:25',
    same: '00:10<00:00,00:05,00:10 00:20<00:15',
  },
  {
    name: 'minute -> minute, same count, self',
    down: '00:00 00:10 00:20',
    up: '06:00 06:10 06:20',
    self: 'both',
    same: '00:00<06:00 00:10<06:10 00:20<06:20',
  },
  {
    name: 'minute -> minute, more upstreams, self: the nearest',
    down: '00:10 00:20',
    up: '00:00 00:05 00:10 00:15 00:25',
    self: 'up',
    same: '00:10<00:10 00:20<00:15',
  },
  {
    name: 'previous: day -> day',
    down: '01:00',
    up: '00:30',
    before: 'y00:30',
    previous: '01:00<y00:30',
  },
  {
    name: 'previous: day -> day, self',
    down: '01:00',
    up: '00:30',
    before: 'y00:30',
    self: 'both',
    previous: '01:00<y00:30',
  },
  {
    name: 'previous: day -> hour, all of yesterday',
    down: '01:00',
    up: MORNING,
    before: 'y01:00 y02:00 y03:00 y04:00',
    previous: '01:00<y01:00,y02:00,y03:00,y04:00',
  },
  {
    name: 'previous: day -> hour, self: the last of yesterday',
    down: '01:00',
    up: MORNING,
    before: 'y01:00 y02:00 y03:00 y04:00',
    self: 'up',
    previous: '01:00<y04:00',
  },
  {
    name: 'previous: day -> hour, both chain: the last of yesterday',
    down: '01:00',
    up: MORNING,
    before: 'y01:00 y02:00 y03:00 y04:00',
    self: 'both',
    previous: '01:00<y04:00',
  },
  {
    name: 'previous: day -> minute, all of yesterday',
    down: '01:00',
    up: '00:00 00:30',
    before: 'y00:00 y00:30',
    previous: '01:00<y00:00,y00:30',
  },
  {
    name: 'previous: day -> minute, self: the last of yesterday',
    down: '01:00',
    up: '00:00 00:30',
    before: 'y00:00 y00:30',
    self: 'both',
    previous: '01:00<y00:30',
  },
  {
    name: 'previous: hour -> day',
    down: '01:00 02:00',
    up: '00:30',
    before: 'y00:30',
    previous: '01:00<y00:30 02:00<y00:30',
  },
  {
    name: 'previous: hour -> day, the downstream chains',
    down: '01:00 02:00',
    up: '00:30',
    before: 'y00:30',
    self: 'down',
    previous: '01:00<y00:30',
  },
  {
    name: 'previous: minute -> day',
    down: '01:00 01:05',
    up: '00:30',
    before: 'y00:30',
    previous: '01:00<y00:30 01:05<y00:30',
  },
  {
    name: 'previous: minute -> hour: what the minute before waits for',
    down: '00:00 00:30 01:00 01:30',
    up: '00:00 01:00',
    before: 'y00:00 y01:00',
    previous: '00:00<y01:00 00:30<00:00 01:00<00:00 01:30<01:00',
  },
  {
    name: 'previous: hour -> hour, more upstreams: those that the hour before waits for',
    down: '02:00 04:00',
    up: '00:30 01:30 02:30 03:30 04:30',
    before: 'y03:30 y04:30',
    previous: '02:00<y04:30 04:00<00:30,01:30',
  },
  {
    name: 'previous: hour -> hour, same count: the ordinal before, the first: the last of yesterday',
    down: '01:00 02:00 03:00',
    up: '10:00 11:00 12:00',
    before: 'y10:00 y11:00 y12:00',
    previous: '01:00<y12:00 02:00<10:00 03:00<11:00',
  },
  {
    name: 'previous: hour -> minute: the minutes of the hour before',
    down: '01:00 02:00 03:00',
    up: '00:00 00:30 01:00 01:30 02:00 02:30',
    before: 'y23:00 y23:30',
    previous: '01:00<y23:30 02:00<00:00,00:30,01:00 03:00<01:30,02:00',
  },
  {
    name: 'previous: hour -> hour, fewer upstreams: nothing later than my previous cycle',
    down: '00:30 01:30 02:30 03:30',
    up: '02:00 04:00',
    before: 'y02:00 y04:00',
    previous: '00:30<y04:00 01:30<y04:00 02:30<y04:00 03:30<02:00',
  },
  {
    name: 'itself: the cycle before, the first of a day: the last of the day before',
    down: '01:00 02:00 03:00',
    up: '',
    before: 'y22:00 y23:00',
    chain: '01:00<y23:00 02:00<01:00 03:00<02:00',
  },
  { name: 'itself: daily', down: '01:00', up: '', before: 'y01:00', chain: '01:00<y01:00' },
  {
    name: 'itself: nothing on the day before',
    down: '00:00 00:10 00:20',
    up: '',
    before: '',
    chain: '00:10<00:00 00:20<00:10',
  },
  { name: 'previous: nothing yesterday', down: '01:00', up: '00:30', before: '', previous: '' },
  {
    name: 'other zone: day -> day by the instant',
    down: '09:00',
    up: 'y08:00 08:00',
    otherZone: 'day',
    same: '09:00<08:00',
    previous: '09:00<y08:00',
  },
  {
    name: 'other zone: day -> hour, the 24 hours before',
    down: '02:00',
    up: 'y01:00 y02:00 y03:00 y04:00 01:00 02:00 03:00',
    otherZone: 'hour',
    same: '02:00<y03:00,y04:00,01:00,02:00',
  },
  {
    name: 'other zone: day -> hour, nothing in the 24 hours before: the nearest',
    down: '02:00',
    up: 'y00:30 y01:30 03:00',
    otherZone: 'hour',
    same: '02:00<y01:30',
  },
  {
    name: 'other zone: equal counts do not pair by ordinal',
    down: '01:00 02:00',
    up: 'y23:30 00:30',
    otherZone: 'hour',
    same: '01:00<00:30 02:00<00:30',
    previous: '01:00<y23:30 02:00<00:30',
  },
];

/** Midnight of the day that the cells speak of. */
const MIDNIGHT = Date.UTC(2026, 10, 21);

export function timeOf(text: string): number {
  const [, yesterday, hours, minutes] = /^(y?)(\d\d):(\d\d)$/.exec(text) ?? [];
  const clock = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return MIDNIGHT - (yesterday === 'y' ? 86_400_000 : 0) + clock;
}

function timesOf(text = ''): number[] {
  return text === '' ? [] : text.split(' ').map(timeOf);
}

export function worldOf(cell: Cell): World {
  const down = timesOf(cell.down);
  const up = timesOf(cell.up);
  return {
    down,
    up,
    before: timesOf(cell.before),
    downPeriod: referencePeriod(down),
    upPeriod: cell.otherZone ?? referencePeriod(up),
    downSelf: cell.self === 'down' || cell.self === 'both',
    upSelf: cell.self === 'up' || cell.self === 'both',
    sameZone: cell.otherZone === undefined,
  };
}

/** `01:00<00:30,00:45 02:00<01:30` as pairs of times. */
export function edgesOfText(text: string): (readonly [number, number])[] {
  if (text === '') return [];
  return text.split(' ').flatMap((group) => {
    const [down = '', ups = ''] = group.split('<');
    return ups.split(',').map((up) => [timeOf(down), timeOf(up)] as const);
  });
}
