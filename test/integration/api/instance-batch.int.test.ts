import { expect, test } from '@jest/globals';

import { ScheduleCommands } from '../../../src/scheduler/scheduler-commands.js';
import { openApi, type TestApi } from '../../support/api.js';
import { FakeClock } from '../../support/line.js';
import { planDay } from '../../support/planned-day.js';

const AUDIT = '/api/v1/workspaces/finance/audit';
const INSTANCES = '/api/v1/workspaces/finance/instances';
const clock = new FakeClock('2026-11-20T16:30:00Z');

async function open(): Promise<TestApi & { readonly ids: string[]; readonly foreign: string }> {
  let commands: ScheduleCommands | undefined;
  const scheduler = (): ScheduleCommands => {
    if (commands === undefined) throw new Error('the scheduler is not there yet');
    return commands;
  };
  const api = await openApi({
    plugins: ['@millrace/plugin-file'],
    commands: () => ({
      previewOperation: (options) => scheduler().previewOperation(options),
      stopInstance: (options) => scheduler().stopInstance(options),
      setInstanceSuccess: (options) => scheduler().setInstanceSuccess(options),
      freezeInstance: (options) => scheduler().freezeInstance(options),
      rerunInstance: (options) => scheduler().rerunInstance(options),
      rerunWide: (options) => scheduler().rerunWide(options),
      forceInstance: (options) => scheduler().forceInstance(options),
      unlinkUpstreams: (options) => scheduler().unlinkUpstreams(options),
      changeInstance: (options) => scheduler().changeInstance(options),
      setNodeFrozen: (options) => scheduler().setNodeFrozen(options),
      previewNodeFreeze: (options) => scheduler().previewNodeFreeze(options),
    }),
  });
  commands = new ScheduleCommands(api.database, clock, api.wakeBus, api.plugins);
  const [other] = await api.database.rows<{ id: number }>(
    `INSERT INTO workspace (name, timezone) VALUES ('other', 'Asia/Shanghai') RETURNING id`,
  );
  const day = { bizdate: '2026-11-20', workflow: 'orders' };
  await planDay({ ...api, clock }, [
    { ...day, workspaceId: api.workspaceId, nodes: 3, chain: 3 },
    { ...day, workspaceId: other?.id ?? 0 },
  ]);
  const rows = await api.database.rows<{ id: string; ours: boolean }>(
    `SELECT 'inst_' || to_char(plan_day, 'YYYYMMDD') || '_' || id AS id, workspace_id = $1 AS ours
       FROM node_instance ORDER BY id`,
    [api.workspaceId],
  );
  const ids = rows.filter(({ ours }) => ours).map(({ id }) => id);
  return Object.assign(api, { ids, foreign: rows.find(({ ours }) => !ours)?.id ?? '' });
}

test('a preview names every instance, what would be done, and what lies downstream', async () => {
  await using api = await open();
  const [first = '', second = ''] = api.ids;
  const before = await statuses(api);
  const { status, json } = await api.send('POST', `${INSTANCES}/preview`, {
    body: { action: 'stop', ids: [first, api.foreign, 'inst_20261120_9999', 'nonsense'] },
  });
  expect(status).toBe(200);
  expect(json).toMatchObject({
    items: [
      {
        id: first,
        node: 'node_0',
        workflow: 'orders',
        bizdate: '2026-11-20',
        status: 'waiting_time',
        verdict: 'will',
        statusAfter: 'cancelled',
        frozenAfter: false,
      },
      { id: api.foreign, verdict: 'refused', code: 'MR-A104' },
      { id: 'inst_20261120_9999', verdict: 'refused', code: 'MR-A104' },
      { id: 'nonsense', verdict: 'refused', code: 'MR-A104' },
    ],
    downstream: [
      { id: second, node: 'node_1', effect: 'stays blocked' },
      { node: 'node_2', effect: 'stays blocked' },
    ],
    downstreamTotal: 2,
    complete: true,
    totals: { will: 1, refused: 3, nothing: 0, downstream: { 'stays blocked': 2, unchanged: 0 } },
  });
  expect(Object.keys((json['items'] as object[])[1] ?? {})).toEqual([
    'id',
    'verdict',
    'code',
    'reason',
  ]);
  expect(await statuses(api)).toEqual(before);
});

