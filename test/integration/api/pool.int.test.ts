import { describe, expect, test } from '@jest/globals';

import { openApi, type TestApi } from '../../support/api.js';

const GROUPS = '/api/v1/resource-groups';
const GATES = '/api/v1/workspaces/finance/gates';

async function addWorkflow(api: TestApi, name: string, node: string): Promise<void> {
  await api.database.run(
    `WITH w AS (INSERT INTO workflow (workspace_id, name, draft) VALUES ($1, $2, '{}') RETURNING id)
     INSERT INTO node (workflow_id, name) SELECT id, $3 FROM w`,
    [api.workspaceId, name, node],
  );
}

/** Rows of the queue as the line writes them; none of their instances is there. */
async function queue(api: TestApi, count: number, waitSeconds: number): Promise<void> {
  await api.database.run(
    `INSERT INTO ready_instance (resource_group_id, rank, plan_day, instance_id, node_id, scheduled_at,
            path, node_type, slots, ready_at)
     SELECT g.id, n, current_date, n, 1, now(), '', 'shell', 1, now() - n * $2 * interval '1 s'
       FROM resource_group g, generate_series(1, $1) n WHERE g.name = 'default'`,
    [count, waitSeconds],
  );
}

describe('resource groups', () => {
  test('a group is made, changed and shown with its slots, its workers and what waits for how long', async () => {
    await using api = await openApi();
    const made = await api.send('POST', GROUPS, {
      body: { name: 'nightly', slots: 20, description: 'at night' },
    });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`${GROUPS}/${String(made.json['id'])}`);
    expect(made.json).toMatchObject({ waiting: 0, oldestWaitSeconds: null, workers: [] });
    const again = await api.send('POST', GROUPS, { body: { name: 'nightly', slots: 1 } });
    expect([again.status, again.json['code']]).toEqual([409, 'MR-A105']);
    const changed = await api.send('PATCH', `${GROUPS}/${String(made.json['id'])}`, {
      body: { slots: 8, backfillShare: 30, description: '' },
    });
    expect(changed.json).toMatchObject({ slots: 8, backfillShare: 30, description: '' });

    await using _worker = await api.startWorker();
    await queue(api, 3, 100);
    const shown = await api.send('GET', `${GROUPS}/rg_1`);
    expect(shown.json).toMatchObject({
      name: 'default',
      slotsUsed: 0,
      waiting: 3,
      draining: false,
      quotas: {},
      addresses: ['10.1.2.3'],
      workers: [{ name: 'w1', state: 'live', capacity: 4, running: 0, labels: [] }],
    });
    const waited = Number(shown.json['oldestWaitSeconds']);
    expect(waited).toBeGreaterThanOrEqual(300);
    expect(waited).toBeLessThan(400);
    expect((await api.send('GET', `${GROUPS}/rg_99`)).status).toBe(404);
  });

  test('scheduling slots are set, shown with what holds and awaits them, and stay', async () => {
    await using api = await openApi();
    const made = await api.send('POST', GROUPS, {
      body: { name: 'planner', slots: 0, schedulingSlots: 4 },
    });
    expect(made.json).toMatchObject({ slots: 0, schedulingSlots: 4, schedulingSlotsUsed: 0 });
    const change = async (body: object) =>
      await api.send('PATCH', `${GROUPS}/${String(made.json['id'])}`, { body });
    await queue(api, 3, 1);
    await api.database.run(
      `UPDATE ready_instance SET gate_id = (SELECT id FROM gate WHERE scope = 'scheduling')
        WHERE instance_id < 3`,
    );
    const changed = await change({ schedulingSlots: 0, quotas: { sync: 2 } });
    expect(changed.json).toMatchObject({
      schedulingSlots: 0,
      schedulingWaiting: 2,
      waiting: 0,
      quotas: { sync: 2 },
    });
    const removed = await change({ schedulingSlots: null });
    expect([removed.status, removed.json['code']]).toEqual([400, 'MR-A101']);
    const other = await api.send('GET', `${GROUPS}/rg_1`);
    expect(other.json).toMatchObject({ schedulingSlots: null, schedulingWaiting: 0, waiting: 3 });
  });

  test('a quota is of a node type that there is, and null removes it', async () => {
    await using api = await openApi();
    const quotas = async (body: object) =>
      await api.send('PATCH', `${GROUPS}/rg_1`, { body: { quotas: body } });
    expect((await quotas({ sync: 3 })).json['quotas']).toEqual({ sync: 3 });
    const unknown = await quotas({ sinc: 3, sync: 4 });
    expect([unknown.status, unknown.json['code']]).toEqual([422, 'MR-S162']);
    expect(unknown.json['errors']).toEqual([
      { pointer: '/quotas/sinc', detail: expect.stringContaining('sync') },
    ]);
    expect((await api.send('GET', `${GROUPS}/rg_1`)).json['quotas']).toEqual({ sync: 3 });
    expect((await quotas({ sync: null })).json['quotas']).toEqual({});
  });

  test('worker and group are drained and undrained, by those who may', async () => {
    await using api = await openApi();
    await using _worker = await api.startWorker();
    const listed = await api.send('GET', '/api/v1/workers');
    const [worker] = listed.json['items'] as { id: string }[];
    const path = `/api/v1/workers/${worker?.id ?? ''}`;
    const draining = { body: { draining: true } };
    expect((await api.send('PATCH', path, { ...draining, as: 'operator' })).status).toBe(403);
    expect((await api.send('PATCH', path, draining)).json).toMatchObject({
      state: 'draining',
      draining: true,
      resourceGroup: 'default',
    });
    const undrained = await api.send('PATCH', path, { body: { draining: false } });
    expect(undrained.json).toMatchObject({ state: 'live', draining: false });
    expect((await api.send('PATCH', '/api/v1/workers/wk_99', draining)).status).toBe(404);
    expect((await api.send('PATCH', `${GROUPS}/rg_1`, draining)).json['draining']).toBe(true);
    // What is so already is no news.
    await api.send('PATCH', `${GROUPS}/rg_1`, { body: { draining: true, slots: 9 } });
    const events = await api.database.rows(
      `SELECT type, payload FROM unnumbered_event WHERE type LIKE '%draining'
       UNION ALL SELECT type, payload FROM event WHERE type LIKE '%draining'`,
    );
    const [w1, group] = ['worker.draining', 'resourceGroup.draining'];
    expect(events).toHaveLength(3);
    expect(events).toEqual(
      expect.arrayContaining([
        { type: w1, payload: { worker: 'w1', resourceGroup: 'default', draining: true } },
        { type: w1, payload: { worker: 'w1', resourceGroup: 'default', draining: false } },
        { type: group, payload: { resourceGroup: 'default', draining: true } },
      ]),
    );

    await api.database.run(`UPDATE worker_lease SET lease_until = now() - interval '1 minute'`);
    const lost = await api.send('GET', '/api/v1/workers');
    expect(lost.json['items']).toMatchObject([{ name: 'w1', state: 'lost' }]);
    const audit = await api.database.rows(`SELECT action FROM audit ORDER BY id`);
    expect(audit).toEqual([
      { action: 'worker.updated' },
      { action: 'worker.updated' },
      { action: 'resourceGroup.updated' },
      { action: 'resourceGroup.updated' },
    ]);
  });
});

