import type { Invariant } from './invariant.js';

/**
 * The unique keys of the partitions hold within one plan day only, because a key of a partitioned table
 * has to contain what it is partitioned by: a cycle planned on two days would pass them.
 */
export const ONE_ROW: Invariant = {
  id: 'I1',
  name: 'one row',
  says: 'A node has one instance in a run group for each scheduled time and path, and a workflow one run for each business date.',
  violations: `
    SELECT 'inst' AS kind, plan_day, id,
           format('node %s has %s instances at %s in run group %s', node_id, times, scheduled_at,
                  run_group_id) AS detail
      FROM (SELECT plan_day, id, node_id, scheduled_at, run_group_id,
                   count(*) OVER (PARTITION BY run_group_id, node_id, scheduled_at, path) AS times
              FROM node_instance) i
     WHERE times > 1
    UNION ALL
    SELECT 'run', plan_day, id,
           format('workflow %s has %s runs of %s in run group %s', workflow_id, times, bizdate, run_group_id)
      FROM (SELECT plan_day, id, workflow_id, bizdate, run_group_id,
                   count(*) OVER (PARTITION BY run_group_id, workflow_id, bizdate) AS times
              FROM workflow_instance) w
     WHERE times > 1`,
};
