import { expect, test } from '@jest/globals';

import { ScheduleCommands } from '../../../src/scheduler/scheduler-commands.js';
import { openApi, type TestApi } from '../../support/api.js';
import { FakeClock } from '../../support/line.js';
import { planDay } from '../../support/planned-day.js';

const INSTANCES = '/api/v1/workspaces/finance/instances';
const clock = new FakeClock('2026-11-20T16:30:00Z');

async function open(): Promise<TestApi & { readonly ids: string[]; readonly foreign: string }> {
  let commands: ScheduleCommands | undefined;
  const scheduler = (): ScheduleCommands => {
    if (commands === undefined) throw new Error('the scheduler is not there yet');
    return commands;
  };
  const api = await openApi({
    commands: () => ({
      previewOperation: (options) => scheduler().previewOperation(options),
      stopInstance: (options) => scheduler().stopInstance(options),
      setInstanceSuccess: (options) => scheduler().setInstanceSuccess(options),
      freezeInstance: (options) => scheduler().freezeInstance(options),
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

test('an action that is none, no id, an id twice and a thousand and one ids are refused whole', async () => {
  await using api = await open();
  const [id = ''] = api.ids;
  for (const body of [
    { action: 'delete', ids: [id] },
    { action: 'stop', ids: [] },
    { action: 'stop', ids: [id, id] },
    { action: 'stop', ids: Array.from({ length: 1001 }, (_, no) => `inst_20261120_${no + 1}`) },
  ]) {
    for (const path of ['preview', 'batch']) {
      const answer = await api.send('POST', `${INSTANCES}/${path}`, { body });
      expect(answer).toMatchObject({ status: 400, json: { code: 'MR-A101' } });
    }
  }
});

async function statuses(api: TestApi): Promise<unknown[]> {
  return await api.database.rows('SELECT id, status, frozen, epoch FROM node_instance ORDER BY id');
}
