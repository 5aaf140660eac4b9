import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MillraceError } from '../errors.js';
import { checkGraph } from './check-graph.js';
import { downstreamClosure, upstreamClosure } from './closure.js';
import { type BackfillScope, subsetForBackfill } from './subset-for-backfill.js';
import { topologicalLevels } from './topological-order.js';
import type { GraphEdge, WorkflowGraph } from './workflow-graph.js';

/** `a>b b>c` */
function edgesOf(text: string): GraphEdge[] {
  return text.split(' ').map((edge) => {
    const [from = '', to = ''] = edge.split('>');
    return { from, to };
  });
}

function refusal(nodes: string[], edges: GraphEdge[]): string {
  try {
    checkGraph(nodes, edges);
  } catch (error) {
    if (error instanceof MillraceError) return `${error.code} ${error.detail}`;
    throw error;
  }
  return 'accepted';
}

describe('checking a graph', () => {
  test('names the path of a cycle, without the nodes around it', () => {
    expect(refusal([...'xabcy'], edgesOf('x>a a>b b>c c>a c>y'))).toMatch(
      /^MR-S101 (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)$/,
    );
  });

  test('names a short cycle where a long one has a chord', () => {
    const message = refusal(
      [...'abcdef'],
      edgesOf('a>b b>c c>d d>e e>f f>a b>a c>b d>c e>d f>e a>f'),
    );
    expect(message.match(/->/g)).toHaveLength(2);
  });

  test('closes the path by the shortest way back', () => {
    expect(refusal([...'abcd'], edgesOf('a>b b>c c>d d>a c>b'))).toBe('MR-S101 b -> c -> b');
    expect(refusal([...'abcd'], edgesOf('a>b b>c c>d d>a c>a'))).toBe('MR-S101 b -> c -> a -> b');
  });

  test('says what to declare when a node waits for itself', () => {
    expect(refusal(['a', 'b'], edgesOf('a>b b>b'))).toMatch(/^MR-S101 b -> b; .*self-dependence/);
  });

  test('names the edges whose nodes do not exist', () => {
    expect(refusal(['a'], edgesOf('a>b c>a'))).toBe(
      'MR-S108 a -> b: no node "b"; c -> a: no node "c"',
    );
  });

  test('every cycle that is named exists, and a graph is refused exactly when it has one', () => {
    const arbitraryEdges = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 14 });
    const nodes = Array.from({ length: 10 }, (_, i) => `n${i}`);
    fc.assert(
      fc.property(arbitraryEdges, (pairs) => {
        const edges = pairs.map(([from, to]) => ({ from: `n${from}`, to: `n${to}` }));
        const message = refusal(nodes, edges);
        if (message === 'accepted') {
          const levels = topologicalLevels(checkGraph(nodes, edges));
          const levelOf = (node: string): number => levels.findIndex((row) => row.includes(node));
          expect(levels.flat().sort()).toEqual(nodes);
          for (const { from, to } of edges) expect(levelOf(from)).toBeLessThan(levelOf(to));
          return;
        }
        const path = (message.slice('MR-S101 '.length).split(';')[0] ?? '').split(' -> ');
        expect(path.length).toBeGreaterThan(1);
        expect(path.at(-1)).toBe(path[0]);
        for (const [i, from] of path.slice(0, -1).entries()) {
          expect(edges).toContainEqual({ from, to: path[i + 1] });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('walking a graph', () => {
  const graph = checkGraph([...'abcdex'], edgesOf('a>b a>c b>d c>d d>e'));

  test('levels hold what can run at the same time', () => {
    expect(topologicalLevels(graph)).toEqual([['a', 'x'], ['b', 'c'], ['d'], ['e']]);
  });

  test('closures hold the roots and all that is above or below', () => {
    expect([...upstreamClosure(graph, ['d'])].sort()).toEqual([...'abcd']);
    expect([...downstreamClosure(graph, ['b', 'x'])].sort()).toEqual([...'bdex']);
    expect(() => upstreamClosure(graph, ['nobody'])).toThrow(RangeError);
  });
});

/** Of one workflow alone. */
function subsetOf(all: WorkflowGraph, scope: BackfillScope): ReturnType<typeof subsetForBackfill> {
  return subsetForBackfill({ all, within: all, own: all.nodes }, scope);
}

describe('the subset of a backfill', () => {
  const graph = checkGraph([...'abcdex'], edgesOf('a>b a>c b>d c>d d>e'));

  test('a node alone brings nothing else', () => {
    expect(subsetOf(graph, { mode: 'nodes', nodes: ['d'] })).toEqual({
      run: ['d'],
      dryRun: [],
      edges: [],
    });
  });

  test('nodes between two that were chosen become dry runs, so that the order holds', () => {
    expect(subsetOf(graph, { mode: 'nodes', nodes: ['e', 'a'] })).toEqual({
      run: ['a', 'e'],
      dryRun: ['b', 'c', 'd'],
      edges: expect.arrayContaining(edgesOf('a>b a>c b>d c>d d>e')),
    });
  });

  test('a chain is everything from its start to its end', () => {
    expect(subsetOf(graph, { mode: 'chain', from: ['b'], to: ['e'] }).run).toEqual([...'bde']);
    expect(subsetOf(graph, { mode: 'chain', from: ['e'], to: ['b'] }).run).toEqual([]);
  });

  test('an excluded node is a dry run in the middle and left out at the end', () => {
    const scope = { mode: 'all_downstream', roots: ['a'], except: ['d'] } as const;
    expect(subsetOf(graph, scope)).toMatchObject({
      run: ['a', 'b', 'c', 'e'],
      dryRun: ['d'],
    });
    expect(subsetOf(graph, { ...scope, except: ['e'] })).toMatchObject({
      run: ['a', 'b', 'c', 'd'],
      dryRun: [],
    });
  });

  test('the whole workflow is all of it, and nodes may be added to any scope', () => {
    expect(subsetOf(graph, { mode: 'workflow' }).run.toSorted()).toEqual([...'abcdex']);
    const scope = { mode: 'nodes', nodes: ['e'], also: ['d'] } as const;
    expect(subsetOf(graph, scope).run).toEqual(['d', 'e']);
    expect(subsetOf(graph, { ...scope, except: ['d'] }).run).toEqual(['e']);
  });

  test('closures end at the border of a workflow unless they are asked to cross it', () => {
    const nodes = ['a', 'b', 'x/c', 'x/d', 'e'];
    const inner = edgesOf('a>b x/c>x/d');
    const parts = {
      all: checkGraph(nodes, [...inner, ...edgesOf('b>x/c x/d>e')]),
      within: checkGraph(nodes, inner),
      own: ['a', 'b', 'e'],
    };
    const run = (scope: BackfillScope): readonly string[] => subsetForBackfill(parts, scope).run;
    const below = { mode: 'all_downstream', roots: ['a'] } as const;
    expect(run(below)).toEqual(['a', 'b']);
    expect(run({ ...below, acrossWorkflows: true })).toEqual(nodes);
    expect(run({ mode: 'chain', from: ['b'], to: ['e'] })).toEqual([]);
    expect(run({ mode: 'chain', from: ['b'], to: ['e'], acrossWorkflows: true })).toEqual(
      nodes.slice(1),
    );
    // What is between is found over borders all the same.
    expect(subsetForBackfill(parts, { mode: 'workflow' })).toMatchObject({
      run: ['a', 'b', 'e'],
      dryRun: ['x/c', 'x/d'],
    });
  });

  test('a name that is not there is refused', () => {
    expect(() => subsetOf(graph, { mode: 'nodes', nodes: ['z'] })).toThrow('MR-A104');
  });
});

describe('a graph of 100,000 nodes', () => {
  const nodes = Array.from({ length: 100_000 }, (_, i) => `n${i}`);
  const chain = nodes.slice(1).map((to, i) => ({ from: `n${i}`, to }));

  test('with a million edges is checked, walked and cut', () => {
    const edges = nodes.flatMap((from, i) =>
      nodes.slice(i + 1, i + 11).map((to) => ({ from, to })),
    );
    const graph = checkGraph(nodes, edges);
    expect(topologicalLevels(graph)).toHaveLength(100_000);
    expect(upstreamClosure(graph, ['n99999']).size).toBe(100_000);
    expect(subsetOf(graph, { mode: 'nodes', nodes: ['n0', 'n99999'] }).dryRun).toHaveLength(99_998);
  });

  test('that is one single cycle is refused with a message one can read', () => {
    const message = refusal(nodes, [...chain, { from: 'n99999', to: 'n0' }]);
    expect(message).toContain('MR-S101');
    expect(message).toContain('(99980 more)');
    expect(message.length).toBeLessThan(400);
  });
});
