import { expect, test } from '@jest/globals';

import { ScheduleCommands } from '../../../src/scheduler/scheduler-commands.js';
import { openApi, type TestApi } from '../../support/api.js';
import { FakeClock } from '../../support/line.js';
import { CommandLine } from '../cli/command-line.js';

const WORKSPACE = '/api/v1/workspaces/finance';
const BACKFILLS = `${WORKSPACE}/backfills`;

/** An api with its scheduler's commands and one workflow `orders`: a -> b. */
async function open(): Promise<TestApi> {
  let commands: ScheduleCommands | undefined;
  const scheduler = (): ScheduleCommands => {
    if (commands === undefined) throw new Error('the scheduler is not there yet');
    return commands;
  };
  const api = await openApi({
    plugins: ['@millrace/plugin-shell'],
    commands: () => ({
      submitWorkflow: (options) => scheduler().submitWorkflow(options),
      planBackfill: (options) => scheduler().planBackfill(options),
      createBackfill: (options) => scheduler().createBackfill(options),
      controlBackfill: (command) => scheduler().controlBackfill(command),
    }),
  });
  const clock = new FakeClock('2026-11-21T04:00:00Z');
  commands = new ScheduleCommands(api.database, clock, api.wakeBus, api.plugins);
  const config = { command: 'true' };
  const nodes = [
    { id: 'a', type: 'shell', config },
    { id: 'b', type: 'shell', config, needs: ['a'] },
  ];
  const body = { name: 'orders', draft: { nodes } };
  const { json } = await api.send('POST', `${WORKSPACE}/workflows`, { body });
  await api.send('POST', `${WORKSPACE}/workflows/${String(json['id'])}/submit`, { body: {} });
  return api;
}

const ORDERS = {
  workflow: 'orders',
  ranges: [{ from: '2026-11-01', to: '2026-11-02' }],
  dates: ['2026-11-10'],
  parallelism: 2,
};

test('a backfill is planned, started with the token of its plan, and shown by business date', async () => {
  await using api = await open();
  const plan = await api.send('POST', `${BACKFILLS}/plan`, { body: ORDERS });
  expect(plan.status).toBe(200);
  expect(plan.json).toMatchObject({
    version: 1,
    order: 'asc',
    nodes: [
      { name: 'a', workflow: 'orders', role: 'run', reason: null },
      { name: 'b', workflow: 'orders', role: 'run', reason: null },
    ],
    workflows: [{ name: 'orders', version: 1 }],
    totals: { dates: 3, run: 6, dryRun: 0, leftOut: 0, conflicts: 0 },
    conflicts: [],
    choices: [],
    estimateMs: null,
    unknownNodes: 2,
  });
  expect((plan.json['dates'] as object[])[0]).toEqual({
    bizdate: '2026-11-01',
    run: [1, 1],
    dryRun: [0, 0],
    leftOut: [0, 0],
    conflicts: [0, 0],
  });

  const body = { ...ORDERS, name: 'november', planToken: plan.json['planToken'] };
  const started = await api.send('POST', BACKFILLS, { body });
  expect(started).toMatchObject({ status: 202, json: { instances: 6, bizdates: 3 } });
  const path = started.headers.get('location') ?? '';
  expect(path).toBe(`${BACKFILLS}/${String(started.json['id'])}`);
  const shown = await api.send('GET', path);
  expect(shown.json).toMatchObject({
    name: 'november',
    state: 'running',
    parallelism: 2,
    createdBy: 'owner',
    dates: { open: 2, waiting: 1 },
    statuses: { waiting_time: 3, waiting_upstream: 3 },
  });
  expect(shown.json['bizdates']).toMatchObject([
    { bizdate: '2026-11-01', state: 'open', statuses: { waiting_time: 1, waiting_upstream: 1 } },
    { bizdate: '2026-11-02', state: 'open' },
    { bizdate: '2026-11-10', state: 'waiting', openedAt: null, endedAt: null },
  ]);
  const again = await api.send('POST', BACKFILLS, { body });
  expect(again).toMatchObject({ status: 409, json: { code: 'MR-S131' } });
});

