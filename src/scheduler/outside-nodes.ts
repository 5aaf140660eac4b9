import type { BusinessCalendar } from '../domain/calendar/business-calendar.js';
import { type Bizdate, plusDays } from '../domain/calendar/bizdate.js';
import { type Cycle, cyclesOf } from '../domain/calendar/cycles-of.js';
import type { CycleRef } from '../domain/graph/match-cycles.js';
import type { Sql } from '../store/database.js';
import { findCycles } from '../store/sql/find-cycles.sql.js';
import { loadScheduledNodes, type ScheduledNode } from '../store/sql/load-scheduled-nodes.sql.js';
import { datesAround, type OutsideNode } from './edges-of.js';
import type { ForeseenPlan } from './foreseen-plan.js';
import { calendarsOfNodes, plannedSchedule } from './planned-schedule.js';

/** A cycle outside of the plan that is made: its row, or, while `id` is absent, what names it. */
export interface OutsideCycle extends CycleRef {
  readonly nodeId: number;
  readonly workflowId: number;
  readonly timezone: string;
  readonly bizdate: Bizdate;
  readonly row?: { readonly planDay: string; readonly id: number };
}

export type OutsideNodes = ReadonlyMap<number, OutsideNode<OutsideCycle>>;

interface Scope {
  readonly workspaceId: number;
  readonly workflowId: number;
  readonly runGroupId: number;
  readonly timezone: string;
  readonly bizdate: Bizdate;
}

type CyclesOn = (nodeId: number, bizdate: string) => readonly OutsideCycle[] | undefined;

/**
 * Nodes by what the daily plan has of them around a business date, also where it is not made yet. `rowsOn`
 * knows what is planned already; that stands, whatever the version says now.
 */
export async function scheduledNodes(
  sql: Sql,
  { workspaceId, bizdate }: Pick<Scope, 'workspaceId' | 'bizdate'>,
  nodeIds: readonly number[],
  rowsOn: CyclesOn = () => undefined,
  foreseen?: ForeseenPlan,
): Promise<OutsideNodes> {
  const nodes = await loadScheduledNodes(sql, workspaceId, nodeIds, datesAround(bizdate), foreseen);
  const calendars = await calendarsOfNodes(sql, workspaceId, nodes);
  const days = new Map<number, Map<string, ScheduledNode>>();
  const found = new Map<number, OutsideNode<OutsideCycle>>();
  const known: KnownCycles = { calendars, schedules: new Map() };
  for (const node of nodes) {
    const own = days.get(node.nodeId) ?? new Map<string, ScheduledNode>();
    days.set(node.nodeId, own);
    own.set(node.bizdate, node);
    const made = new Map<string, readonly OutsideCycle[]>();
    found.set(node.nodeId, {
      selfDependent: node.selfDependent,
      timezone: node.timezone,
      cyclesOn: (day) => {
        const cycles =
          made.get(day) ?? rowsOn(node.nodeId, day) ?? cyclesOfNode(own.get(day), known);
        made.set(day, cycles);
        return cycles;
      },
    });
  }
  return found;
}

interface KnownCycles {
  readonly calendars: ReadonlyMap<string, BusinessCalendar>;
  /** Keeps what was worked out: thousands of nodes share a schedule, and zones are slow to ask. */
  readonly schedules: Map<string, readonly Cycle[]>;
}

function cyclesOfNode(
  node: ScheduledNode | undefined,
  { calendars, schedules }: KnownCycles,
): OutsideCycle[] {
  if (node?.isScheduled !== true) return [];
  const { nodeId, workflowId, timezone, cron, period, calendar } = node;
  const bizdate = node.bizdate as Bizdate;
  const { dst_policy: policy, effective_from: from, effective_to: to } = node;
  const key = JSON.stringify([bizdate, timezone, policy, cron, period, from, to, calendar]);
  const cycles =
    schedules.get(key) ?? cyclesOf(plannedSchedule(node, timezone, calendars), bizdate);
  schedules.set(key, cycles);
  return outsideCycles({ nodeId, workflowId, timezone, bizdate }, cycles);
}

/** Cycles of a node on one business date. */
export function outsideCycles(
  node: Omit<OutsideCycle, 'periodNo' | 'scheduledAt'>,
  cycles: readonly Cycle[],
): OutsideCycle[] {
  return cycles.map(({ periodNo, scheduledAt }) => ({ ...node, periodNo, scheduledAt }));
}

/** As {@link scheduledNodes}, with the rows that the scheduled run group has of them already. */
export async function plannedNodes(
  sql: Sql,
  scope: Scope,
  nodeIds: readonly number[],
  foreseen?: ForeseenPlan,
): Promise<OutsideNodes> {
  const rows = await rowsOf(sql, scope, nodeIds, datesAround(scope.bizdate));
  const rowsOn: CyclesOn = (nodeId, day) =>
    foreseen?.bizdate === day && foreseen.nodes.has(nodeId)
      ? foreseenOn(foreseen, scope, nodeId)
      : rows.get(`${nodeId} ${day}`);
  return await scheduledNodes(sql, scope, nodeIds, rowsOn, foreseen);
}

function foreseenOn(
  { nodes, bizdate, planDay }: ForeseenPlan,
  { workflowId, timezone }: Scope,
  nodeId: number,
): OutsideCycle[] | undefined {
  const cycles = nodes.get(nodeId) ?? [];
  if (cycles.length === 0) return undefined;
  return cycles.map(({ id, periodNo, scheduledAt }) => ({
    nodeId,
    workflowId,
    timezone,
    bizdate,
    periodNo,
    scheduledAt,
    row: { planDay, id },
  }));
}

/**
 * Nodes by the rows that a test run or a backfill has of them from the business date before. What is not in
 * its scope is not waited for (engine rule 8).
 */
export async function nodesOfRunGroup(
  sql: Sql,
  scope: Scope,
  nodes: readonly { readonly nodeId: number; readonly selfDependent: boolean }[],
): Promise<OutsideNodes> {
  const bizdate = plusDays(scope.bizdate, -1);
  const ids = nodes.map((node) => node.nodeId);
  const rows = await rowsOf(sql, scope, ids, [bizdate]);
  return new Map(
    nodes.map(({ nodeId, selfDependent }) => [
      nodeId,
      {
        selfDependent,
        timezone: scope.timezone,
        cyclesOn: (day) => rows.get(`${nodeId} ${day}`) ?? [],
      },
    ]),
  );
}

/** By node and business date. */
async function rowsOf(
  sql: Sql,
  { workspaceId, workflowId, runGroupId, timezone }: Scope,
  nodeIds: readonly number[],
  bizdates: readonly Bizdate[],
): Promise<Map<string, OutsideCycle[]>> {
  const cycles = new Map<string, OutsideCycle[]>();
  for (const row of await findCycles(sql, runGroupId, workspaceId, nodeIds, bizdates)) {
    const { nodeId, periodNo, scheduledAt, planDay, id } = row;
    const bizdate = row.bizdate as Bizdate;
    const key = `${nodeId} ${bizdate}`;
    const own = cycles.get(key) ?? [];
    cycles.set(key, own);
    own.push({
      nodeId,
      workflowId,
      timezone,
      bizdate,
      periodNo,
      scheduledAt,
      row: { planDay, id },
    });
  }
  return cycles;
}
