import { expect, test } from '@jest/globals';

import { dependenciesOf, foreignNeedsOf, selfDependenceOf } from './needs-of.js';
import { workflowSpec } from './workflow-spec.js';

const SPEC = workflowSpec.parse({
  nodes: [
    { id: 'a', type: 'shell', childDependence: true },
    { id: 'b', type: 'shell', needs: ['a', { node: 'c', cycle: 'previous', inheritDryRun: true }] },
    {
      id: 'c',
      type: 'shell',
      needs: [
        { workflow: 'own', node: 'a' },
        { workflow: 'other', node: 'x' },
      ],
    },
  ],
});

test('a name, an entry with its own workflow, another workflow and the previous cycle are told apart', () => {
  const ids = new Map([
    ['a', 1],
    ['b', 2],
    ['c', 3],
    ['other/x', 9],
  ]);
  const found = dependenciesOf(SPEC, 'own', (node, workflow) =>
    ids.get(workflow === undefined ? node : `${workflow}/${node}`),
  );
  expect(
    found.map((each) => [each.downstream, each.upstream, each.kind, each.inheritsDryRun]),
  ).toEqual([
    [2, 1, 'same_cycle', null],
    [2, 3, 'previous_cycle', true],
    [3, 1, 'same_cycle', null],
    [3, 9, 'same_cycle', null],
    [1, 2, 'previous_cycle', null],
    [1, 3, 'previous_cycle', null],
  ]);
});

test('a need of another workflow says where it is written', () => {
  expect(foreignNeedsOf(SPEC, 'own')).toEqual([
    {
      workflow: 'other',
      node: 'x',
      cycle: 'same',
      inheritsDryRun: null,
      downstream: 'c',
      pointer: '/nodes/2/needs/1',
    },
  ]);
});

test.each([
  [false, { selfDependent: false, selfInheritsDryRun: null }, []],
  [true, { selfDependent: true, selfInheritsDryRun: null }, [[1, 2, null]]],
  [{}, { selfDependent: true, selfInheritsDryRun: null }, [[1, 2, null]]],
  [{ inheritDryRun: true }, { selfDependent: true, selfInheritsDryRun: true }, [[1, 2, true]]],
  [{ inheritDryRun: false }, { selfDependent: true, selfInheritsDryRun: false }, [[1, 2, false]]],
])(
  'a dependence on itself and on its children may say what it inherits: %j',
  (said, self, children) => {
    const spec = workflowSpec.parse({
      nodes: [
        { id: 'a', type: 'shell', selfDependence: said, childDependence: said },
        { id: 'b', type: 'shell', needs: ['a'] },
      ],
    });
    const found = dependenciesOf(spec, 'own', (node) => (node === 'a' ? 1 : 2));
    expect(spec.nodes.slice(0, 1).map(selfDependenceOf)).toEqual([self]);
    expect(
      found
        .filter(({ kind }) => kind === 'previous_cycle')
        .map((each) => [each.downstream, each.upstream, each.inheritsDryRun]),
    ).toEqual(children);
  },
);
