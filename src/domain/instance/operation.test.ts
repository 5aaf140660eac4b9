import { expect, test } from '@jest/globals';

import { judge, moveOfChild, OPERATIONS, outcomeOf } from './operation.js';
import { INSTANCE_STATUSES } from './status.js';

/** Statuses in the order of INSTANCE_STATUSES: y will, - refused. */
const TABLE = {
  rerun: '---------yyy',
  stop: 'yyyyyyyyy---',
  'set-success': '----------yy',
  freeze: 'yyyy----y---',
  unfreeze: 'yyyy----y---',
} as const;

test.each(OPERATIONS)('%s applies to the statuses of the table and to no other', (operation) => {
  const verdicts = INSTANCE_STATUSES.map((status) => {
    const frozen = operation === 'unfreeze';
    const { verdict } = judge(operation, { status, frozen, rerunMode: 'always' });
    return verdict === 'will' ? 'y' : '-';
  });
  expect(verdicts.join('')).toBe(TABLE[operation]);
});

test('freezing what is frozen and thawing what is not are nothing to do', () => {
  const waiting = { status: 'waiting_time', rerunMode: 'always' } as const;
  expect(judge('freeze', { ...waiting, frozen: true }).verdict).toBe('nothing');
  expect(judge('unfreeze', { ...waiting, frozen: false }).verdict).toBe('nothing');
});

test('the rerun mode bars reruns alone', () => {
  const of = (rerunMode: 'on_failure' | 'never', status: 'succeeded' | 'failed') =>
    judge('rerun', { status, frozen: false, rerunMode }).verdict;
  expect(of('never', 'failed')).toBe('refused');
  expect(of('on_failure', 'failed')).toBe('will');
  expect(of('on_failure', 'succeeded')).toBe('refused');
  const failed = { status: 'failed', frozen: false, rerunMode: 'never' } as const;
  expect(judge('set-success', failed).verdict).toBe('will');
});

test('an edge says what its upstream is, and only a decided one moves the child', () => {
  expect(outcomeOf('running', null)).toBe('open');
  expect(outcomeOf('cancelled', null)).toBe('failed');
  expect(outcomeOf('succeeded', 'skipped')).toBe('skipped');
  expect(outcomeOf('succeeded', 'set_success')).toBe('success');
  expect(moveOfChild('waiting_upstream', 0)).toBe('release');
  expect(moveOfChild('waiting_upstream', 1)).toBeUndefined();
  expect(moveOfChild('waiting_resource', 1)).toBe('takeBack');
  expect(moveOfChild('gated', 0)).toBeUndefined();
});