test('a batch does what it can, says why of the rest, and leaves an audit row for each', async () => {
  await using api = await open();
  const [first = '', second = ''] = api.ids;
  const body = { action: 'stop', ids: [first, api.foreign, second, 'nonsense'], comment: 'late' };
  const headers = { 'idempotency-key': 'stop-1' };
  const answer = await api.send('POST', `${INSTANCES}/batch`, { as: 'operator', body, headers });
  expect(answer).toMatchObject({
    status: 200,
    json: {
      items: [
        { id: first, ok: true, status: 'cancelled', frozen: false },
        { id: api.foreign, ok: false, problem: { code: 'MR-A104', status: 404 } },
        { id: second, ok: true, status: 'cancelled', frozen: false },
        { id: 'nonsense', ok: false, problem: { code: 'MR-A104' } },
      ],
      ok: 2,
      refused: 2,
    },
  });
  const again = await api.send('POST', `${INSTANCES}/batch`, { as: 'operator', body, headers });
  expect(again.json).toEqual(answer.json);
  const audit = await api.database.rows(
    `SELECT target FROM audit WHERE action = 'instance.stopInstance' ORDER BY id`,
  );
  expect(audit).toEqual([{ target: first }, { target: second }]);
  const refused = await api.send('POST', `${INSTANCES}/batch`, {
    body: { action: 'stop', ids: [first] },
  });
  expect(refused.json).toMatchObject({
    items: [{ ok: false, problem: { code: 'MR-S205', help: expect.any(String) } }],
    ok: 0,
    refused: 1,
  });
});

test('the audit says who did what to which instance and why, to members of the workspace alone', async () => {
  await using api = await open();
  const [first = '', second = '', third = ''] = api.ids;
  const stop = { action: 'stop', ids: [second, third], comment: 'orders came twice' };
  await api.send('POST', `${INSTANCES}/batch`, { as: 'operator', body: stop });
  const comment = 'until the orders are here';
  const freeze = await api.send('POST', `/api/v1/instances/${first}/freeze`, { body: { comment } });
  expect(freeze.json).toMatchObject({ frozen: true });
  const audit = async (query: string) => {
    const { json } = await api.send('GET', `${AUDIT}?${query}`, { as: 'visitor' });
    return json as { items: { at?: string }[]; nextCursor: string | null };
  };
  const entry = { at: expect.stringMatching(/Z$/), fields: [] };
  const stopped = {
    ...entry,
    user: 'operator',
    action: 'instance.stopInstance',
    comment: 'orders came twice',
  };
  const frozen = {
    ...entry,
    user: 'owner',
    action: 'instance.freezeInstance',
    target: first,
    comment,
  };
  expect((await audit(`target=${first}`)).items).toEqual([frozen]);
  expect((await audit('user=operator')).items).toEqual([
    { ...stopped, target: third },
    { ...stopped, target: second },
  ]);
  expect((await audit('action=instance.freezeInstance')).items).toEqual([frozen]);
  expect((await audit('action=instance')).items).toHaveLength(3);
  expect((await audit('action=inst')).items).toEqual([]);
  const [{ at = '' } = {}] = (await audit('limit=1')).items;
  expect((await audit(`from=${at}`)).items).toEqual([frozen]);
  expect((await audit(`to=${at}`)).items).toHaveLength(2);
  const newest = await audit('limit=1');
  expect(newest.items).toEqual([frozen]);
  const next = await audit(`limit=1&cursor=${newest.nextCursor ?? ''}`);
  expect(next.items).toEqual([{ ...stopped, target: third }]);
  const foreign = await api.send('GET', AUDIT.replace('finance', 'nowhere'));
  expect(foreign.status).toBe(404);
  expect((await api.send('GET', AUDIT, { as: 'security_manager' })).status).toBe(403);
});

