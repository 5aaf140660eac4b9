import { expect, test } from '@jest/globals';

import { dependenciesOf, foreignNeedsOf } from './needs-of.js';
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
