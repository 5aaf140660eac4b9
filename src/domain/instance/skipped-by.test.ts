import { expect, test } from '@jest/globals';

import { isSkippedBy } from './operation.js';

type Edges = Parameters<typeof isSkippedBy>[0];

function edges(text: string): Edges {
  return text.split(' ').map((each) => {
    const [kind, outcome, inherits] = each.split(':');
    return {
      kind: kind === 'same' ? 'same_cycle' : kind === 'self' ? 'self_previous' : 'previous_cycle',
      outcome: outcome === 'skipped' ? 'skipped' : 'success',
      inheritsDryRun: inherits === undefined ? null : inherits === 'yes',
    };
  });
}

test.each([
  ['same:skipped', true],
  ['same:skipped same:skipped', true],
  ['same:skipped same:success', false],
  ['same:success', false],
  ['same:skipped:no', false],
  ['same:skipped:no same:skipped', false],
  ['same:skipped:yes', true],
  ['previous:skipped', false],
  ['self:skipped', false],
  ['previous:skipped:yes', true],
  ['previous:skipped:no', false],
  ['previous:success:yes same:skipped', false],
  ['previous:skipped:yes same:success', false],
  ['previous:success same:skipped', true],
  ['self:success same:skipped', true],
])('an instance with %s is a dry run: %s', (text, isSkipped) => {
  expect(isSkippedBy(edges(text))).toBe(isSkipped);
});

test('an instance without upstreams is none', () => {
  expect(isSkippedBy([])).toBe(false);
});
