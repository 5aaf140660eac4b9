import { expect, test } from '@jest/globals';

import {
  isRerunWith,
  judge,
  judgeChange,
  judgeUnlink,
  moveOfChild,
  OPERATIONS,
  outcomeOf,
} from './operation.js';
import { INSTANCE_STATUSES } from './status.js';

/** Statuses in the order of INSTANCE_STATUSES: y will, - refused. */
const TABLE = {
  rerun: '---------yyy',
  'rerun-from-here': '---------yyy',
  'rerun-downstream': '---------yyy',
  'force-rerun': 'y--------yyy',
  stop: 'yyyyyyyyy---',
  'set-success': '----------yy',
  freeze: 'yyyy----y---',
  unfreeze: 'yyyy----y---',
  unlink: 'yyyy--------',
  change: 'yyyy----y---',
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

test('the rerun mode bars reruns of every form but a forced one', () => {
  for (const form of ['rerun', 'rerun-from-here', 'rerun-downstream'] as const) {
    const of = (rerunMode: 'on_failure' | 'never', status: 'succeeded' | 'failed') =>
      judge(form, { status, frozen: false, rerunMode }).verdict;
    expect(of('never', 'failed')).toBe('refused');
    expect(of('on_failure', 'failed')).toBe('will');
    expect(of('on_failure', 'succeeded')).toBe('refused');
  }
  const barred = { status: 'succeeded', frozen: false, rerunMode: 'never' } as const;
  expect(judge('force-rerun', barred).verdict).toBe('will');
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

/** In the order of INSTANCE_STATUSES: y runs again too, - does not. */
test.each([
  ['rerun-from-here', 'always', '----------yy'],
  ['rerun-downstream', 'always', '---------yyy'],
  ['rerun-downstream', 'on_failure', '----------yy'],
  ['rerun-downstream', 'never', '------------'],
] as const)('%s takes along by the rerun mode %s', (form, rerunMode, table) => {
  const along = INSTANCE_STATUSES.map((status) =>
    isRerunWith(form, { status, frozen: false, rerunMode }) ? 'y' : '-',
  );
  expect(along.join('')).toBe(table);
});

test('a forced rerun has nothing to do where no upstream holds, and thaws nothing', () => {
  const ready = { status: 'waiting_resource', frozen: false, rerunMode: 'always' } as const;
  expect(judge('force-rerun', ready).verdict).toBe('nothing');
  const icy = { status: 'waiting_upstream', frozen: true, rerunMode: 'always' } as const;
  expect(judge('force-rerun', icy)).toMatchObject({ verdict: 'refused', code: 'MR-S205' });
});

test('only edges that are there are removed', () => {
  const waiting = { status: 'waiting_upstream', frozen: false, rerunMode: 'always' } as const;
  const linked = new Set([7, 8]);
  expect(judgeUnlink(waiting, [7, 8], linked).verdict).toBe('will');
  expect(judgeUnlink(waiting, [7, 9], linked)).toMatchObject({ code: 'MR-S140' });
  expect(judgeUnlink({ ...waiting, status: 'running' }, [7], linked)).toMatchObject({
    code: 'MR-S205',
  });
});

test('a change to what is there already is nothing to do', () => {
  const waiting = {
    status: 'waiting_time',
    frozen: false,
    rerunMode: 'always',
    priority: 1,
    resourceGroup: 'default',
  } as const;
  expect(judgeChange(waiting, { priority: 1, resourceGroup: 'default' }).verdict).toBe('nothing');
  expect(judgeChange(waiting, { priority: 1, resourceGroup: 'other' }).verdict).toBe('will');
  expect(judgeChange({ ...waiting, status: 'failed' }, { priority: 8 }).verdict).toBe('refused');
});
