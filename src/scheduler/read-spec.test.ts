import { expect, test } from '@jest/globals';

import { readSpec } from './read-spec.js';
import type { WorkflowSpec } from './workflow-spec.js';

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

const SHELL = { id: 'a', type: 'shell' };

test.each([
  ['/nodes/0/retry/intervalMs', { retry: { max: 1, intervalMs: 59_999 } }, '1800000 (30 minutes)'],
  ['/nodes/0/retry/intervalMs', { retry: { intervalMs: 1_800_001 } }, '1800000 (30 minutes)'],
  ['/nodes/0/retry/backoff/capMs', { retry: { backoff: { capMs: 1000 } } }, '1800000 (30 minutes)'],
  ['/nodes/0/timeoutMs', { timeoutMs: 1000 }, '604800000 (168 hours)'],
  ['/nodes/0/timeoutMs', { timeoutMs: 604_800_001 }, '604800000 (168 hours)'],
])('a duration at %s that is out of its bounds is told them: %j', (pointer, more, most) => {
  expect(() => readSpec({ nodes: [{ ...SHELL, ...more }] })).toThrow(
    expect.objectContaining({
      code: 'MR-A101',
      detail: `${pointer}: at least 60000 (1 minute) and at most ${most}, in milliseconds`,
    }),
  );
});

test.each([
  [60_000, 60_000],
  [1_800_000, 604_800_000],
])('a retry every %d ms and a timeout of %d ms are allowed, ten retries at most', (wait, limit) => {
  const retry = { intervalMs: wait, backoff: { factor: 2, capMs: wait } };
  const specOf = (max: number): WorkflowSpec =>
    readSpec({ nodes: [{ ...SHELL, retry: { ...retry, max }, timeoutMs: limit }] });
  expect(specOf(10).nodes[0]).toMatchObject({ retry: { ...retry, max: 10 }, timeoutMs: limit });
  expect(() => specOf(11)).toThrow('/nodes/0/retry/max');
});
