import type { Sql } from '../database.js';
import { NOTICED, type NoticedAlert, watches } from './alert-watch.js';
import { LAST_SEEN } from './notice-absent-workers.sql.js';
import { STUCK } from './notice-paused-backfills.sql.js';
import { JUMPED } from './notice-jumped-plans.sql.js';
import { UNFINISHED } from './notice-unfinished.sql.js';

/** What keeps an open alert `a` of the rule `r` true. */
const STILL_TRUE = `CASE r.condition
  WHEN 'failed' THEN EXISTS (
    SELECT FROM node_instance i WHERE i.plan_day = a.plan_day AND i.id = a.instance_id
       AND i.status = 'failed' AND i.run_number = a.run_number)
  WHEN 'unfinished' THEN EXISTS (
    SELECT FROM workflow_instance wi
      JOIN run_group s ON s.id = wi.run_group_id AND s.kind = 'scheduled'
      JOIN node_instance i ON i.plan_day = wi.plan_day AND i.workflow_instance_id = wi.id
     WHERE wi.plan_day = a.plan_day AND i.plan_day = a.plan_day AND wi.workflow_id = a.workflow_id
       AND wi.bizdate = a.bizdate AND (a.node_id IS NULL OR i.node_id = a.node_id) AND ${UNFINISHED}
       AND ${watches('i.workflow_id', 'i.node_id', 'i.resource_group_id')})
  WHEN 'plan_missing' THEN NOT EXISTS (
    SELECT FROM plan p WHERE p.workspace_id = a.workspace_id AND p.timezone = a.timezone
       AND p.bizdate = a.bizdate AND p.revision > 0)
  WHEN 'plan_jump' THEN EXISTS (
    SELECT FROM plan p WHERE p.workspace_id = a.workspace_id AND p.timezone = a.timezone
       AND p.bizdate = a.bizdate AND ${JUMPED})
  WHEN 'backfill_paused' THEN EXISTS (
    SELECT FROM backfill b WHERE b.run_group_id = a.run_group_id AND ${STUCK} AND b.paused_at = a.since)
  ELSE EXISTS (
    SELECT FROM resource_group g WHERE g.id = a.resource_group_id AND ${LAST_SEEN} <= a.since) END`;

/** Closes the open alerts whose reason is gone: rerun, finished, planned, run, resumed, a worker is back. */
export async function closeEndedAlerts(tx: Sql, now: Date): Promise<NoticedAlert[]> {
  return await tx.rows<NoticedAlert>(
    `UPDATE alert SET state = 'closed', closed_at = $1, next_at = NULL
      WHERE id IN (SELECT a.id FROM alert a JOIN alert_rule r ON r.id = a.rule_id
                    WHERE a.state = 'open' AND NOT (${STILL_TRUE})
                    ORDER BY a.id FOR UPDATE OF a SKIP LOCKED)
     ${NOTICED}`,
    [now],
  );
}
