import { type Bizdate, plusDays } from '../domain/calendar/bizdate.js';
import type { BusinessCalendar } from '../domain/calendar/business-calendar.js';
import { type Cycle, cyclesOf } from '../domain/calendar/cycles-of.js';
import { previousCycle } from '../domain/graph/match-cycles.js';
import type { EdgeKind } from '../domain/instance/status.js';
import type { Sql } from '../store/database.js';
import type { DependentWorkflow, ForeignNodes } from './check-dependencies.js';
import { edgesOf, type OutsideNode } from './edges-of.js';
import { type Dependency, dependenciesOf, selfDependenceOf } from './needs-of.js';
import { type OutsideCycle, scheduledNodes } from './outside-nodes.js';
import { calendarsOfSpec } from './planned-schedule.js';
import { cycleScheduleOf, nodeSchedule } from './schedule-spec.js';
import type { NodeSpec, WorkflowSpec } from './workflow-spec.js';

/** A workflow as it is written, on one business date. */
export interface EdgeScene extends DependentWorkflow {
  readonly spec: WorkflowSpec;
  readonly timezone: string;
  readonly bizdate: Bizdate;
}

/** A cycle of the workflow itself; `index` is its place among all of that business date. */
export interface OwnCycle extends Cycle {
  readonly node: string;
  readonly index: number;
}

/** A cycle of the workflow's own business date before. */
export interface EarlierCycle extends Cycle {
  readonly node: string;
  readonly bizdate: Bizdate;
}

export interface ConcreteEdge {
  readonly down: OwnCycle;
  readonly up: OwnCycle | EarlierCycle | OutsideCycle;
  readonly kind: EdgeKind;
  readonly inheritsDryRun: boolean | null;
}

/** What a workflow that is not submitted yet would get. */
export interface ConcreteEdges {
  readonly edges: readonly ConcreteEdge[];
  /** By node. */
  readonly cycles: ReadonlyMap<string, readonly OwnCycle[]>;
  readonly dependencies: readonly Dependency[];
  /** Of the ids in `dependencies` that are nodes of the workflow itself. */
  readonly names: ReadonlyMap<number, string>;
}

/** Own nodes have no ids before they are submitted: these are below zero, so that no real one is met. */
function idsOf(spec: WorkflowSpec): Map<string, number> {
  return new Map(spec.nodes.map((node, index) => [node.id, -1 - index]));
}

/** With the calendars that it names. */
interface DatedScene extends EdgeScene {
  readonly calendars: ReadonlyMap<string, BusinessCalendar>;
}

function cyclesOn(scene: DatedScene, node: NodeSpec, bizdate: Bizdate): Cycle[] {
  const { spec, timezone, calendars } = scene;
  const schedule = nodeSchedule(node.schedule, spec.schedule);
  return cyclesOf(cycleScheduleOf(schedule, timezone, calendars), bizdate);
}

export async function concreteEdges(
  sql: Sql,
  edgeScene: EdgeScene,
  foreign: ForeignNodes,
): Promise<ConcreteEdges> {
  const { spec, bizdate, timezone, name, workspaceId } = edgeScene;
  const scene = { ...edgeScene, calendars: await calendarsOfSpec(sql, workspaceId, spec) };
  const ids = idsOf(spec);
  const idOf = (node: string, other?: string): number | undefined =>
    other === undefined ? ids.get(node) : (foreign.get(`${other}/${node}`)?.nodeId ?? undefined);
  const dependencies = dependenciesOf(spec, name, idOf, foreign.values());
  const cycles = ownCycles(scene);
  const own = new Map(
    spec.nodes.map((node) => [
      ids.get(node.id) ?? 0,
      { ...selfDependenceOf(node), cycles: cycles.get(node.id) ?? [] },
    ]),
  );
  const foreignIds = dependencies.map(({ upstream }) => upstream).filter((id) => id > 0);
  const outside = new Map<number, OutsideNode<EarlierCycle | OutsideCycle>>(
    await scheduledNodes(sql, scene, [...new Set(foreignIds)]),
  );
  for (const node of spec.nodes) outside.set(ids.get(node.id) ?? 0, earlier(scene, node));
  const edges: ConcreteEdge[] = edgesOf({ bizdate, timezone, own, outside, dependencies }).map(
    ({ down, up, dependency: { kind, inheritsDryRun } }) => ({ down, up, kind, inheritsDryRun }),
  );
  for (const node of spec.nodes) {
    const { selfDependent, selfInheritsDryRun: inheritsDryRun } = selfDependenceOf(node);
    if (!selfDependent) continue;
    const last = earlier(scene, node).cyclesOn(plusDays(bizdate, -1)).at(-1);
    for (const { down, up } of previousCycle(cycles.get(node.id) ?? [], last))
      edges.push({ down, up, kind: 'self_previous', inheritsDryRun });
  }
  const names = new Map([...ids].map(([node, id]) => [id, node]));
  return { edges, cycles, dependencies, names };
}

function ownCycles(scene: DatedScene): Map<string, readonly OwnCycle[]> {
  const cycles = new Map<string, readonly OwnCycle[]>();
  let count = 0;
  for (const node of scene.spec.nodes) {
    const own = cyclesOn(scene, node, scene.bizdate).map((cycle, at) => ({
      ...cycle,
      node: node.id,
      index: count + at,
    }));
    cycles.set(node.id, own);
    count += own.length;
  }
  return cycles;
}

function earlier(scene: DatedScene, node: NodeSpec): OutsideNode<EarlierCycle> {
  const days = new Map<Bizdate, readonly EarlierCycle[]>();
  return {
    selfDependent: selfDependenceOf(node).selfDependent,
    timezone: scene.timezone,
    cyclesOn: (bizdate) => {
      const known = days.get(bizdate);
      if (known !== undefined) return known;
      const found = cyclesOn(scene, node, bizdate).map((cycle) => ({
        ...cycle,
        node: node.id,
        bizdate,
      }));
      days.set(bizdate, found);
      return found;
    },
  };
}
