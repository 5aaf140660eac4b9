/**
 * The gates that instances of a node have to go through, as a query of one column `gate_id`. The parameters
 * are SQL expressions. Which data sources it uses says its latest submitted version: it is what runs.
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
            JOIN data_source ON data_source.id = gate.data_source_id
            JOIN workflow ON workflow.workspace_id = data_source.workspace_id
            JOIN node ON node.workflow_id = workflow.id
           WHERE node.id = ${of.node} AND data_source.name = ANY((
                   SELECT latest.data_sources FROM node_version latest
                    WHERE latest.node_id = node.id ORDER BY latest.version_id DESC LIMIT 1)::text[])`;
}

/** What is going through the gate `gate` now: slots of a node type, of all others instances. */
export const USED_OF_GATE = `(SELECT coalesce(sum(CASE gate.scope WHEN 'node_type' THEN through.slots ELSE 1 END), 0)::int
   FROM running_attempt through
  WHERE through.gate_ids <> '{}' AND through.gate_ids @> ARRAY[gate.id])`;