describe('gates', () => {
  test('a gate is made once for each target, changed, listed and removed', async () => {
    await using api = await openApi();
    await addWorkflow(api, 'orders', 'load');
    const gate = { scope: 'node', workflow: 'orders', node: 'load', capacity: 2 };
    const made = await api.send('POST', GATES, { body: gate, as: 'operator' });
    expect(made.status).toBe(201);
    expect(made.json).toEqual({
      id: 'gate_1',
      ...gate,
      dataSource: null,
      running: 0,
      waiting: 0,
      holders: [],
    });
    const twice = await api.send('POST', GATES, { body: gate });
    expect([twice.status, twice.json['code']]).toEqual([409, 'MR-S160']);
    const whole = { scope: 'workflow', workflow: 'orders', capacity: 5 };
    expect((await api.send('POST', GATES, { body: whole })).status).toBe(201);
    const changed = await api.send('PATCH', `${GATES}/gate_1`, { body: { capacity: 0 } });
    expect(changed.json['capacity']).toBe(0);
    const listed = await api.send('GET', GATES, { as: 'visitor' });
    expect(listed.json['items']).toMatchObject([{ scope: 'node' }, { scope: 'workflow' }]);
    expect((await api.send('DELETE', `${GATES}/gate_1`)).status).toBe(204);
    expect((await api.send('DELETE', `${GATES}/gate_1`)).status).toBe(404);
  });

  test.each([
    [{ scope: 'node', workflow: 'orders', node: 'lod', capacity: 1 }, 422, 'MR-S161'],
    [{ scope: 'workflow', workflow: 'order', capacity: 1 }, 422, 'MR-S161'],
    [{ scope: 'data_source', dataSource: 'shop', capacity: 1 }, 422, 'MR-S161'],
    [{ scope: 'workflow', workflow: 'orders', capacity: -1 }, 400, 'MR-A101'],
    [{ scope: 'workflow', workflow: 'orders', node: 'load', capacity: 1 }, 400, 'MR-A101'],
  ])('%j is refused', async (body, status, code) => {
    await using api = await openApi();
    await addWorkflow(api, 'orders', 'load');
    const answer = await api.send('POST', GATES, { body });
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
  });
});
