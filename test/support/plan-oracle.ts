import type { Sql } from '../../src/store/database.js';

/** What a plan should have by what the versions in effect on its date say, and whether it has it. */
const DIFFERENCES = `
  WITH effective AS (
    SELECT DISTINCT ON (p.timezone, p.bizdate, v.workflow_id)
           p.timezone, p.bizdate, v.id AS version_id, v.workflow_id
      FROM plan p
      JOIN workflow w ON w.workspace_id = p.workspace_id AND w.scheduled
      JOIN workflow_version v
        ON v.workflow_id = w.id AND v.timezone = p.timezone AND v.first_bizdate <= p.bizdate
     ORDER BY p.timezone, p.bizdate, v.workflow_id, v.version DESC),
  planned AS (
    SELECT i.* FROM node_instance i
      JOIN run_group g ON g.id = i.run_group_id AND g.kind = 'scheduled'),
  wanted_instance AS (
    SELECT e.bizdate, nv.node_id FROM effective e JOIN node_version nv ON nv.version_id = e.version_id),
  wanted_edge AS (
    SELECT e.bizdate, d.upstream_node_id AS up, d.downstream_node_id AS down
      FROM effective e JOIN edge d ON d.version_id = e.version_id),
  found_edge AS (
    SELECT d.bizdate, u.node_id AS up, d.node_id AS down
      FROM planned d
      JOIN instance_edge e ON e.plan_day = d.plan_day AND e.downstream_id = d.id
      JOIN node_instance u ON u.plan_day = e.upstream_plan_day AND u.id = e.upstream_id)
  SELECT 'instance missing: ' || to_jsonb(x)::text AS text
    FROM (SELECT * FROM wanted_instance EXCEPT ALL SELECT bizdate, node_id FROM planned) x
  UNION ALL SELECT 'instance too many: ' || to_jsonb(x)::text
    FROM (SELECT bizdate, node_id FROM planned EXCEPT ALL SELECT * FROM wanted_instance) x
  UNION ALL SELECT 'edge missing: ' || to_jsonb(x)::text
    FROM (SELECT * FROM wanted_edge EXCEPT ALL SELECT * FROM found_edge) x
  UNION ALL SELECT 'edge too many: ' || to_jsonb(x)::text
    FROM (SELECT * FROM found_edge EXCEPT ALL SELECT * FROM wanted_edge) x`;

/**
 * What is in the daily plans and not in the versions that are in effect on their dates, or the other way round.
 * For nodes with one cycle a day that need each other in the same cycle of the same zone: those have one
 * instance a date, and one edge for each that is declared.
 */
export async function planDifferences(sql: Sql): Promise<string[]> {
  const rows = await sql.rows<{ text: string }>(DIFFERENCES);
  return rows.map(({ text }) => text).sort();
}
