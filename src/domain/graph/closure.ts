import type { WorkflowGraph } from './workflow-graph.js';

/** `roots` and everything they need, directly or not. RangeError for a name that is not in the graph. */
export function upstreamClosure(graph: WorkflowGraph, roots: Iterable<string>): Set<string> {
  return closure(graph, roots, (node) => graph.upstreamOf(node));
}

/** `roots` and everything that needs them, directly or not. RangeError for a name that is not in the graph. */
export function downstreamClosure(graph: WorkflowGraph, roots: Iterable<string>): Set<string> {
  return closure(graph, roots, (node) => graph.downstreamOf(node));
}

function closure(
  graph: WorkflowGraph,
  roots: Iterable<string>,
  neighboursOf: (node: number) => Uint32Array,
): Set<string> {
  const reached = new Set<number>();
  for (const root of roots) reached.add(graph.indexOf(root));
  // A set is walked in the order of insertion, with what is added on the way.
  for (const node of reached) for (const next of neighboursOf(node)) reached.add(next);
  return new Set(Array.from(reached, (node) => graph.nameOf(node)));
}