test('an action that is none, no id, an id twice and a thousand and one ids are refused whole', async () => {
  await using api = await open();
  const [id = ''] = api.ids;
  for (const body of [
    { action: 'delete', ids: [id] },
    { action: 'stop', ids: [] },
    { action: 'stop', ids: [id, id] },
    { action: 'unlink', ids: [id] },
    { action: 'stop', ids: [id], upstream: [id] },
    { action: 'change', ids: [id] },
    { action: 'change', ids: [id], priority: 9 },
    { action: 'rerun', ids: [id], priority: 3 },
    { action: 'stop', ids: Array.from({ length: 1001 }, (_, no) => `inst_20261120_${no + 1}`) },
  ]) {
    for (const path of ['preview', 'batch']) {
      const answer = await api.send('POST', `${INSTANCES}/${path}`, { body });
      expect(answer).toMatchObject({ status: 400, json: { code: 'MR-A101' } });
    }
  }
});

test('a wide rerun is foreseen and done as one, with what runs along, doubles and is refused', async () => {
  await using api = await open();
  const [first = '', second = '', third = ''] = api.ids;
  // As if the chain had run: the middle one is a sync that appends.
  await api.database
    .run(`UPDATE node_version SET type = 'sync', config = '{"target": {"mode": "append"}}'
      WHERE node_id = (SELECT id FROM node WHERE name = 'node_1' ORDER BY id LIMIT 1)`);
  await api.database.run(
    `UPDATE node_instance SET status = 'succeeded', pending = 0,
            node_type = CASE WHEN id = $1 THEN 'sync' ELSE node_type END`,
    [Number(second.split('_')[2])],
  );
  await api.database.run(`UPDATE instance_edge SET outcome = 'success'`);
  await api.database.run(`DELETE FROM due_instance`);
  await api.database.run(
    `INSERT INTO attempt (plan_day, instance_id, epoch, run_number, attempt, fence, worker_id,
            version_id, state, claimed_at)
     SELECT plan_day, id, 1, 1, 1, id, 1, version_id, 'succeeded', now() FROM node_instance`,
  );
  const body = { action: 'rerun-downstream', ids: [first, api.foreign] };
  const preview = await api.send('POST', `${INSTANCES}/preview`, { body });
  expect(preview.json).toMatchObject({
    items: [
      { id: first, verdict: 'will' },
      { id: api.foreign, verdict: 'refused' },
    ],
    downstream: [
      { id: second, effect: 'runs again', doubles: true },
      { id: third, effect: 'runs again' },
    ],
    totals: {
      will: 1,
      downstream: { 'runs again': 2, 'is left out': 0 },
      workflows: [{ workflow: 'orders', instances: 3 }],
      doubles: 1,
    },
  });
  // An increment reads on where the last run ended: it has nothing to bring twice.
  const config = { target: { mode: 'append' }, incremental: { cursor: 'id' } };
  await api.database.run('UPDATE node_version SET config = $1', [JSON.stringify(config)]);
  const read = await api.send('POST', `${INSTANCES}/preview`, { body });
  expect(read.json).toMatchObject({ totals: { doubles: 0 } });
  // Nor has a writer whose reruns replace.
  const [file = ''] = api.plugins
    .manifests()
    .flatMap(({ writers }) => writers.filter(({ rerunReplaces }) => rerunReplaces))
    .map(({ type }) => type);
  expect(file).toBe('file');
  await api.database.run(
    `WITH sealed AS (INSERT INTO secret (key_id, wrapped_key, ciphertext) VALUES ('k1', '', '') RETURNING id)
     INSERT INTO data_source (workspace_id, name, type, config, config_version, secret_id)
     SELECT $1, 'out', 'file', '{}', 1, id FROM sealed`,
    [api.workspaceId],
  );
  await api.database.run('UPDATE node_version SET config = $1', [
    JSON.stringify({ target: { dataSource: 'out' } }),
  ]);
  const replaced = await api.send('POST', `${INSTANCES}/preview`, { body });
  expect(replaced.json).toMatchObject({ totals: { doubles: 0 } });
  const done = await api.send('POST', `${INSTANCES}/batch`, { body: { ...body, comment: 'late' } });
  expect(done.json).toMatchObject({
    items: [
      { id: first, ok: true },
      { id: api.foreign, ok: false, problem: { code: 'MR-A104' } },
    ],
    ok: 1,
    refused: 1,
    along: 2,
  });
  expect(await auditOf(api, 'instance.rerunInstanceDownstream')).toEqual([first]);
  expect((await auditOf(api, 'instance.rerunAlong')).sort()).toEqual([second, third].sort());
  expect(
    await api.database.rows(
      `SELECT DISTINCT detail ->> 'comment' AS comment FROM audit WHERE action LIKE 'instance.rerun%'`,
    ),
  ).toEqual([{ comment: 'late' }]);
  const again = await api.send('POST', `/api/v1/instances/${first}/rerun-downstream`, { body: {} });
  expect(again).toMatchObject({ status: 409, json: { code: 'MR-S205' } });
});

