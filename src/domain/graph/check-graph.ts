import { alg, Graph } from '@dagrejs/graphlib';
import { MillraceError } from '../errors.js';
import { topologicalOrder } from './topological-order.js';
import { WorkflowGraph } from './workflow-graph.js';
import type { GraphEdge } from './workflow-graph.js';

/** A longer path is cut in the middle: nobody reads it, and it would be megabytes. */
const NAMED_NODES = 20;
/** Up to this length a cycle is worth shortening by its chords. */
const SHORTENED_NODES = 1000;

/**
 * The graph of a workflow, once its edges name nodes that exist (else MR-S108, up to ten of them) and none
 * of its paths comes back to where it began (else MR-S101 naming one: `a -> b -> a`).
 */
export function checkGraph(nodes: readonly string[], edges: readonly GraphEdge[]): WorkflowGraph {
  const names = new Set(nodes);
  const unknown = edges.filter(({ from, to }) => !names.has(from) || !names.has(to));
  if (unknown.length > 0) {
    const shown = unknown.slice(0, 10).map(({ from, to }) => {
      const missing = [from, to].filter((name) => !names.has(name)).map((name) => `"${name}"`);
      return `${from} -> ${to}: no node ${missing.join(' and ')}`;
    });
    const rest = unknown.length > 10 ? `; and ${unknown.length - 10} more` : '';
    throw new MillraceError('MR-S108', shown.join('; ') + rest);
  }
  const graph = new WorkflowGraph(nodes, edges);
  const { order } = topologicalOrder(graph);
  if (order.length < graph.nodes.length) {
    throw new MillraceError('MR-S101', describe(shorten(graph, findCycle(graph, order))));
  }
  return graph;
}

/** Walks upstream among the nodes that no order contains: each has such an upstream, so the walk closes. */
function findCycle(graph: WorkflowGraph, order: readonly number[]): number[] {
  const isOrdered = new Uint8Array(graph.nodes.length);
  for (const node of order) isOrdered[node] = 1;
  const seenAt = new Map<number, number>();
  const walk: number[] = [];
  let node: number | undefined = isOrdered.indexOf(0);
  while (node !== undefined && !seenAt.has(node)) {
    seenAt.set(node, walk.length);
    walk.push(node);
    node = graph.upstreamOf(node).find((up) => isOrdered[up] === 0);
  }
  return walk.slice(node === undefined ? 0 : seenAt.get(node)).reverse();
}

/** The shortest cycle through its first node, within the nodes of the one that was found. */
function shorten(graph: WorkflowGraph, cycle: readonly number[]): string[] {
  const names = cycle.map((node) => graph.nameOf(node));
  const [first] = names;
  if (first === undefined || cycle.length > SHORTENED_NODES) return names;
  const inner = new Graph({ directed: true });
  const members = new Set(cycle);
  for (const node of cycle) {
    for (const down of graph.downstreamOf(node)) {
      if (members.has(down)) inner.setEdge(graph.nameOf(node), graph.nameOf(down));
    }
  }
  const paths = alg.dijkstra(inner, first);
  const distance = (name: string): number => paths[name]?.distance ?? Number.POSITIVE_INFINITY;
  const backTo = inner.predecessors(first) ?? [];
  let last: string | undefined = backTo.reduce(
    (a, b) => (distance(b) < distance(a) ? b : a),
    names.at(-1) ?? first,
  );
  const path: string[] = [];
  while (last !== undefined && last !== '') {
    path.unshift(last);
    last = last === first ? undefined : paths[last]?.predecessor;
  }
  return path;
}

function describe(cycle: readonly string[]): string {
  const half = NAMED_NODES / 2;
  const shown =
    cycle.length <= NAMED_NODES
      ? cycle
      : [...cycle.slice(0, half), `(${cycle.length - NAMED_NODES} more)`, ...cycle.slice(-half)];
  const path = [...shown, cycle[0]].join(' -> ');
  if (cycle.length > 1) return path;
  return `${path}; a node that waits for its own previous cycle declares self-dependence, not an edge`;
}
