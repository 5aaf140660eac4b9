import { HELD_STATUSES } from '../../../domain/instance/status.js';
import { type Invariant, statusList } from './invariant.js';

/** Who may speak for an instance is one attempt, and the four tables that know of it agree. */
export const ONE_ATTEMPT: Invariant = {
  id: 'I2',
  name: 'one attempt',
  says: 'At most one attempt of a run is accepted; an attempt is open exactly while a worker holds its instance under the same epoch; fences rise with the epochs.',
  violations: `
    SELECT 'inst' AS kind, plan_day, instance_id AS id,
           format('run %s has %s accepted attempts', run_number, count(*)) AS detail
      FROM attempt WHERE state = 'succeeded'
     GROUP BY plan_day, instance_id, run_number HAVING count(*) > 1
    UNION ALL
    SELECT 'inst', a.plan_day, a.instance_id, format('attempt %s is %s and nobody holds it', a.epoch, a.state)
      FROM attempt a
     WHERE a.state IN ('dispatched', 'running')
       AND NOT EXISTS (SELECT FROM running_attempt r
                        WHERE r.instance_id = a.instance_id AND r.plan_day = a.plan_day
                          AND r.epoch = a.epoch AND r.worker_id = a.worker_id)
    UNION ALL
    SELECT 'inst', r.plan_day, r.instance_id,
           format('worker %s holds attempt %s, which is %s', r.worker_id, r.epoch,
                  coalesce(a.state, 'not there'))
      FROM running_attempt r
      LEFT JOIN attempt a ON a.plan_day = r.plan_day AND a.instance_id = r.instance_id
            AND a.epoch = r.epoch
     WHERE a.state IS NULL OR a.state NOT IN ('dispatched', 'running')
        OR a.worker_id <> r.worker_id OR a.fence <> r.fence
    UNION ALL
    SELECT 'inst', r.plan_day, r.instance_id,
           format('attempt %s is held, the instance is %s under epoch %s', r.epoch,
                  coalesce(i.status, 'not there'), i.epoch)
      FROM running_attempt r
      LEFT JOIN node_instance i ON i.plan_day = r.plan_day AND i.id = r.instance_id
     WHERE i.id IS NULL OR i.epoch <> r.epoch OR i.status NOT IN (${statusList(HELD_STATUSES)})
    UNION ALL
    SELECT 'inst', i.plan_day, i.id, format('it is %s and no worker holds it', i.status)
      FROM node_instance i
     WHERE i.status IN (${statusList(HELD_STATUSES)})
       AND NOT EXISTS (SELECT FROM running_attempt r WHERE r.instance_id = i.id)
    UNION ALL
    SELECT 'inst', a.plan_day, a.instance_id,
           format('attempt %s is later than epoch %s of the instance', a.epoch, i.epoch)
      FROM attempt a JOIN node_instance i ON i.plan_day = a.plan_day AND i.id = a.instance_id
     WHERE a.epoch > i.epoch
    UNION ALL
    SELECT 'inst', plan_day, instance_id, format('attempt %s has no higher fence than the one before', epoch)
      FROM (SELECT plan_day, instance_id, epoch,
                   fence <= lag(fence) OVER (PARTITION BY plan_day, instance_id ORDER BY epoch) AS falls
              FROM attempt) f
     WHERE falls`,
};
