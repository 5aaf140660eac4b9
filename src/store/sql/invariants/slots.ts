import { USED_OF_GATE } from '../gates-of.js';
import type { Invariant } from './invariant.js';

/**
 * What is held now. A group or a gate that was made smaller while it was full breaks the rule until it has
 * emptied.
 */
export const SLOTS: Invariant = {
  id: 'I4',
  name: 'slots',
  says: 'Attempts that are held take no more slots than their resource group has, no gate has let through more than its capacity, and what a resource group schedules holds a scheduling slot there.',
  violations: `
    SELECT NULL AS kind, NULL::date AS plan_day, NULL::bigint AS id,
           format('resource group %s has %s slots and %s are taken', g.name, g.slots, r.slots) AS detail
      FROM (SELECT resource_group_id, sum(slots) AS slots FROM running_attempt
             GROUP BY resource_group_id) r
      JOIN resource_group g ON g.id = r.resource_group_id
     WHERE r.slots > g.slots
    UNION ALL
    SELECT NULL, NULL, NULL,
           format('gate %s has a capacity of %s and %s are through', gate.id, gate.capacity, ${USED_OF_GATE})
      FROM gate WHERE ${USED_OF_GATE} > gate.capacity
    UNION ALL
    SELECT 'inst', r.plan_day, r.instance_id,
           format('holds no scheduling slot of resource group %s', g.name)
      FROM running_attempt r
      JOIN attempt a ON a.plan_day = r.plan_day AND a.instance_id = r.instance_id AND a.epoch = r.epoch
      JOIN node_version v ON v.version_id = a.version_id AND v.node_id = r.node_id
      JOIN resource_group g ON g.id = v.scheduling_group_id
     WHERE NOT EXISTS (SELECT FROM gate WHERE gate.scope = 'scheduling'
                          AND gate.resource_group_id = g.id AND r.gate_ids @> ARRAY[gate.id])`,
};
