import { describe, expect, test } from '@jest/globals';

import { addressOf, queryOf, zoomText } from './timeline-address.ts';
import { statusesOf } from './status-places.ts';
import { STATUSES } from './testing/an-answer.ts';

const read = (text: string) => addressOf(new URLSearchParams(text), '2026-01-09');

describe('the address of the timeline', () => {
  test('shows the business date before today unless it says something else', () => {
    expect(read('').filter.bizdate).toBe('2026-01-09');
    expect(read('bizdate=2025-12-31').filter.bizdate).toBe('2025-12-31');
    expect(read('bizdate=2025-13-31').filter.bizdate).toBe('2026-01-09');
  });

  test('becomes the query of the API', () => {
    const { filter, grouping } = read(
      'bizdate=2026-01-08&workflow=wf_1,wf_2&nodeType=sql&q=or&groupBy=nodeType',
    );
    expect(queryOf(filter, grouping)).toEqual({
      groupBy: 'nodeType',
      bizdate: '2026-01-08',
      workflow: 'wf_1,wf_2',
      nodeType: 'sql',
      q: 'or',
    });
  });

  test('shows a window of the wall clock, and no half of one', () => {
    const { filter, grouping } = read('from=2026-01-10T00:00:00Z&to=2026-01-10T01:00:00Z');
    expect(queryOf(filter, grouping)).toMatchObject({
      from: '2026-01-10T00:00:00.000Z',
      to: '2026-01-10T01:00:00.000Z',
    });
    expect(filter.bizdate).toBeUndefined();
    expect(read('from=2026-01-10T00:00:00Z').filter.bizdate).toBe('2026-01-09');
  });

  test('takes the statuses of a link from a list as states', () => {
    expect(read('status=dispatched,running').states).toEqual(['running']);
    expect(read('state=failed,nonsense').states).toEqual(['failed']);
  });

  test('keeps the zoom', () => {
    expect(read(`zoom=${zoomText({ from: 5.4, to: 10.6 })}`).view).toEqual({ from: 5, to: 11 });
    expect(read('zoom=10_5').view).toBeUndefined();
  });

  test('asks for every status that a state stands for', () => {
    expect(statusesOf(['running'], STATUSES)).toEqual([
      'dispatched',
      'running',
      'checking',
      'checking_condition',
    ]);
    expect(statusesOf(['dryRun'], STATUSES)).toEqual(['succeeded']);
    expect(statusesOf(['frozen'], STATUSES)).toEqual([...STATUSES]);
  });
});
