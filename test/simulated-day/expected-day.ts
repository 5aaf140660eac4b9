import { expectedCycles, localDay } from '../calendar/expected-cycles.js';
import { type ZoneClock, zoneClock } from '../calendar/zone-transitions.js';
import {
  type Edge,
  referencePeriod,
  referencePrevious,
  referenceSame,
  type World,
} from '../matching/reference.js';
import type { DayNeed, DayNode, DayWorkflow } from './day-world.js';

const DAY_MS = 86_400_000;
const AROUND_MS = 40 * DAY_MS;

export interface ExpectedCycle {
  readonly at: number;
  readonly isDryRun: boolean;
}

/** The business dates that one run group has, ascending. */
export interface Scope {
  readonly bizdates: readonly string[];
  /** The daily plan knows the other workflows too; a backfill its own one alone. */
  readonly workflow?: DayWorkflow;
}

/**
 * What must become of a world, worked out from the references in test/calendar and test/matching; nothing
 * here comes from src.
 */
export class ExpectedDay {
  readonly #clocks = new Map<string, ZoneClock>();
  readonly #cycles = new Map<string, readonly ExpectedCycle[]>();

  /** `wf/node bizdate instant [dry]`, for each instance. */
  instances(workflow: DayWorkflow, { bizdates }: Scope): string[] {
    return workflow.nodes.flatMap((node) =>
      bizdates.flatMap((bizdate) =>
        this.#cyclesOn(workflow, node, bizdate).map(
          ({ at, isDryRun }) =>
            `${workflow.name}/${node.name} ${bizdate} ${iso(at)}${isDryRun ? ' dry' : ''}`,
        ),
      ),
    );
  }

  /** `downstream instant < upstream instant kind`, for each edge of an instance of these business dates. */
  edges(workflow: DayWorkflow, scope: Scope, bizdates: readonly string[]): string[] {
    return workflow.nodes.flatMap((node) =>
      bizdates.flatMap((bizdate) => [
        ...node.needs.flatMap((need) => this.#needEdges(workflow, node, need, bizdate, scope)),
        ...(node.isSelfDependent ? this.#chain(workflow, node, bizdate, scope) : []),
      ]),
    );
  }

  #cyclesOn(workflow: DayWorkflow, node: DayNode, bizdate: string): readonly ExpectedCycle[] {
    const key = `${workflow.name} ${node.name} ${bizdate}`;
    const known = this.#cycles.get(key);
    if (known !== undefined) return known;
    const clock = this.#clockOf(workflow.zone, bizdate);
    const runDay = addDays(bizdate, 1);
    const { minutes, runsOn, dstPolicy, isByHours } = node.schedule;
    const isOn = runsOn(runDay);
    const asked = isOn
      ? { minutes, isByHours }
      : { minutes: minutes.slice(0, 1), isByHours: false };
    const lines = expectedCycles(clock, runDay, localDay(clock, runDay), asked, dstPolicy);
    const cycles = (isOn ? lines : lines.slice(0, 1)).map((line) => {
      const [, instant = '', , , reason] = line.split(' ');
      const isDryRun = reason !== undefined || !isOn || node.isDryRun;
      return { at: Date.parse(instant), isDryRun };
    });
    this.#cycles.set(key, cycles);
    return cycles;
  }

  #clockOf(zone: string, bizdate: string): ZoneClock {
    const known = this.#clocks.get(zone);
    if (known !== undefined) return known;
    const day = Date.parse(bizdate);
    const clock = zoneClock(zone, day - AROUND_MS, day + AROUND_MS);
    this.#clocks.set(zone, clock);
    return clock;
  }

  #timesOn(workflow: DayWorkflow, node: DayNode, bizdate: string, scope: Scope): number[] {
    if (!scope.bizdates.includes(bizdate)) return [];
    if (scope.workflow !== undefined && scope.workflow !== workflow) return [];
    return this.#cyclesOn(workflow, node, bizdate).map(({ at }) => at);
  }

  #needEdges(
    workflow: DayWorkflow,
    node: DayNode,
    need: DayNeed,
    bizdate: string,
    scope: Scope,
  ): string[] {
    const sameZone = need.workflow.zone === workflow.zone;
    const upOn = (days: number): number[] =>
      this.#timesOn(need.workflow, need.node, addDays(bizdate, days), scope);
    const before = upOn(-1);
    const oneDay = upOn(0);
    const around = need.cycle === 'same' ? [-1, 0, 1] : [-2, -1, 0, 1];
    const down = this.#timesOn(workflow, node, bizdate, scope);
    const world: World = {
      down,
      up: sameZone ? oneDay : around.flatMap(upOn),
      before,
      downPeriod: referencePeriod(down),
      upPeriod: referencePeriod(oneDay.length > 0 ? oneDay : before),
      downSelf: node.isSelfDependent,
      upSelf: need.node.isSelfDependent,
      sameZone,
    };
    const edges = need.cycle === 'same' ? referenceSame(world) : referencePrevious(world);
    const kind = need.cycle === 'same' ? 'same_cycle' : 'previous_cycle';
    const [from, to] = [`${workflow.name}/${node.name}`, `${need.workflow.name}/${need.node.name}`];
    return edges.map(([d, u]: Edge) => `${from} ${iso(d)} < ${to} ${iso(u)} ${kind}`);
  }

  #chain(workflow: DayWorkflow, node: DayNode, bizdate: string, scope: Scope): string[] {
    const name = `${workflow.name}/${node.name}`;
    const times = this.#timesOn(workflow, node, bizdate, scope);
    const earlier = this.#timesOn(workflow, node, addDays(bizdate, -1), scope).slice(-1);
    const all = [...earlier, ...times];
    return times.flatMap((at) => {
      const previous = all.filter((other) => other < at).at(-1);
      return previous === undefined
        ? []
        : [`${name} ${iso(at)} < ${name} ${iso(previous)} self_previous`];
    });
  }
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
