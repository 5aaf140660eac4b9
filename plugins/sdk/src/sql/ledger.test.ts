import { describe, expect, test } from '@jest/globals';
import { errorCodeOf } from '../error.js';
import type { AttemptIdentity } from '../run.js';
import { judgeClaimed, judgeLedger, runOf } from './ledger.js';

const identity = (fence: string, runNumber = 1): AttemptIdentity => ({
  installation: 'i',
  nodeId: 'n',
  nodeName: 'n',
  instanceId: '7',
  runNumber,
  attempt: 1,
  fence,
  scheduledTime: '2024-01-02T00:00:00Z',
  bizdate: '2024-01-01',
});
function codeOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return errorCodeOf(error);
  }
}

const stored = (run: string, fence: string) => ({ run, fence, rows: 5, rowsDeleted: 2 });

describe('the ledger', () => {
  test('lets the first attempt and every later run write', () => {
    expect(judgeLedger(undefined, identity('1'))).toEqual({ kind: 'write' });
    expect(judgeLedger(stored('', '1'), identity('1'))).toEqual({ kind: 'write' });
    expect(judgeLedger(stored('7:1', '1'), identity('2', 2))).toEqual({ kind: 'write' });
  });

  test('reports a run that has already committed, and what it did', () => {
    expect(judgeLedger(stored(runOf(identity('2')), '1'), identity('2'))).toEqual({
      kind: 'published',
      rows: 5,
      rowsDeleted: 2,
    });
  });

  test('refuses an older fence, compared as a number and not as text', () => {
    expect(judgeLedger(stored('7:1', '9'), identity('10', 2)).kind).toBe('write');
    expect(codeOf(() => judgeLedger(stored('7:1', '10'), identity('9', 2)))).toBe('MR-D203');
  });

  test('refuses an attempt whose run is over, with and without a row of its key', () => {
    expect(judgeLedger(undefined, identity('10'), '9').kind).toBe('write');
    for (const row of [undefined, stored('', '10')]) {
      expect(codeOf(() => judgeLedger(row, identity('10'), '10'))).toBe('MR-D203');
    }
  });

  test('refuses an attempt whose claim has been cleared away', () => {
    expect(judgeClaimed(stored('', '3'), identity('3')).kind).toBe('write');
    expect(codeOf(() => judgeClaimed(undefined, identity('3')))).toBe('MR-D203');
  });
});