test('why a node is a dry run is in the plan, as the api and as the command line tell it', async () => {
  await using api = await open();
  const config = { command: 'true' };
  const nodes = [
    { id: 'a', type: 'shell', config },
    { id: 'b', type: 'shell', config, needs: ['a'], backfill: 'forbidden' },
    { id: 'c', type: 'shell', config, needs: ['b'] },
    { id: 'd', type: 'shell', config, needs: ['c'] },
  ];
  const body = { name: 'ledger', draft: { nodes } };
  const { json } = await api.send('POST', `${WORKSPACE}/workflows`, { body });
  await api.send('POST', `${WORKSPACE}/workflows/${String(json['id'])}/submit`, { body: {} });
  const asked = { ...ORDERS, workflow: 'ledger', exclude: ['c'] };
  const plan = await api.send('POST', `${BACKFILLS}/plan`, { body: asked });
  const workflow = 'ledger';
  expect(plan.json['nodes']).toEqual([
    { name: 'a', workflow, role: 'run', reason: null },
    { name: 'b', workflow, role: 'dry_run', reason: 'backfill_forbidden' },
    { name: 'd', workflow, role: 'run', reason: null },
    { name: 'c', workflow, role: 'dry_run', reason: 'left_out' },
  ]);
  expect(plan.json['totals']).toMatchObject({ run: 6, dryRun: 6 });
  const only = { ...asked, scope: { mode: 'nodes', nodes: ['b'] }, exclude: [] };
  const refused = await api.send('POST', BACKFILLS, { body: { ...only, name: 'n' } });
  expect(refused).toMatchObject({ status: 422, json: { code: 'MR-S196' } });
  using line = new CommandLine(api);
  const dates = ['--from', '2026-11-01', '--to', '2026-11-01'];
  const shown = await line.run(['backfill', 'ledger', ...dates, '--exclude', 'c', '--plan']);
  expect(shown.out).toContain('b is a dry run: no backfill may run it (backfill: forbidden)\n');
  expect(shown.out).toContain('c is a dry run: it was not asked for and others need it\n');
  const told = await line.run(['backfill', 'ledger', ...dates, '--node', 'b']);
  expect(told).toMatchObject({ code: 3, talk: expect.stringContaining('MR-S196') });
});

test('a backfill follows edges into other workflows when it is asked to, by the api and by the command line', async () => {
  await using api = await open();
  const config = { command: 'true' };
  const nodes = [
    { id: 'x', type: 'shell', config, needs: [{ workflow: 'orders', node: 'b' }] },
    { id: 'y', type: 'shell', config, needs: ['x'] },
  ];
  const body = { name: 'reports', draft: { nodes } };
  const { json } = await api.send('POST', `${WORKSPACE}/workflows`, { body });
  await api.send('POST', `${WORKSPACE}/workflows/${String(json['id'])}/submit`, { body: {} });
  const scope = { mode: 'downstream', nodes: ['a'], acrossWorkflows: true };
  const asked = { ...ORDERS, scope, exclude: ['reports/x'] };
  const plan = await api.send('POST', `${BACKFILLS}/plan`, { body: asked });
  expect(plan.json).toMatchObject({
    version: 1,
    workflows: [
      { name: 'orders', version: 1, timezone: 'Asia/Shanghai' },
      { name: 'reports', version: 1, timezone: 'Asia/Shanghai' },
    ],
    nodes: [
      { name: 'a', workflow: 'orders', role: 'run' },
      { name: 'b', workflow: 'orders', role: 'run' },
      { name: 'reports/y', workflow: 'reports', role: 'run' },
      { name: 'reports/x', workflow: 'reports', role: 'dry_run', reason: 'left_out' },
    ],
    totals: { run: 9, dryRun: 3 },
  });
  const { planToken } = plan.json;
  const started = await api.send('POST', BACKFILLS, { body: { ...asked, name: 'n', planToken } });
  expect(started).toMatchObject({ status: 202, json: { instances: 12, bizdates: 3 } });
  const id = String(started.json['id']);
  expect((await api.send('GET', `${BACKFILLS}/${id}`)).json).toMatchObject({
    workflows: ['orders', 'reports'],
    bizdates: [{ statuses: { waiting_time: 1, waiting_upstream: 3 } }, {}, {}],
  });
  const odd = { ...asked, scope: { mode: 'nodes', nodes: ['a'], acrossWorkflows: true } };
  expect((await api.send('POST', `${BACKFILLS}/plan`, { body: odd })).status).toBe(400);

  using line = new CommandLine(api);
  const argv = ['backfill', 'orders', '--from', '2026-11-01', '--to', '2026-11-02'];
  const below = [...argv, '--node', 'a', '--downstream', '--across-workflows'];
  const shown = await line.run([...below, '--exclude', 'reports/x', '--plan']);
  expect(shown.out).toContain('orders (version 1): a, b\nreports (version 1): y, x\n');
  expect(shown.out).toContain('reports/x is a dry run: it was not asked for and others need it\n');
  expect(shown.talk).toContain('Would run orders, reports for 2 business dates');
  const ends = ['--start', 'b', '--end', 'reports/x'];
  const chain = await line.run([...argv, ...ends, '--across-workflows', '-o', 'name']);
  expect(chain.code).toBe(0);
  const own = await line.run(['backfills', 'show', chain.out.trim()]);
  expect(own.out).toMatch(/workflows +orders, reports/);
  const refused = await line.run([...argv, '--node', 'a', '--across-workflows']);
  expect(refused).toMatchObject({ code: 2, talk: expect.stringContaining('--across-workflows') });
});