test('an upstream is removed from and a priority given to one or many, each with an audit row', async () => {
  await using api = await open();
  const [first = '', second = '', third = ''] = api.ids;
  const unlink = { action: 'unlink', ids: [second, third], upstream: [first] };
  const preview = await api.send('POST', `${INSTANCES}/preview`, { body: unlink });
  expect(preview.json).toMatchObject({
    items: [
      { id: second, verdict: 'will', statusAfter: 'waiting_resource' },
      { id: third, verdict: 'refused', code: 'MR-S140' },
    ],
  });
  expect((await api.send('POST', `${INSTANCES}/batch`, { body: unlink })).json).toMatchObject({
    items: [
      { ok: true, status: 'waiting_resource' },
      { ok: false, problem: { code: 'MR-S140' } },
    ],
  });
  expect(await auditOf(api, 'instance.unlinkUpstreams')).toEqual([second]);
  const change = { action: 'change', ids: [first, second], priority: 8 };
  expect((await api.send('POST', `${INSTANCES}/batch`, { body: change })).json).toMatchObject({
    ok: 2,
  });
  const preview2 = await api.send('POST', `${INSTANCES}/preview`, { body: change });
  expect(preview2.json).toMatchObject({ totals: { nothing: 2 } });
  expect(await api.send('GET', `/api/v1/instances/${first}`)).toMatchObject({
    json: { priority: 8, upstreamFailed: false },
  });
  const unknown = { ...change, priority: undefined, resourceGroup: 'nobody' };
  expect(await api.send('POST', `${INSTANCES}/preview`, { body: unknown })).toMatchObject({
    status: 422,
    json: { code: 'MR-S142' },
  });
  const forced = await api.send('POST', `/api/v1/instances/${third}/force-rerun`, { body: {} });
  expect(forced).toMatchObject({ status: 200, json: { status: 'waiting_resource' } });
});

test('what waits for a failed upstream, or for one that does, is listed as such', async () => {
  await using api = await open();
  const [first = '', second = '', third = ''] = api.ids;
  const listed = async (query: string): Promise<unknown> =>
    ((await api.send('GET', `${INSTANCES}?${query}`)).json['items'] as { id: string }[])
      .map(({ id }) => id)
      .sort();
  expect(await listed('upstreamFailed=true')).toEqual([]);
  await api.send('POST', `/api/v1/instances/${first}/stop`, { body: {} });
  expect(await listed('upstreamFailed=true')).toEqual([second, third].sort());
  expect(await listed('upstreamFailed=false')).toEqual([first]);
  expect((await api.send('GET', `/api/v1/instances/${third}`)).json).toMatchObject({
    status: 'waiting_upstream',
    upstreamFailed: true,
  });
  await api.send('POST', `/api/v1/instances/${first}/set-success`, { body: {} });
  expect(await listed('upstreamFailed=true')).toEqual([]);
});

