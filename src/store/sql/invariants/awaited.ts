import type { Invariant } from './invariant.js';

/**
 * What is in none of the small tables is never looked at again. That somebody does look, a scheduler and
 * workers, is no matter of the store.
 */
export const AWAITED: Invariant = {
  id: 'I6',
  name: 'awaited',
  says: 'Whatever waits is where it will be found: for an upstream by an open edge, for its time among the due, for a worker in the queue of its group.',
  violations: `
    SELECT * FROM (
      SELECT 'inst' AS kind, i.plan_day, i.id,
             CASE
               WHEN i.status = 'waiting_upstream' AND i.pending = 0
                 THEN 'it waits for upstreams and has no open edge'
               WHEN i.status IN ('waiting_time', 'retry_wait')
                AND NOT EXISTS (SELECT FROM due_instance d WHERE d.instance_id = i.id)
                 THEN format('it is %s and not among the due', i.status)
               WHEN i.status = 'waiting_resource' AND NOT i.frozen
                AND NOT EXISTS (SELECT FROM ready_instance r WHERE r.instance_id = i.id)
                 THEN 'it waits for a worker and is in no queue'
             END AS detail
        FROM node_instance i
       WHERE i.status IN ('waiting_upstream', 'waiting_time', 'waiting_resource', 'retry_wait')) w
     WHERE detail IS NOT NULL
    UNION ALL
    -- A claim passes over it and leaves it there: enough of them, and the group is given nothing more.
    SELECT 'inst', r.plan_day, r.instance_id,
           format('it is in the queue and %s', coalesce(i.status || CASE WHEN i.frozen THEN ', frozen'
                  ELSE '' END, 'not there'))
      FROM ready_instance r
      LEFT JOIN node_instance i ON i.plan_day = r.plan_day AND i.id = r.instance_id
     WHERE i.id IS NULL OR i.status <> 'waiting_resource' OR i.frozen`,
};
