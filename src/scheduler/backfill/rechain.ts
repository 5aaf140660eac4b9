import { type Bizdate, plusDays } from '../../domain/calendar/bizdate.js';
import type { Sql } from '../../store/database.js';
import { findLastBefore, type LastBefore } from '../../store/sql/find-last-before.sql.js';
import type { DatePlan } from './date-plan.js';

/**
 * What is left of a day's plan, with the self-dependence of nodes whose first cycles were left out: the first
 * that is kept waits for the latest cycle before it, as the first of a whole day does.
 */
export async function rechain(sql: Sql, whole: DatePlan, kept: DatePlan): Promise<DatePlan> {
  if (kept.instances.length === whole.instances.length) return kept;
  const chained = new Map(
    [...whole.edges, ...whole.outerEdges]
      .filter(({ kind }) => kind === 'self_previous')
      .map((edge) => [whole.instances[edge.downstream]?.nodeId, edge.inheritsDryRun]),
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
  const dayBefore = plusDays(whole.bizdate as Bizdate, -1);
  const last: LastBefore[] = [];
  for (const { workflowId, versionId } of whole.versions) {
    const firsts = cut.flatMap(([nodeId, place]) => {
      const first = kept.instances[place];
      return first?.versionId === versionId ? [{ nodeId, before: first.scheduledAt }] : [];
    });
    last.push(...(await findLastBefore(sql, { ...whole, workflowId, dayBefore }, firsts)));
  }
  const found = last.flatMap(({ nodeId, planDay, id }) => {
    const downstream = heads.get(nodeId);
    return downstream === undefined
      ? []
      : [
          {
            downstream,
            kind: 'self_previous' as const,
            inheritsDryRun: chained.get(nodeId) ?? null,
            upstream: { planDay, id },
          },
        ];
  });
  return { ...kept, outerEdges: [...kept.outerEdges, ...found] };
}
