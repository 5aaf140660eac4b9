import {
  configProblems,
  isSameDraft,
  needText,
  nodesOf,
  parseDraft,
  scheduleOf,
  timezoneOf,
  withNode,
  withSchedule,
} from './draft.ts';

const DRAFT = {
  schedule: { cron: '5 0 * * *' },
  nodes: [
    { id: 'publish', type: 'sync', needs: ['count'], config: {} },
    { id: 'count', type: 'postgres-sql', config: { sql: 'SELECT 1', dataSource: 'w' }, retry: {} },
    { id: 'lonely', type: 'shell', needs: ['elsewhere'] },
  ],
};

describe('a workflow draft', () => {
  it('lists upstreams first and remembers where each node stands in the draft', () => {
    const nodes = nodesOf(DRAFT).map(({ id, index }) => [id, index]);
    expect(nodes).toEqual([
      ['count', 1],
      ['lonely', 2],
      ['publish', 0],
    ]);
  });

  it('shows the nodes of a cycle all the same, after the others', () => {
    const nodes = nodesOf({
      nodes: [{ id: 'a', needs: ['b'] }, { id: 'b', needs: ['a'] }, { id: 'c' }],
    });
    expect(nodes.map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  });

  it('survives a draft that is not one yet', () => {
    expect(nodesOf({})).toEqual([]);
    expect(nodesOf({ nodes: 'none' })).toEqual([]);
    expect(nodesOf({ nodes: [null, 7, { type: 'shell' }] })).toEqual([]);
  });

  it('changes one node and keeps all that it does not know', () => {
    const changed = withNode(DRAFT, 1, { config: { sql: 'SELECT 2' }, description: undefined });
    expect(changed).toEqual({
      ...DRAFT,
      nodes: [DRAFT.nodes[0], { ...DRAFT.nodes[1], config: { sql: 'SELECT 2' } }, DRAFT.nodes[2]],
    });
    expect(DRAFT.nodes[1]?.config).toEqual({ sql: 'SELECT 1', dataSource: 'w' });
    expect(isSameDraft(DRAFT, changed)).toBe(false);
  });

  it('changes one field of its schedule and keeps the others', () => {
    const changed = withSchedule(DRAFT, { calendar: 'trading', cron: undefined });
    expect(changed).toEqual({ ...DRAFT, schedule: { calendar: 'trading' } });
    expect(withSchedule({}, { cron: '0 1 * * *' })).toEqual({ schedule: { cron: '0 1 * * *' } });
    expect(scheduleOf({ schedule: 'daily' })).toEqual({});
    expect(timezoneOf({ timezone: 'UTC' })).toBe('UTC');
    expect(timezoneOf({ timezone: 7 })).toBeUndefined();
  });

  it('keeps upstreams that are no plain names apart, and says what they are', () => {
    const other = { workflow: 'orders', node: 'load' };
    const before = { node: 'a', cycle: 'previous' };
    const [node] = nodesOf({ nodes: [{ id: 'b', needs: ['a', other, before] }] });
    expect(node).toMatchObject({ needs: ['a'], otherNeeds: [other, before] });
    expect(node?.otherNeeds.map(needText)).toEqual(['orders/load', 'a (previous)']);
    expect(needText(7)).toBe('7');
  });

  it('takes a JSON object and tells syntax from kind', () => {
    expect(parseDraft('{"nodes":[]}')).toEqual({ ok: true, draft: { nodes: [] } });
    expect(parseDraft('[]')).toMatchObject({ ok: false, reason: 'object' });
    expect(parseDraft('{"nodes":')).toMatchObject({ ok: false, reason: 'syntax' });
  });

  it('gives a node the problems of its own configuration only', () => {
    const problems = configProblems(
      [
        { pointer: '/nodes/1/config/sql', detail: 'no' },
        { pointer: '/nodes/1/config', detail: 'There is no data source "x".' },
        { pointer: '/nodes/10/config/sql', detail: 'other' },
        { pointer: '/nodes/1/type', detail: 'type' },
      ],
      1,
    );
    expect([...problems]).toEqual([
      ['/sql', 'no'],
      ['', 'There is no data source "x".'],
    ]);
  });
});
