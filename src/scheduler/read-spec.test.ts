import { expect, test } from '@jest/globals';

import { readSpec } from './read-spec.js';

test('a draft without something that is needed is told what, and where it belongs', () => {
  const nodes = [{ id: 'a', type: 'shell', needs: [{ workflow: 'w' }] }, { id: 'b' }];
  const draft = { schedule: { period: { every: 'week', days: ['mon'] } }, nodes };
  expect(() => readSpec(draft)).toThrow(
    expect.objectContaining({
      code: 'MR-A101',
      detail: [
        '/schedule/period/at: is missing; expected string or array',
        '/nodes/0/needs/0: /node is missing; expected string',
        '/nodes/1/type: is missing; expected string',
      ].join('\n'),
    }),
  );
});