test('a rerun offers the code that was planned and the latest, with the difference', async () => {
  await using api = await open();
  const [first = '', second = ''] = api.ids;
  const versions = `/api/v1/instances/${first}/versions`;
  expect((await api.send('GET', versions)).json).toMatchObject({
    planned: { version: 1 },
    latest: { version: 1 },
    changes: [],
  });
  await api.database.run(
    `WITH newer AS (INSERT INTO workflow_version (workflow_id, version, spec, timezone, first_bizdate, comment)
            SELECT workflow_id, 2, spec, timezone, first_bizdate, 'mended' FROM workflow_version
             WHERE id = (SELECT version_id FROM node_instance WHERE id = $1) RETURNING id)
     INSERT INTO node_version (version_id, node_id, type, config, config_version, parameters, cron, dst_policy,
            self_dependence, schedule_type, rerun_mode, priority, resource_group_id, slots, retry_max,
            retry_interval_ms, retry_cap_ms, timeout_ms, data_sources)
     SELECT newer.id, nv.node_id, nv.type, '{"command": "echo mended"}', 1, '{}', nv.cron, nv.dst_policy, false,
            'normal', 'always', 1, nv.resource_group_id, 1, 0, 60000, 1800000, 60000, '{}'
       FROM newer, node_version nv JOIN node_instance i ON i.version_id = nv.version_id AND i.node_id = nv.node_id
      WHERE i.id = $1`,
    [Number(first.split('_')[2])],
  );
  expect((await api.send('GET', versions)).json).toMatchObject({
    planned: { version: 1 },
    latest: { version: 2, comment: 'mended' },
    changes: expect.arrayContaining([
      expect.objectContaining({ pointer: '/config/command', latest: 'echo mended' }),
    ]),
  });
  await api.send('POST', `/api/v1/instances/${first}/stop`, { body: {} });
  await api.send('POST', `/api/v1/instances/${second}/stop`, { body: {} });
  const both = { action: 'rerun', ids: [first, second] };
  expect((await api.send('POST', `${INSTANCES}/preview`, { body: both })).json).toMatchObject({
    totals: { will: 2, changedCode: 1 },
  });
  const rerun = { code: 'planned', comment: 'as it was' };
  const again = await api.send('POST', `/api/v1/instances/${first}/rerun`, { body: rerun });
  expect(again).toMatchObject({ status: 200, json: { status: 'waiting_resource' } });
  expect(
    await api.database.rows(`SELECT runs_planned FROM node_instance WHERE id = $1`, [
      Number(first.split('_')[2]),
    ]),
  ).toEqual([{ runs_planned: true }]);
  const stop = { action: 'stop', ids: [second], code: 'planned' };
  expect((await api.send('POST', `${INSTANCES}/batch`, { body: stop })).status).toBe(400);
  expect((await api.send('GET', '/api/v1/instances/inst_20261121_999999/versions')).status).toBe(
    404,
  );
});

