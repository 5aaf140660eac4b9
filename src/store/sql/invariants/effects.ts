import { FINAL_STATUSES, HELD_STATUSES } from '../../../domain/instance/status.js';
import { type Invariant, statusList } from './invariant.js';

/**
 * The store's half of "a target has the rows of a run exactly when the run has succeeded". The other half
 * is the ledger in the target; what keeps the ledger's row there between two attempts is `open_run`.
 */
export const EFFECTS: Invariant = {
  id: 'I8',
  name: 'effects',
  says: 'A run that needs a worker has succeeded exactly when one of its attempts has; one that is not over and has had an attempt stays known to the ledger.',
  violations: `
    SELECT 'inst' AS kind, i.plan_day, i.id,
           format('run %s has succeeded without an attempt that did', i.run_number) AS detail
      FROM node_instance i
     WHERE i.status = 'succeeded' AND NOT i.dry_run AND i.slots > 0
       AND i.reason IS DISTINCT FROM 'set_success'
       AND NOT EXISTS (SELECT FROM attempt a WHERE a.plan_day = i.plan_day AND a.instance_id = i.id
                          AND a.run_number = i.run_number AND a.state = 'succeeded')
    UNION ALL
    SELECT 'inst', i.plan_day, i.id,
           format('attempt %s of run %s has succeeded and the run is %s', a.epoch, a.run_number, i.status)
      FROM attempt a JOIN node_instance i ON i.plan_day = a.plan_day AND i.id = a.instance_id
            AND i.run_number = a.run_number
     WHERE a.state = 'succeeded' AND i.status <> 'succeeded'
    UNION ALL
    SELECT 'inst', i.plan_day, i.id, 'it is between two attempts and not among the open runs'
      FROM node_instance i
     WHERE i.attempt > 0
       AND i.status NOT IN (${statusList([...FINAL_STATUSES, ...HELD_STATUSES])})
       AND NOT EXISTS (SELECT FROM open_run o WHERE o.instance_id = i.id)
    UNION ALL
    SELECT 'inst', i.plan_day, i.id, format('it is %s and among the open runs', i.status)
      FROM open_run o JOIN node_instance i ON i.id = o.instance_id
     WHERE i.status IN (${statusList(FINAL_STATUSES)})`,
};
