import type { WorkflowGraph } from './workflow-graph.js';

export interface TopologicalOrder {
  /** Node indexes, upstream first; without those on a cycle or below one. */
  readonly order: readonly number[];
  /** By node index: 0 for nodes without upstream, else one more than the highest upstream. */
  readonly levels: Uint32Array;
}

/** Kahn's algorithm. */
export function topologicalOrder(graph: WorkflowGraph): TopologicalOrder {
  const waiting = Uint32Array.from(graph.nodes, (_, i) => graph.upstreamOf(i).length);
  const levels = new Uint32Array(graph.nodes.length);
  const order: number[] = [];
  for (const [i, count] of waiting.entries()) if (count === 0) order.push(i);
  for (const node of order) {
    for (const down of graph.downstreamOf(node)) {
      levels[down] = Math.max(levels[down] ?? 0, (levels[node] ?? 0) + 1);
      const left = (waiting[down] ?? 0) - 1;
      waiting[down] = left;
      if (left === 0) order.push(down);
    }
  }
  return { order, levels };
}

/** The nodes by level: those of one level can run at the same time. For graphs that `checkGraph` passed. */
export function topologicalLevels(graph: WorkflowGraph): string[][] {
  const { order, levels } = topologicalOrder(graph);
  const rows: string[][] = [];
  for (const node of order) (rows[levels[node] ?? 0] ??= []).push(graph.nameOf(node));
  return rows;
}
