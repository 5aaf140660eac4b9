import { countOf, filtersOf, isFiltered, isStateChosen, toggleState } from './instance-filters.ts';

describe('the filters of the instance list', () => {
  it('are those of the address, without what is empty or of something else', () => {
    const filters = filtersOf(
      new URLSearchParams('status=failed&q=&inst=inst_1&bizdate=2026-01-09'),
    );
    expect(filters).toEqual({ status: 'failed', bizdate: '2026-01-09' });
    expect(isFiltered(filters)).toBe(true);
    expect(isFiltered(filtersOf(new URLSearchParams('inst=inst_1&tab=why')))).toBe(false);
  });

  it('take a state as all of its statuses and give them back together', () => {
    const status = toggleState({ status: 'failed' }, 'resource');
    expect(status).toBe('failed,waiting_resource,gated');
    expect(isStateChosen({ status: status ?? '' }, 'resource')).toBe(true);
    expect(toggleState({ status: status ?? '' }, 'resource')).toBe('failed');
    expect(toggleState({ status: 'failed' }, 'failed')).toBeUndefined();
  });

  it('do not take half of a state for the whole', () => {
    expect(isStateChosen({ status: 'running' }, 'running')).toBe(false);
    expect(toggleState({ status: 'running' }, 'running')).toBe(
      'running,dispatched,checking,checking_condition',
    );
  });

  it('count a state by its statuses, and not at all before counts are known', () => {
    expect(countOf({ running: 2, dispatched: 1, failed: 4 }, 'running')).toBe(3);
    expect(countOf({}, 'failed')).toBe(0);
    expect(countOf(undefined, 'failed')).toBeUndefined();
  });
});