test('a node is frozen and unfrozen by its name, by those who operate', async () => {
  await using api = await open();
  const [workflow] = await api.database.rows<{ id: number }>(
    `SELECT id FROM workflow WHERE workspace_id = $1`,
    [api.workspaceId],
  );
  const nodes = `/api/v1/workspaces/finance/workflows/wf_${workflow?.id}/nodes`;
  const before = await api.database.rows('SELECT * FROM node_instance ORDER BY id');
  const preview = await api.send('POST', `${nodes}/node_1/preview-freeze`, {
    body: { instances: true },
  });
  expect(preview).toMatchObject({
    status: 200,
    json: { node: 'node_1', frozen: true, instances: 1, ids: [expect.stringMatching(/^inst_/)] },
  });
  expect(await api.database.rows('SELECT * FROM node_instance ORDER BY id')).toEqual(before);
  expect((await api.send('GET', nodes)).json).toMatchObject({
    items: [{ frozen: false }, { frozen: false }, { frozen: false }],
  });
  const freeze = { body: { instances: true, comment: 'the source is down' } };
  expect(await api.send('POST', `${nodes}/node_1/freeze`, freeze)).toMatchObject({
    status: 200,
    json: { node: 'node_1', frozen: true, instances: 1, scheduleType: 'normal' },
  });
  expect((await api.send('GET', nodes)).json).toMatchObject({
    items: [
      { name: 'node_0', frozen: false },
      { name: 'node_1', frozen: true },
      { name: 'node_2', frozen: false },
    ],
  });
  expect(await auditOf(api, 'node.freezeNode')).toEqual(['orders/node_1']);
  const [audit] = await api.database.rows<{ comment: string }>(
    `SELECT detail ->> 'comment' AS comment FROM audit WHERE action = 'node.freezeNode'`,
  );
  expect(audit).toEqual({ comment: 'the source is down' });
  expect(await api.send('POST', `${nodes}/node_1/unfreeze`)).toMatchObject({
    json: { frozen: false, instances: 0 },
  });
  expect(await api.send('POST', `${nodes}/none/freeze`)).toMatchObject({ status: 404 });
  const many = { nodes: ['node_0', 'none', 'node_2'], instances: true };
  const stillBefore = await api.database.rows('SELECT * FROM node_instance ORDER BY id');
  const unknown = { node: 'none', problem: { code: 'MR-A104' } };
  expect(await api.send('POST', `${nodes}/preview`, { body: many })).toMatchObject({
    status: 200,
    json: {
      items: [
        { node: 'node_0', frozen: true, instances: 1, ids: [api.ids[0]] },
        unknown,
        { node: 'node_2', frozen: true, instances: 1, ids: [api.ids[2]] },
      ],
    },
  });
  expect(await api.database.rows('SELECT * FROM node_instance ORDER BY id')).toEqual(stillBefore);
  const batch = await api.send('POST', `${nodes}/batch`, { body: { ...many, comment: 'all' } });
  expect(batch.json).toMatchObject({
    items: [{ node: 'node_0', instances: 1 }, unknown, { node: 'node_2', instances: 1 }],
  });
  expect(await auditOf(api, 'node.freezeNode')).toEqual([
    'orders/node_1',
    'orders/node_0',
    'orders/node_2',
  ]);
  const thaw = { nodes: ['node_0', 'node_2'], frozen: false };
  expect((await api.send('POST', `${nodes}/batch`, { body: thaw })).json).toMatchObject({
    items: [{ frozen: false }, { frozen: false }],
  });
  const developer = await api.send('POST', `${nodes}/node_1/freeze`, { as: 'developer' });
  expect(developer).toMatchObject({ status: 403 });
});

async function auditOf(api: TestApi, action: string): Promise<string[]> {
  const rows = await api.database.rows<{ target: string }>(
    'SELECT target FROM audit WHERE action = $1 ORDER BY id',
    [action],
  );
  return rows.map(({ target }) => target);
}

async function statuses(api: TestApi): Promise<unknown[]> {
  return await api.database.rows('SELECT id, status, frozen, epoch FROM node_instance ORDER BY id');
}

test('what cannot be audited is not done', async () => {
  await using api = await open();
  const [first = '', second = ''] = api.ids;
  const before = await statuses(api);
  await api.database.run('ALTER TABLE audit RENAME TO audit_elsewhere');
  const alone = await api.send('POST', `/api/v1/instances/${first}/stop`, { body: {} });
  expect(alone.status).toBe(500);
  for (const action of ['stop', 'rerun-downstream'])
    await api.send('POST', `${INSTANCES}/batch`, { body: { action, ids: [first, second] } });
  expect(await statuses(api)).toEqual(before);
  await api.database.run('ALTER TABLE audit_elsewhere RENAME TO audit');
  const again = await api.send('POST', `/api/v1/instances/${first}/stop`, { body: {} });
  expect(again.json).toMatchObject({ status: 'cancelled' });
});
