/**
 * The gates that instances of a node have to go through, as a query of one column `gate_id`. The parameters
 * are SQL expressions. Which data sources it uses and which group schedules it says its latest
 * submitted version: it is what runs.
 */
export function gatesOf(of: {
  readonly node: string;
  readonly nodeType: string;
  readonly resourceGroup: string;
}): string {
  return `SELECT gate.id AS gate_id FROM gate WHERE gate.node_id = ${of.node}
          UNION ALL
          SELECT gate.id FROM gate JOIN node ON node.workflow_id = gate.workflow_id WHERE node.id = ${of.node}
          UNION ALL
          SELECT gate.id FROM gate
           WHERE gate.resource_group_id = ${of.resourceGroup} AND gate.node_type = ${of.nodeType}
          UNION ALL
          SELECT gate.id FROM gate
           WHERE gate.scope = 'scheduling' AND gate.resource_group_id = (
                   SELECT latest.scheduling_group_id FROM node_version latest
                    WHERE latest.node_id = ${of.node} ORDER BY latest.version_id DESC LIMIT 1)
          UNION ALL
          SELECT gate.id FROM gate
            JOIN data_source ON data_source.id = gate.data_source_id
            JOIN workflow ON workflow.workspace_id = data_source.workspace_id
            JOIN node ON node.workflow_id = workflow.id
           WHERE node.id = ${of.node} AND data_source.name = ANY((
                   SELECT latest.data_sources FROM node_version latest
                    WHERE latest.node_id = node.id ORDER BY latest.version_id DESC LIMIT 1)::text[])`;
}

/** The gate in whose lane a row `ready` of `ready_instance` waits; 0: it has none to go through. */
export function laneOf(ready: string): string {
  return `coalesce((SELECT min(gate_id) FROM (${gatesOf({
    node: `${ready}.node_id`,
    nodeType: `${ready}.node_type`,
    resourceGroup: `${ready}.resource_group_id`,
  })}) g), 0)`;
}

/** What is going through the gate `gate` now: slots of a node type, of all others instances. */
export const USED_OF_GATE = `(SELECT coalesce(sum(CASE gate.scope WHEN 'node_type' THEN through.slots ELSE 1 END), 0)::int
   FROM running_attempt through
  WHERE through.gate_ids <> '{}' AND through.gate_ids @> ARRAY[gate.id])`;

/** How much more the gate `gate` lets through. A resource group that drains schedules nothing new. */
export const ROOM_OF_GATE = `(CASE WHEN gate.scope = 'scheduling' AND EXISTS (
     SELECT FROM resource_group g WHERE g.id = gate.resource_group_id AND g.draining)
   THEN 0 ELSE gate.capacity - ${USED_OF_GATE} END)`;

/** How much more of backfills the gate `gate` lets through; null: as much as of others. One always goes. */
export const BACKFILL_ROOM_OF_GATE = `(CASE WHEN gate.scope = 'scheduling' THEN (
     SELECT greatest(0, greatest(1, gate.capacity * g.backfill_share / 100) - (
              SELECT count(*) FROM running_attempt through
               WHERE through.gate_ids <> '{}' AND through.gate_ids @> ARRAY[gate.id]
                 AND through.backfill_id > 0))
       FROM resource_group g WHERE g.id = gate.resource_group_id)::int END)`;
