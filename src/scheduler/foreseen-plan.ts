import type { Bizdate } from '../domain/calendar/bizdate.js';
import type { CycleRef } from '../domain/graph/match-cycles.js';
import type { LastBefore } from '../store/sql/find-last-before.sql.js';

/** A cycle of the plan to be. `id` is below 0 while it has no row. */
export interface ForeseenCycle extends CycleRef {
  readonly id: number;
}

/**
 * One workflow's part of a daily plan as a patch is going to leave it, for whoever works out what depends
 * on it before that is written.
 */
export interface ForeseenPlan {
  readonly versionId: number;
  readonly planDay: string;
  readonly bizdate: Bizdate;
  /** Every node of the workflow that has or had cycles in it; ascending by time. */
  readonly nodes: ReadonlyMap<number, readonly ForeseenCycle[]>;
  /** Ids of the rows that are there and will not be. */
  readonly cancelled: readonly number[];
}

/**
 * What each node waits for as its previous cycle, by the plan to be. `found`: by the rows that are there,
 * without those that will not be.
 */
export function lastForeseen(
  { nodes, planDay, bizdate }: ForeseenPlan,
  { dayBefore }: { readonly dayBefore: string },
  firsts: readonly { readonly nodeId: number; readonly before: Date }[],
  found: readonly LastBefore[],
): Pick<LastBefore, 'nodeId' | 'planDay' | 'id'>[] {
  const rows = new Map(found.map((each) => [each.nodeId, each]));
  return firsts.flatMap(({ nodeId, before }) => {
    const row = rows.get(nodeId);
    const isDateBefore = dayBefore === bizdate;
    const last = (nodes.get(nodeId) ?? [])
      .filter(({ id, scheduledAt }) => id < 0 && (isDateBefore || scheduledAt < before))
      .at(-1);
    if (last === undefined) return row === undefined ? [] : [row];
    const foreseen = { nodeId, planDay, id: last.id };
    if (row === undefined) return [foreseen];
    const isNearer = isDateBefore
      ? row.from !== 'date before' || last.scheduledAt > row.scheduledAt
      : row.from === 'any group' ||
        (row.from === 'run group' && last.scheduledAt > row.scheduledAt);
    return [isNearer ? foreseen : row];
  });
}
