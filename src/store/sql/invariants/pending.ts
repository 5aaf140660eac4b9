import { NOT_STARTED_STATUSES } from '../../../domain/instance/status.js';
import { type Invariant, statusList } from './invariant.js';

/**
 * The second half is "no lost wake-up": an edge that is open although its upstream has succeeded keeps its
 * child waiting for ever. Once an instance has started, its edges stay as they were (`attempt` counts the
 * executions of this run, and a lost one may have put it back into the queue).
 */
export const PENDING: Invariant = {
  id: 'I5',
  name: 'pending',
  says: '`pending` is the number of edges that are neither satisfied nor removed, and the edges into what has not started say what their upstreams are.',
  violations: `
    SELECT 'inst' AS kind, i.plan_day, i.id,
           format('pending is %s, unsatisfied edges are %s', i.pending, coalesce(e.open, 0) + coalesce(a.open, 0)) AS detail
      FROM node_instance i
      LEFT JOIN (SELECT plan_day, downstream_id, count(*) AS open FROM instance_edge
                  WHERE NOT removed AND outcome IN ('open', 'failed')
                  GROUP BY plan_day, downstream_id) e
        ON e.plan_day = i.plan_day AND e.downstream_id = i.id
      LEFT JOIN (SELECT plan_day, downstream_id, count(*) AS open FROM awaited_edge
                  WHERE NOT forced GROUP BY plan_day, downstream_id) a
        ON a.plan_day = i.plan_day AND a.downstream_id = i.id
     WHERE i.pending <> coalesce(e.open, 0) + coalesce(a.open, 0)
    UNION ALL
    SELECT 'inst', d.plan_day, d.id,
           format('the edge from %s says %s, which is %s', u.id, e.outcome, u.status)
      FROM instance_edge e
      JOIN node_instance d ON d.plan_day = e.plan_day AND d.id = e.downstream_id
      JOIN node_instance u ON u.plan_day = e.upstream_plan_day AND u.id = e.upstream_id
     WHERE NOT e.removed AND d.attempt = 0 AND d.status IN (${statusList(NOT_STARTED_STATUSES)})
       AND e.outcome <> CASE u.status
             WHEN 'succeeded' THEN CASE WHEN u.reason = 'skipped' THEN 'skipped' ELSE 'success' END
             WHEN 'failed' THEN 'failed' WHEN 'cancelled' THEN 'failed' ELSE 'open' END`,
};
