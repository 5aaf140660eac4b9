import { nearestName } from '../config/spelling.js';
import type { RegisteredCode } from '../domain/error-registry.js';
import { MillraceError } from '../domain/errors.js';
import { checkGraph } from '../domain/graph/check-graph.js';
import type { Sql } from '../store/database.js';
import {
  type ForeignNode,
  loadForeignChildren,
  loadForeignNodes,
} from '../store/sql/load-foreign-nodes.sql.js';
import {
  loadInputsOfMissing,
  loadNamedEdges,
  loadNeedsOfMissing,
  loadWorkflowLinks,
} from '../store/sql/load-workflow-links.sql.js';
import { foreignNeedsOf, needsOf, parentsOf } from './needs-of.js';
import { namedOutputsOf, type WorkflowSpec } from './workflow-spec.js';

/** The workflow whose dependencies are checked. */
export interface DependentWorkflow {
  readonly id: number;
  readonly workspaceId: number;
  readonly name: string;
}

export interface DependencyProblem {
  readonly code: RegisteredCode;
  /** Where it is written: `/nodes/3/needs/0`. */
  readonly pointer: string;
  readonly detail: string;
}

/** The upstreams in other workflows, also the children that a node waits for, by `workflow/node`. */
export type ForeignNodes = ReadonlyMap<string, ForeignNode>;

export async function foreignNodesOf(
  sql: Sql,
  workflow: DependentWorkflow,
  spec: WorkflowSpec,
): Promise<ForeignNodes> {
  const needs = foreignNeedsOf(spec, workflow.name);
  const names = new Map(needs.map((need) => [`${need.workflow}/${need.node}`, need]));
  const found = await loadForeignNodes(sql, workflow.workspaceId, [...names.values()]);
  const nodes = new Map(found.map((each) => [`${each.workflow}/${each.node}`, each]));
  for (const child of await loadForeignChildren(sql, workflow.id, parentsOf(spec))) {
    const name = `${child.workflow}/${child.node}`;
    nodes.set(name, { ...(nodes.get(name) ?? child), parents: child.parents });
  }
  return nodes;
}

/** What is wrong with the dependencies on other workflows, and with what those need of this one. */
export async function dependencyProblems(
  sql: Sql,
  workflow: DependentWorkflow,
  spec: WorkflowSpec,
  foreign: ForeignNodes,
): Promise<DependencyProblem[]> {
  const unknown = foreignNeedsOf(spec, workflow.name).flatMap((need) => {
    const problem = problemOf(foreign.get(`${need.workflow}/${need.node}`));
    return problem === undefined ? [] : [{ ...problem, pointer: need.pointer }];
  });
  const offers = unknown.some(({ code }) => code === 'MR-S120')
    ? await sql.rows<{ name: string }>(`SELECT name FROM workflow WHERE workspace_id = $1`, [
        workflow.workspaceId,
      ])
    : [];
  const names = offers.map(({ name }) => name);
  const circle = unknown.length > 0 ? undefined : await circleOf(sql, workflow, spec, foreign);
  return [
    ...unknown.map(({ code, pointer, detail, name }) => {
      const near = name === undefined ? undefined : nearestName(name, names);
      const offer = near === undefined ? '' : ` Did you mean "${near}"?`;
      return { code, pointer, detail: `${detail}${offer}` };
    }),
    ...(circle === undefined ? [] : [circle]),
    ...(await neededElsewhere(sql, workflow, spec)),
    ...(await takenElsewhere(sql, workflow, spec)),
  ];
}

function problemOf(
  found: ForeignNode | undefined,
): { code: RegisteredCode; detail: string; name?: string } | undefined {
  if (found === undefined) return undefined;
  const { workflow, node, workflowId, firstBizdate, nodeId } = found;
  if (workflowId === null) {
    const detail = `There is no workflow "${workflow}" in the workspace.`;
    return { code: 'MR-S120', detail, name: workflow };
  }
  if (firstBizdate === null) {
    return { code: 'MR-S120', detail: `The workflow "${workflow}" was never submitted.` };
  }
  if (nodeId !== null) return undefined;
  const detail = `The latest version of "${workflow}" has no node "${node}".`;
  return { code: 'MR-S121', detail };
}

/** A path through other workflows that comes back to where it began; the edges of one are its own check. */
async function circleOf(
  sql: Sql,
  workflow: DependentWorkflow,
  spec: WorkflowSpec,
  foreign: ForeignNodes,
): Promise<DependencyProblem | undefined> {
  const needs = foreignNeedsOf(spec, workflow.name).filter(({ cycle }) => cycle === 'same');
  if (needs.length === 0) return undefined;
  const links = await loadWorkflowLinks(sql, workflow.workspaceId);
  const above = new Set<number>();
  for (const { workflow: name, node } of needs) {
    const id = foreign.get(`${name}/${node}`)?.workflowId;
    if (id !== null && id !== undefined) above.add(id);
  }
  for (const id of above) {
    if (id === workflow.id) continue;
    for (const link of links) if (link.downstream === id) above.add(link.upstream);
  }
  if (!above.has(workflow.id)) return undefined;
  above.delete(workflow.id);
  const edges = await loadNamedEdges(sql, workflow.workspaceId, [...above]);
  for (const node of spec.nodes) {
    for (const need of needsOf(node, workflow.name)) {
      if (need.cycle !== 'same') continue;
      const from = `${need.workflow ?? workflow.name}/${need.node}`;
      edges.push({ from, to: `${workflow.name}/${node.id}` });
    }
  }
  try {
    checkGraph([...new Set(edges.flatMap(({ from, to }) => [from, to]))], edges);
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'MR-S101') throw error;
    return { code: 'MR-S122', pointer: needs[0]?.pointer ?? '/nodes', detail: error.detail };
  }
  return undefined;
}

async function neededElsewhere(
  sql: Sql,
  workflow: DependentWorkflow,
  spec: WorkflowSpec,
): Promise<DependencyProblem[]> {
  const names = spec.nodes.map((node) => node.id);
  const missing = await loadNeedsOfMissing(sql, workflow.id, names);
  return missing.map(({ node, neededBy }) => ({
    code: 'MR-S123',
    pointer: '/nodes',
    detail: `"${node}" is needed by ${neededBy}.`,
  }));
}

/** Of nodes that stay: one that goes is what {@link neededElsewhere} tells. */
async function takenElsewhere(
  sql: Sql,
  workflow: DependentWorkflow,
  spec: WorkflowSpec,
): Promise<DependencyProblem[]> {
  const declared = spec.nodes.flatMap((node) =>
    namedOutputsOf(node).map(({ name }) => ({ node: node.id, output: name })),
  );
  const missing = await loadInputsOfMissing(sql, workflow.id, declared);
  return missing.flatMap(({ node, output, takenBy }) => {
    const index = spec.nodes.findIndex(({ id }) => id === node);
    if (index < 0) return [];
    const detail = `Output "${output}" of "${node}" is taken by ${takenBy}.`;
    return [{ code: 'MR-S184', pointer: `/nodes/${index}/outputs`, detail }];
  });
}
