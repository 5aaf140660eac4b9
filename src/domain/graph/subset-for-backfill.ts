import { MillraceError } from '../errors.js';
import { downstreamClosure, upstreamClosure } from './closure.js';
import { topologicalOrder } from './topological-order.js';
import type { GraphEdge, WorkflowGraph } from './workflow-graph.js';

/**
 * Which nodes a backfill asks for, those of other workflows as `workflow/node`. `also` adds nodes; `except`
 * leaves out, whichever way they came in. Closures end at the border of a workflow unless `acrossWorkflows`.
 */
export type BackfillScope = (
  | { readonly mode: 'workflow' }
  | { readonly mode: 'nodes'; readonly nodes: readonly string[] }
  | {
      readonly mode: 'chain';
      readonly from: readonly string[];
      readonly to: readonly string[];
      readonly acrossWorkflows?: boolean | undefined;
    }
  | {
      readonly mode: 'all_downstream';
      readonly roots: readonly string[];
      readonly acrossWorkflows?: boolean | undefined;
    }
) & { readonly also?: readonly string[]; readonly except?: readonly string[] };

/** Nodes of several workflows; of one alone, `within` is `all`. */
export interface BackfillGraph {
  readonly all: WorkflowGraph;
  /** The same nodes, without the edges over the borders of workflows. */
  readonly within: WorkflowGraph;
  /** Of the workflow that is asked for. */
  readonly own: readonly string[];
}

export interface BackfillSubset {
  /** Upstream first. */
  readonly run: readonly string[];
  /** Not asked for, but between two nodes that run: a dry run keeps their order. Upstream first. */
  readonly dryRun: readonly string[];
  /** The edges among all of these. */
  readonly edges: readonly GraphEdge[];
}

/** Throws MR-A104 for a name that is not in the graph. */
export function subsetForBackfill(
  { all, within, own }: BackfillGraph,
  scope: BackfillScope,
): BackfillSubset {
  const except = known(all, scope.except ?? []);
  const asked = [...askedBy(crosses(scope) ? all : within, own, scope)]
    .concat([...known(all, scope.also ?? [])])
    .filter((node) => !except.has(node));
  const runs = new Set(asked);
  const below = downstreamClosure(all, asked);
  const above = upstreamClosure(all, asked);
  const run: string[] = [];
  const dryRun: string[] = [];
  const edges: GraphEdge[] = [];
  const isMember = (node: string): boolean => below.has(node) && above.has(node);
  for (const index of topologicalOrder(all).order) {
    const from = all.nameOf(index);
    if (!isMember(from)) continue;
    (runs.has(from) ? run : dryRun).push(from);
    for (const down of all.downstreamOf(index)) {
      const to = all.nameOf(down);
      if (isMember(to)) edges.push({ from, to });
    }
  }
  return { run, dryRun, edges };
}

/** Does it follow edges over the borders of workflows? */
export function crosses(scope: BackfillScope): boolean {
  return 'acrossWorkflows' in scope && scope.acrossWorkflows === true;
}

/** Every node that the scope names. */
export function namesIn(scope: BackfillScope): readonly string[] {
  const { also = [], except = [] } = scope;
  switch (scope.mode) {
    case 'workflow':
      return [...also, ...except];
    case 'nodes':
      return [...scope.nodes, ...also, ...except];
    case 'chain':
      return [...scope.from, ...scope.to, ...also, ...except];
    case 'all_downstream':
      return [...scope.roots, ...also, ...except];
  }
}

function askedBy(
  graph: WorkflowGraph,
  own: readonly string[],
  scope: BackfillScope,
): Iterable<string> {
  switch (scope.mode) {
    case 'workflow':
      return own;
    case 'nodes':
      return known(graph, scope.nodes);
    case 'chain': {
      const above = upstreamClosure(graph, known(graph, scope.to));
      const below = downstreamClosure(graph, known(graph, scope.from));
      return [...below].filter((node) => above.has(node));
    }
    case 'all_downstream':
      return downstreamClosure(graph, known(graph, scope.roots));
  }
}

function known(graph: WorkflowGraph, names: readonly string[]): ReadonlySet<string> {
  const missing = names.find((name) => !graph.has(name));
  if (missing !== undefined) throw new MillraceError('MR-A104', `there is no node "${missing}"`);
  return new Set(names);
}
