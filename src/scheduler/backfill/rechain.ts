import { type Bizdate, plusDays } from '../../domain/calendar/bizdate.js';
import type { Sql } from '../../store/database.js';
import { findLastBefore } from '../../store/sql/find-last-before.sql.js';
import type { WorkflowPlan } from '../../store/sql/insert-plan.sql.js';

/**
 * What is left of a day's plan, with the self-dependence of nodes whose first cycles were left out: the first
 * that is kept waits for the latest cycle before it, as the first of a whole day does.
 */
export async function rechain(
  sql: Sql,
  whole: WorkflowPlan,
  kept: WorkflowPlan,
): Promise<WorkflowPlan> {
  if (kept.instances.length === whole.instances.length) return kept;
  const chained = new Set(
    [...whole.edges, ...whole.outerEdges]
      .filter(({ kind }) => kind === 'self_previous')
      .map(({ downstream }) => whole.instances[downstream]?.nodeId),
  );
  const heads = new Map<number, number>();
  for (const [place, { nodeId, dryRun }] of kept.instances.entries())
    if (chained.has(nodeId) && !heads.has(nodeId) && !dryRun) heads.set(nodeId, place);
  const waiting = new Set(
    [...kept.edges, ...kept.outerEdges]
      .filter(({ kind }) => kind === 'self_previous')
      .map(({ downstream }) => downstream),
  );
  const cut = [...heads].filter(([, place]) => !waiting.has(place));
  const firsts = cut.flatMap(([nodeId, place]) => {
    const before = kept.instances[place]?.scheduledAt;
    return before === undefined ? [] : [{ nodeId, before }];
  });
  const dayBefore = plusDays(whole.bizdate as Bizdate, -1);
  const last = await findLastBefore(sql, { ...whole, dayBefore }, firsts);
  const found = last.flatMap(({ nodeId, planDay, id }) => {
    const downstream = heads.get(nodeId);
    return downstream === undefined
      ? []
      : [
          {
            downstream,
            kind: 'self_previous' as const,
            inheritsDryRun: null,
            upstream: { planDay, id },
          },
        ];
  });
  return { ...kept, outerEdges: [...kept.outerEdges, ...found] };
}
