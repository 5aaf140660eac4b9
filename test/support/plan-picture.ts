import type { Sql } from '../../src/store/database.js';

/** All instances, edges, due times and plans, without the ids that tell how they came to be there; sorted. */
export async function planPicture(database: Sql): Promise<string[]> {
  const instances = await database.rows<{ text: string }>(
    `SELECT format('%s/%s %s %s no %s %s, %s open, dry %s %s, frozen %s, priority %s, slots %s, version %s, %s',
              w.name, n.name, i.bizdate, i.scheduled_at, i.period_no, i.status, i.pending, i.dry_run,
              i.dry_run_reason, i.frozen, i.priority, i.slots, v.version, d.parameters) AS text
       FROM node_instance i JOIN node n ON n.id = i.node_id JOIN workflow w ON w.id = i.workflow_id
       JOIN workflow_version v ON v.id = i.version_id
       JOIN node_instance_detail d ON d.plan_day = i.plan_day AND d.instance_id = i.id`,
  );
  const edges = await database.rows<{ text: string }>(
    `SELECT format('%s/%s %s %s <- %s/%s %s %s %s %s %s', dw.name, dn.name, d.bizdate, d.scheduled_at,
              uw.name, un.name, u.bizdate, u.scheduled_at, e.kind, e.outcome, e.inherits_dry_run) AS text
       FROM instance_edge e
       JOIN node_instance d ON d.id = e.downstream_id JOIN node dn ON dn.id = d.node_id
       JOIN workflow dw ON dw.id = d.workflow_id
       LEFT JOIN node_instance u ON u.id = e.upstream_id LEFT JOIN node un ON un.id = u.node_id
       LEFT JOIN workflow uw ON uw.id = u.workflow_id
     UNION ALL
     SELECT format('%s/%s %s %s waits for %s/%s %s', dw.name, dn.name, d.bizdate, d.scheduled_at, uw.name,
              n.name, a.scheduled_at)
       FROM awaited_edge a JOIN node n ON n.id = a.upstream_node_id JOIN workflow uw ON uw.id = n.workflow_id
       JOIN node_instance d ON d.id = a.downstream_id JOIN node dn ON dn.id = d.node_id
       JOIN workflow dw ON dw.id = d.workflow_id`,
  );
  const due = await database.rows<{ text: string }>(
    `SELECT format('due %s/%s %s', w.name, n.name, due_at) AS text FROM due_instance u
       JOIN node_instance i ON i.id = u.instance_id JOIN node n ON n.id = i.node_id
       JOIN workflow w ON w.id = n.workflow_id`,
  );
  const plans = await database.rows<{ text: string }>(
    `SELECT format('%s %s: %s instances, %s edges, %s', timezone, bizdate, instances, edges, checksum) AS text
       FROM plan`,
  );
  return [...instances, ...edges, ...due, ...plans].map(({ text }) => text).sort();
}
