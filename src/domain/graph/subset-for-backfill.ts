import { MillraceError } from '../errors.js';
import { downstreamClosure, upstreamClosure } from './closure.js';
import { topologicalOrder } from './topological-order.js';
import type { GraphEdge, WorkflowGraph } from './workflow-graph.js';

/** Which nodes a backfill asks for. `also` adds nodes; `except` leaves out, whichever way they came in. */
export type BackfillScope = (
  | { readonly mode: 'workflow' }
  | { readonly mode: 'nodes'; readonly nodes: readonly string[] }
  | { readonly mode: 'chain'; readonly from: readonly string[]; readonly to: readonly string[] }
  | { readonly mode: 'all_downstream'; readonly roots: readonly string[] }
) & { readonly also?: readonly string[]; readonly except?: readonly string[] };

export interface BackfillSubset {
  /** Upstream first. */
  readonly run: readonly string[];
  /** Not asked for, but between two nodes that run: a dry run keeps their order. Upstream first. */
  readonly dryRun: readonly string[];
  /** The edges among all of these. */
  readonly edges: readonly GraphEdge[];
}

/** Throws MR-A104 for a name that is not in the graph. */
export function subsetForBackfill(graph: WorkflowGraph, scope: BackfillScope): BackfillSubset {
  const except = known(graph, scope.except ?? []);
  const asked = [...askedBy(graph, scope), ...known(graph, scope.also ?? [])].filter(
    (node) => !except.has(node),
  );
  const runs = new Set(asked);
  const below = downstreamClosure(graph, asked);
  const above = upstreamClosure(graph, asked);
  const run: string[] = [];
  const dryRun: string[] = [];
  const edges: GraphEdge[] = [];
  const isMember = (node: string): boolean => below.has(node) && above.has(node);
  for (const index of topologicalOrder(graph).order) {
    const from = graph.nameOf(index);
    if (!isMember(from)) continue;
    (runs.has(from) ? run : dryRun).push(from);
    for (const down of graph.downstreamOf(index)) {
      const to = graph.nameOf(down);
      if (isMember(to)) edges.push({ from, to });
    }
  }
  return { run, dryRun, edges };
}

function askedBy(graph: WorkflowGraph, scope: BackfillScope): Iterable<string> {
  switch (scope.mode) {
    case 'workflow':
      return graph.nodes;
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
