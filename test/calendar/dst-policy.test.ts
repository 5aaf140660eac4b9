import { describe, expect, test } from '@jest/globals';

import { parseBizdate } from '../../src/domain/calendar/bizdate.js';
import { type CycleSchedule, cyclesOf, DST_POLICIES } from '../../src/domain/calendar/cycles-of.js';
import { seeded, seededNumbers, testSeed } from '../support/seeded.js';
import { expectedCycles, localDay } from './expected-cycles.js';
import { type Transition, type ZoneClock, zoneClock } from './zone-transitions.js';

const FROM = Date.UTC(2000, 0, 1);
const TO = Date.UTC(2041, 0, 1);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Changes of half an hour, at midnight, of a whole day, several in a year: never left to chance. */
const ODD_ZONES = [
  'Africa/Cairo',
  'Africa/Casablanca',
  'America/Caracas',
  'America/Havana',
  'America/Los_Angeles',
  'America/Nuuk',
  'America/Santiago',
  'Antarctica/Casey',
  'Antarctica/Troll',
  'Asia/Beirut',
  'Asia/Gaza',
  'Asia/Pyongyang',
  'Asia/Shanghai',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Europe/Berlin',
  'Pacific/Apia',
  'Pacific/Chatham',
  'UTC',
];
const SAMPLED_ZONES = 8;
const SAMPLED_TRANSITIONS = 5;

const isWhole = process.env['MILLRACE_TEST_ALL_ZONES'] === '1';
const seed = testSeed();
const sample = isWhole
  ? 'every zone and change'
  : `zones and changes of seed ${seed}; MILLRACE_TEST_ALL_ZONES=1 takes all`;

function zonesToTest(): readonly string[] {
  const all = Intl.supportedValuesOf('timeZone');
  if (isWhole) return all;
  const chosen = seededNumbers(seed, SAMPLED_ZONES, all.length).map((no) => all[no - 1] ?? 'UTC');
  return [...new Set([...ODD_ZONES, ...chosen])];
}

/**
 * Half of the zones are clocks of others under another name. What those must show is worked out once, what
 * they do show for each of them.
 */
function clocksOf(
  names: readonly string[],
): { readonly clock: ZoneClock; readonly zones: readonly string[] }[] {
  const found = new Map<string, { readonly clock: ZoneClock; readonly zones: string[] }>();
  for (const zone of names) {
    const clock = zoneClock(zone, FROM, TO);
    const key = JSON.stringify([clock.offsetAt(FROM), clock.transitions]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { clock, zones: [zone] });
    else known.zones.push(zone);
  }
  return [...found.values()];
}

function transitionsToTest(clock: ZoneClock): readonly Transition[] {
  const { transitions } = clock;
  if (isWhole || transitions.length <= SAMPLED_TRANSITIONS) return transitions;
  return seededNumbers(seed, SAMPLED_TRANSITIONS, transitions.length).flatMap((no) =>
    transitions.slice(no - 1, no),
  );
}

/** The local days around a change: the one before, those it touches, and the one after. */
function daysAround({ at, before, after }: Transition): string[] {
  const touched = [at + before - MINUTE_MS, at + before, at + after];
  const days = touched.flatMap((ms) => [ms - DAY_MS, ms, ms + DAY_MS]);
  return [...new Set(days.map((ms) => new Date(ms).toISOString().slice(0, 10)))].sort();
}

interface Asked {
  readonly schedule: Omit<CycleSchedule, 'zone'>;
  /** Of the day, ascending. */
  readonly minutes: readonly number[];
  /** By cron, hours or minutes: an hour more or less is none that was asked for by itself. */
  readonly isByHours: boolean;
}

const every = (step: number, from = 0, to = 1439): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, no) => from + no * step);
const clockTime = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
const daily = (minutes: readonly number[]): Asked => ({
  schedule: { period: { every: 'day', at: minutes.map(clockTime) } },
  minutes,
  isByHours: false,
});
const byHours = (schedule: Asked['schedule'], minutes: readonly number[]): Asked => ({
  schedule,
  minutes,
  isByHours: true,
});