test('a backfill is paused, resumed, widened, skipped in part and cancelled, each with an audit row', async () => {
  await using api = await open();
  const started = await api.send('POST', BACKFILLS, { body: { ...ORDERS, name: 'n' } });
  const path = `${BACKFILLS}/${String(started.json['id'])}`;
  const ask = (verb: string, body?: object) => api.send('POST', `${path}/${verb}`, { body });
  expect((await ask('pause')).json).toMatchObject({ state: 'paused', parallelism: 2 });
  expect((await ask('resume')).json).toMatchObject({ state: 'running' });
  expect((await ask('retry')).json).toMatchObject({ retried: 0, refused: 0 });
  const wider = await api.send('PATCH', path, { body: { parallelism: 50 } });
  expect(wider).toMatchObject({ status: 200, json: { parallelism: 50 } });
  expect((await ask('skip', { bizdates: ['2026-11-02'] })).status).toBe(200);
  expect(await ask('skip', { bizdates: ['2026-11-03'] })).toMatchObject({
    status: 404,
    json: { code: 'MR-S134' },
  });
  expect((await api.send('GET', path)).json).toMatchObject({ dates: { open: 2, skipped: 1 } });
  expect((await ask('cancel')).json).toMatchObject({ state: 'cancelled' });
  expect(await ask('resume')).toMatchObject({ status: 409, json: { code: 'MR-S133' } });
  const audits = await api.database.rows<{ action: string }>(
    `SELECT action FROM audit WHERE action LIKE 'backfill.%' ORDER BY id`,
  );
  expect(audits.map(({ action }) => action)).toEqual(
    ['created', 'pause', 'resume', 'retry', 'parallelism', 'skip', 'cancel'].map(
      (action) => `backfill.${action}`,
    ),
  );
});

test('those who may not operate may look, and another workspace has no such backfill', async () => {
  await using api = await open();
  const started = await api.send('POST', BACKFILLS, { body: { ...ORDERS, name: 'n' } });
  const path = `${BACKFILLS}/${String(started.json['id'])}`;
  expect((await api.send('GET', path, { as: 'visitor' })).status).toBe(200);
  for (const verb of ['pause', 'resume', 'retry', 'cancel'])
    expect((await api.send('POST', `${path}/${verb}`, { as: 'developer' })).status).toBe(403);
  const plan = await api.send('POST', `${BACKFILLS}/plan`, { as: 'visitor', body: ORDERS });
  expect(plan.status).toBe(403);
  expect((await api.send('GET', `${BACKFILLS}/bf_999`)).status).toBe(404);
  expect((await api.send('POST', `${BACKFILLS}/bf_999/pause`)).status).toBe(404);
});

test.each<[string, object, string]>([
  ['no dates', { ranges: [], dates: [] }, '/ranges'],
  ['eight ranges', { ranges: Array(8).fill(ORDERS.ranges[0]) }, '/ranges'],
  ['a range backwards', { ranges: [{ from: '2026-11-02', to: '2026-11-01' }] }, '/ranges/0/to'],
  ['half of a range', { ranges: [], dates: [], from: '2026-11-01' }, '/to'],
  ['51 dates at once', { parallelism: 51 }, '/parallelism'],
  ['a priority above 11', { priority: 12 }, '/priority'],
  ['an hour that is none', { window: { from: '24:00', to: '06:00' } }, '/window/from'],
  ['an unknown resource group', { resourceGroup: 'none' }, '/resourceGroup'],
  ['an unknown workflow', { workflow: 'none' }, '/workflow'],
])('%s are refused with the field that is wrong', async (_, change, pointer) => {
  await using api = await open();
  const answer = await api.send('POST', `${BACKFILLS}/plan`, { body: { ...ORDERS, ...change } });
  expect(answer.status).toBe(400);
  const errors = answer.json['errors'] as { pointer: string }[];
  expect(errors.map((each) => each.pointer)).toContain(pointer);
});
