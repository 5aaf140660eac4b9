/** True for what the rule `r` looks at; the arguments are SQL for the ids of an instance. */
export function watches(workflowId: string, nodeId: string, resourceGroupId: string): string {
  return `CASE r.target WHEN 'all' THEN true
            WHEN 'resource_group' THEN r.resource_group_id = ${resourceGroupId}
            ELSE EXISTS (SELECT FROM alert_rule_target t WHERE t.rule_id = r.id AND t.workflow_id = ${workflowId}
                            AND (t.node_id IS NULL OR t.node_id = ${nodeId})) END`;
}

/** What an insert of alerts returns; their events are made of it. */
export interface NoticedAlert {
  readonly id: number;
  readonly workspaceId: number;
  readonly ruleId: number;
}

export const NOTICED = `RETURNING id, workspace_id AS "workspaceId", rule_id AS "ruleId"`;