/** Schedules that meet the change: at its first and last minute, inside, and as hours and minutes. */
function schedulesAround({ at, before, after }: Transition, random: () => number): Asked[] {
  const clock = (ms: number): number => Math.floor((((ms % DAY_MS) + DAY_MS) % DAY_MS) / MINUTE_MS);
  const [start, end] = [clock(at + Math.min(before, after)), clock(at + Math.max(before, after))];
  const inside = (start + Math.floor((Math.abs(after - before) / MINUTE_MS) * random())) % 1440;
  const some = Math.floor(random() * 1440);
  return [
    ...[start, inside, end].map((minute) => daily([minute])),
    daily([...new Set([start, inside, end, some])].sort((a, b) => a - b)),
    byHours({ cron: '30 * * * *' }, every(60, 30)),
    byHours({ period: { every: 'hour', from: '01:10', to: '04:10' } }, every(60, 70, 250)),
    byHours({ period: { every: 'minute', step: 10 } }, every(10)),
    byHours({ period: { every: 'minute', step: 7, from: '00:03', to: '02:59' } }, every(7, 3, 179)),
  ];
}

function actualCycles(schedule: CycleSchedule, runDay: string): string[] {
  const bizdate = new Date(Date.parse(runDay) - DAY_MS).toISOString().slice(0, 10);
  return cyclesOf(schedule, parseBizdate(bizdate)).map(
    ({ periodNo, scheduledAt, local, dryRun }) =>
      `${periodNo} ${scheduledAt.toISOString()} ${local.date} ${local.time.slice(0, 5)}` +
      (dryRun === undefined ? '' : ` ${dryRun}`),
  );
}

interface Expectation {
  readonly runDay: string;
  readonly schedule: Omit<CycleSchedule, 'zone'>;
  /** One cycle a line. */
  readonly lines: string;
}

/** Every schedule and policy on every day around one change. */
function expectationsAround(clock: ZoneClock, change: Transition): Expectation[] {
  const asked = schedulesAround(change, seeded(seed + change.at / MINUTE_MS));
  return daysAround(change).flatMap((runDay) => {
    const day = localDay(clock, runDay);
    return asked.flatMap(({ schedule, ...rest }) =>
      DST_POLICIES.map((dstPolicy) => ({
        runDay,
        schedule: { ...schedule, dstPolicy },
        lines: expectedCycles(clock, runDay, day, rest, dstPolicy).join('\n'),
      })),
    );
  });
}

/** Where the product says otherwise. */
function differences(zone: string, expectations: readonly Expectation[]): object[] {
  return expectations.flatMap(({ runDay, schedule, lines }) => {
    const actual = actualCycles({ ...schedule, zone }, runDay).join('\n');
    return actual === lines ? [] : [{ zone, runDay, schedule, actual, expected: lines }];
  });
}

describe(`where a clock jumps, 2000 to 2040 (${sample})`, () => {
  test('no cycle is lost or doubled against what the policy says, and all are in order', () => {
    let changes = 0;
    for (const { clock, zones } of clocksOf(zonesToTest())) {
      for (const change of transitionsToTest(clock)) {
        const expectations = expectationsAround(clock, change);
        for (const zone of zones) {
          changes += 1;
          expect(differences(zone, expectations)).toEqual([]);
        }
      }
    }
    expect(changes).toBeGreaterThan(isWhole ? 10_000 : 70);
  }, 3_600_000);

  test('a day that a zone leaves out altogether still has its daily run', () => {
    const clock = zoneClock('Pacific/Apia', FROM, TO);
    expect(localDay(clock, '2011-12-30').size).toBe(0);
    expect(actualCycles({ cron: '15 6 * * *', zone: 'Pacific/Apia' }, '2011-12-30')).toEqual([
      '1 2011-12-30T10:00:00.000Z 2011-12-31 00:00',
    ]);
  });
});
