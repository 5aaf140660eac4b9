import { type Bizdate, bizdateRange, plusDays, runDayOf } from '../domain/calendar/bizdate.js';
import { type CycleSchedule, cyclesOf, runsOn } from '../domain/calendar/cycles-of.js';
import { addDays } from '../domain/calendar/local-date.js';
import { startOfDay } from '../domain/calendar/start-of-day.js';
import { localOf } from '../domain/calendar/zone.js';
import { findLoop } from '../domain/graph/find-loop.js';
import { type CycleRef, previousCycle } from '../domain/graph/match-cycles.js';
import type { Sql } from '../store/database.js';
import type { ForeignNodes } from './check-dependencies.js';
import type { EdgeScene } from './concrete-edges.js';
import { type CoupledVersion, coupledVersions } from './coupled-versions.js';
import { datesAround, edgesOf, type OutsideNode } from './edges-of.js';

/** A year: what runs on some days only is met on one of them. */
const HORIZON_DAYS = 366;

interface LoopInstance extends CycleRef {
  readonly index: number;
  readonly nodeId: number;
  readonly name: string;
}

/** Says what of it is looked at; a year without it. */
interface Horizon {
  readonly days?: number;
}

/**
 * A circle in which instances of the workflow, and of others with it, would wait for each other for ever, on a
 * business date from that of the scene on: each instance as `node HH:MM`, the first one again at the end.
 */
export async function findInstanceLoop(
  sql: Sql,
  scene: EdgeScene,
  foreign: ForeignNodes,
  { days = HORIZON_DAYS }: Horizon = {},
): Promise<string[] | undefined> {
  const versions = await coupledVersions(sql, scene, foreign);
  if (versions.length === 0) return undefined;
  const zones = new Set(versions.map(({ timezone }) => timezone));
  const keyOf = dayKeys(versions, zones);
  const seen = new Set<string>();
  for (const bizdate of bizdateRange(scene.bizdate, plusDays(scene.bizdate, days - 1))) {
    // Within one zone nothing waits for a later business date, so a circle has one.
    const dates = zones.size === 1 ? [bizdate] : datesAround(bizdate);
    const key = [...new Set(dates.flatMap(datesAround))].map(keyOf).join(' ');
    if (seen.has(key)) continue;
    seen.add(key);
    const loop = loopOn(versions, dates);
    if (loop !== undefined) return named(loop, scene.timezone);
  }
  return undefined;
}

/**
 * Tells business dates apart by what can differ in their cycles: which versions are in effect, whose schedules
 * run, and how far the zones' clocks are from UTC.
 */
function dayKeys(
  versions: readonly CoupledVersion[],
  zones: ReadonlySet<string>,
): (bizdate: Bizdate) => string {
  const calendars: unknown[] = [];
  const schedules = new Map<string, CycleSchedule>();
  for (const { schedule } of versions.flatMap(({ nodes }) => [...nodes.values()])) {
    const { calendar, ...rest } = schedule;
    if (!calendars.includes(calendar)) calendars.push(calendar);
    schedules.set(JSON.stringify([rest, calendars.indexOf(calendar)]), schedule);
  }
  const known = new Map<Bizdate, string>();
  return (bizdate) => {
    const found = known.get(bizdate);
    if (found !== undefined) return found;
    const day = runDayOf(bizdate);
    const inEffect = versions.map(({ firstBizdate }) => Number(firstBizdate <= bizdate));
    const running = [...schedules.values()].map((schedule) => {
      const { effectiveFrom = day, effectiveTo = day } = schedule;
      return effectiveFrom > day || day > effectiveTo ? 2 : Number(runsOn(schedule, day));
    });
    const clocks = [...zones].flatMap((zone) =>
      [day, addDays(day, 1)].map((date) => startOfDay(date, zone).getTime() - Date.parse(date)),
    );
    const key = [inEffect.join(''), running.join(''), clocks.join(',')].join('|');
    known.set(bizdate, key);
    return key;
  };
}

function loopOn(
  versions: readonly CoupledVersion[],
  dates: readonly Bizdate[],
): LoopInstance[] | undefined {
  const instances: LoopInstance[] = [];
  const made = new Map<string, readonly LoopInstance[]>();
  const cyclesOn = (nodeId: number, bizdate: Bizdate): readonly LoopInstance[] => {
    const key = `${nodeId} ${bizdate}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const node = inEffectOn(versions, bizdate)
      .find(({ nodes }) => nodes.has(nodeId))
      ?.nodes.get(nodeId);
    const cycles = node === undefined ? [] : cyclesOf(node.schedule, bizdate);
    const name = node?.name ?? '';
    const found = cycles.map(({ periodNo, scheduledAt }, at): LoopInstance => {
      return { index: instances.length + at, nodeId, name, periodNo, scheduledAt };
    });
    instances.push(...found);
    made.set(key, found);
    return found;
  };
  const edges = dates.flatMap((bizdate) =>
    inEffectOn(versions, bizdate).flatMap((version) =>
      edgesOn(versions, version, bizdate, cyclesOn),
    ),
  );
  const upstreams: number[][] = instances.map(() => []);
  for (const { down, up } of edges) upstreams[down.index]?.push(up.index);
  return findLoop(upstreams)?.flatMap((index) => instances[index] ?? []);
}

function inEffectOn(versions: readonly CoupledVersion[], bizdate: Bizdate): CoupledVersion[] {
  const newest = new Map<number, CoupledVersion>();
  for (const version of versions) {
    if (version.firstBizdate <= bizdate && !newest.has(version.workflowId))
      newest.set(version.workflowId, version);
  }
  return [...newest.values()];
}

function edgesOn(
  versions: readonly CoupledVersion[],
  { nodes, timezone, dependencies }: CoupledVersion,
  bizdate: Bizdate,
  cyclesOn: (nodeId: number, bizdate: Bizdate) => readonly LoopInstance[],
): { readonly down: LoopInstance; readonly up: LoopInstance }[] {
  const outside = new Map<number, OutsideNode<LoopInstance>>();
  for (const other of inEffectOn(versions, bizdate)) {
    for (const [id, { selfDependent }] of other.nodes)
      outside.set(id, {
        selfDependent,
        timezone: other.timezone,
        cyclesOn: (date) => cyclesOn(id, date),
      });
  }
  const own = new Map(
    [...nodes].map(([id, { selfDependent }]) => [
      id,
      { selfDependent, cycles: cyclesOn(id, bizdate) },
    ]),
  );
  const chains = [...own].filter(([, { selfDependent }]) => selfDependent);
  return [
    ...edgesOf({ bizdate, timezone, own, outside, dependencies }),
    ...chains.flatMap(([id, { cycles }]) =>
      previousCycle(cycles, cyclesOn(id, plusDays(bizdate, -1)).at(-1)),
    ),
  ];
}

function named(loop: readonly LoopInstance[], timezone: string): string[] {
  const locals = loop.map(({ scheduledAt }) => localOf(scheduledAt, timezone));
  const [first] = locals;
  const names = loop.map(({ name }, at) => {
    const { date, time } = locals[at] ?? { date: '', time: '' };
    // One date is told once: that of the first.
    const on = at > 0 && date === first?.date ? '' : `${date} `;
    return `${name} ${on}${time.slice(0, 5)}`;
  });
  return [...names, names[0] ?? ''];
}
