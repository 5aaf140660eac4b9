import type { Invariant } from './invariant.js';

/**
 * Removed edges bind nobody. A cancelled instance never started, and set success is somebody's word that
 * it need not have.
 */
export const UPSTREAMS_FIRST: Invariant = {
  id: 'I3',
  name: 'upstreams first',
  says: 'Nothing goes on from waiting for its upstreams before all edges that were not removed are satisfied.',
  violations: `
    SELECT 'inst' AS kind, i.plan_day, i.id,
           format('it is %s and %s of its edges are not satisfied', i.status, count(*)) AS detail
      FROM node_instance i
      JOIN instance_edge e ON e.plan_day = i.plan_day AND e.downstream_id = i.id
     WHERE NOT e.removed AND e.outcome IN ('open', 'failed')
       AND i.status NOT IN ('waiting_upstream', 'cancelled')
       AND NOT (i.status = 'succeeded' AND i.reason IS NOT DISTINCT FROM 'set_success')
     GROUP BY i.plan_day, i.id, i.status`,
};
