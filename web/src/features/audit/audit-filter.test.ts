import { expect, it } from '@jest/globals';

import { filterOf, queryOf } from './audit-filter.ts';
import { pageOfTarget } from './audit-target.ts';

it('asks for whole days of the zone that is shown', () => {
  const filter = filterOf(new URLSearchParams('from=2026-03-29&to=2026-03-29&user=li&action='));
  // The clock of Berlin is put forward on that day: it has 23 hours.
  expect(queryOf(filter, 'Europe/Berlin')).toEqual({
    user: 'li',
    from: '2026-03-28T23:00:00.000Z',
    to: '2026-03-29T22:00:00.000Z',
  });
});

it('knows the page of what was changed, by its id', () => {
  expect(pageOfTarget('inst_20261121_42')).toBe('ops/instances/inst_20261121_42');
  expect(pageOfTarget('inst_20261121_42/1/7')).toBe('ops/instances/inst_20261121_42?tab=dirty');
  expect(pageOfTarget('wf_3')).toBe('studio/wf/wf_3');
  for (const target of ['finance', 'usr_1', 'wf_3 and more', 'holidays'])
    expect(pageOfTarget(target)).toBeUndefined();
});
