/** Which instances of a workspace a list, its facets or the timeline are about. Absent: all. */
export interface InstanceMatch {
  readonly workspaceId: number;
  readonly bizdate?: string | undefined;
  /** Wall clock, half open: what may run before `to` and has not ended before `from`. */
  readonly window?: { readonly from: Date; readonly to: Date } | undefined;
  readonly workflows?: readonly WorkflowName[] | undefined;
  readonly nodeTypes?: readonly string[] | undefined;
  readonly resourceGroups?: readonly string[] | undefined;
  readonly runGroupKinds?: readonly string[] | undefined;
  readonly runGroupId?: number | undefined;
  /** Text in the name of the node or of its workflow, whatever its case. */
  readonly text?: string | undefined;
}

/** A workflow by its row number or by its name. */
export type WorkflowName = number | string;

/** The values of a statement while it is being put together. */
export class Values {
  readonly list: unknown[] = [];

  /** Keeps `value` and gives the placeholder that stands for it. */
  add(value: unknown): string {
    this.list.push(value);
    return `$${this.list.length}`;
  }
}

/**
 * The WHERE of `match` for `node_instance i`, without its plan days. Only conditions that were asked for
 * are in it: `$1 IS NULL OR …` would keep every one of them from its index.
 */
export function conditionsOf(match: InstanceMatch, values: Values): string {
  const workspace = values.add(match.workspaceId);
  const conditions = [`i.workspace_id = ${workspace}`];
  const { workflows, nodeTypes, resourceGroups, runGroupKinds, runGroupId, text } = match;
  if (match.bizdate !== undefined)
    conditions.push(`i.bizdate = ${values.add(match.bizdate)}::date`);
  if (nodeTypes !== undefined)
    conditions.push(`i.node_type = ANY(${values.add(nodeTypes)}::text[])`);
  if (workflows !== undefined) {
    const ids = values.add(workflows.filter((each) => typeof each === 'number'));
    const names = values.add(workflows.filter((each) => typeof each === 'string'));
    conditions.push(`i.workflow_id = ANY(ARRAY(SELECT id FROM workflow WHERE workspace_id = ${workspace}
      AND (id = ANY(${ids}::bigint[]) OR name = ANY(${names}::text[]))))`);
  }
  if (resourceGroups !== undefined)
    conditions.push(`i.resource_group_id = ANY(ARRAY(SELECT id FROM resource_group
      WHERE name = ANY(${values.add(resourceGroups)}::text[])))`);
  if (runGroupKinds !== undefined)
    conditions.push(`i.run_group_id = ANY(ARRAY(SELECT id FROM run_group
      WHERE workspace_id = ${workspace} AND kind = ANY(${values.add(runGroupKinds)}::text[])))`);
  if (runGroupId !== undefined)
    conditions.push(`i.run_group_id = ${values.add(runGroupId)}::bigint`);
  if (text !== undefined) {
    const part = values.add(text);
    conditions.push(`i.node_id = ANY(ARRAY(SELECT n.id FROM node n JOIN workflow w ON w.id = n.workflow_id
      WHERE w.workspace_id = ${workspace}
        AND (strpos(lower(n.name), lower(${part})) > 0 OR strpos(lower(w.name), lower(${part})) > 0)))`);
  }
  return conditions.join('\n        AND ');
}
