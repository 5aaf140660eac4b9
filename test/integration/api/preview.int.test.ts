import { describe, expect, test } from '@jest/globals';

import type { TestApi } from '../../support/api.js';
import { FakeClock } from '../../support/line.js';
import { openScheduledApi } from '../../support/scheduled-api.js';

const WORKSPACE = '/api/v1/workspaces/finance';
const NOW = '2026-11-21T04:00:00Z';

interface Previewed {
  readonly version: number | null;
  readonly timezone: string;
  readonly nodeTotal: number;
  readonly nodes: readonly {
    readonly node: string;
    readonly defaultTimes: boolean;
    readonly parameters: readonly { name: string; expression: string; level: string }[];
    readonly instances: readonly {
      bizdate: string;
      localTime: string;
      dryRun: string | null;
      values: Record<string, string>;
      errors: Record<string, string>;
    }[];
  }[];
}

const shell = (id: string, more: object = {}): object => ({
  id,
  type: 'shell',
  config: { command: 'true' },
  ...more,
});

async function newWorkflow(api: TestApi, draft: object): Promise<string> {
  const { json } = await api.send('POST', `${WORKSPACE}/workflows`, { body: { name: 'w', draft } });
  return `${WORKSPACE}/workflows/${String(json['id'])}`;
}

describe('the preview of a schedule', () => {
  const preview = async (api: TestApi, body: object) =>
    await api.send('POST', `${WORKSPACE}/schedule/preview`, { body });
  const times = (json: Record<string, unknown>): string[] =>
    (json['cycles'] as { localTime: string }[]).map(({ localTime }) => localTime);

  test('shows the next times from now on in the zone of the workspace, without days off', async () => {
    await using api = await openScheduledApi(new FakeClock(NOW));
    await api.send('POST', `${WORKSPACE}/calendars`, {
      body: { name: 'trading', holidays: ['2026-11-23'] },
    });
    const schedule = {
      period: { every: 'day', at: ['11:59', '12:01'] },
      calendar: 'trading',
    };
    const { status, json } = await preview(api, { schedule, count: 2 });
    expect(status).toBe(200);
    expect(json).toEqual({
      timezone: 'Asia/Shanghai',
      defaultTimes: false,
      cycles: [
        {
          bizdate: '2026-11-23',
          periodNo: 1,
          scheduledTime: '2026-11-24T03:59:00.000Z',
          localTime: '2026-11-24 11:59:00',
          fold: 0,
          dryRun: null,
        },
        expect.objectContaining({ localTime: '2026-11-24 12:01:00', periodNo: 2 }),
      ],
    });
  });

  test('shows what happens where the clock jumps, in another zone and for another day', async () => {
    await using api = await openScheduledApi(new FakeClock(NOW));
    const asked = {
      schedule: { cron: '30 2 * * *' },
      timezone: 'America/Los_Angeles',
      bizdate: '2026-03-06',
      count: 3,
    };
    expect(times((await preview(api, asked)).json)).toEqual([
      '2026-03-07 02:30:00',
      '2026-03-08 03:00:00',
      '2026-03-09 02:30:00',
    ]);
  });

  test('is ten daily times unless more are asked for, and fifty at most', async () => {
    await using api = await openScheduledApi(new FakeClock(NOW));
    const without = (await preview(api, {})).json;
    expect(without['defaultTimes']).toBe(true);
    expect(times(without)).toHaveLength(10);
    expect(times((await preview(api, { count: 50 })).json)).toHaveLength(50);
    expect((await preview(api, { count: 51 })).json['code']).toBe('MR-A101');
  });

  test('refuses what a submit would refuse', async () => {
    await using api = await openScheduledApi(new FakeClock(NOW));
    for (const [body, code] of [
      [{ schedule: { cron: '0 0 2 * * ?' } }, 'MR-S105'],
      [{ schedule: { period: { every: 'hour', hours: [1], step: 2 } } }, 'MR-S112'],
      [{ schedule: { calendar: 'ghost' } }, 'MR-S113'],
      [{ schedule: {}, timezone: 'Mars/Base' }, 'MR-S105'],
      [{ schedule: { cron: '0 1 * * *', period: { every: 'day', at: '01:00' } } }, 'MR-A101'],
    ] as const)
      expect((await preview(api, body)).json['code']).toBe(code);
  });

  test('ends where dates end, instead of failing', async () => {
    await using api = await openScheduledApi(new FakeClock(NOW));
    for (const bizdate of ['1000-01-01', '9999-12-27', '9999-12-31'])
      expect((await preview(api, { bizdate })).status).toBe(200);
    for (const schedule of [{ effectiveTo: '0500-01-01' }, { effectiveFrom: '9999-12-31' }])
      expect(times((await preview(api, { schedule })).json)).toEqual([]);
  });
});

describe('the preview of parameters', () => {
  test('of a draft that is not saved shows values, their levels and what has none', async () => {
    await using api = await openScheduledApi(new FakeClock(NOW));
    await api.send('PATCH', `${WORKSPACE}/parameters`, { body: { region: 'eu', ds: '$bizdate' } });
    const path = await newWorkflow(api, {});
    const draft = {
      parameters: { ds: '${yyyy-mm-dd}' },
      nodes: [
        shell('hourly', {
          schedule: { period: { every: 'hour', step: 12 } },
          parameters: { hour: '$[hh24]', me: '$taskid' },
        }),
        shell('daily'),
      ],
    };
    const { status, json } = await api.send('POST', `${path}/preview-parameters`, {
      body: { draft, bizdate: '2026-02-27', count: 3 },
    });
    expect(status).toBe(200);
    const { nodes, version, nodeTotal } = json as unknown as Previewed;
    expect([version, nodeTotal, nodes.map(({ node }) => node)]).toEqual([
      null,
      2,
      ['hourly', 'daily'],
    ]);
    expect(nodes[0]?.parameters).toEqual([
      { name: 'ds', expression: '${yyyy-mm-dd}', level: 'workflow' },
      { name: 'region', expression: 'eu', level: 'workspace' },
      { name: 'hour', expression: '$[hh24]', level: 'node' },
      { name: 'me', expression: '$taskid', level: 'node' },
    ]);
    expect(nodes[0]?.instances.map(({ localTime, values }) => [localTime, values])).toEqual([
      ['2026-02-28 00:00:00', { region: 'eu', ds: '2026-02-27', hour: '00' }],
      ['2026-02-28 12:00:00', { region: 'eu', ds: '2026-02-27', hour: '12' }],
      ['2026-03-01 00:00:00', { region: 'eu', ds: '2026-02-28', hour: '00' }],
    ]);
    expect(nodes[0]?.instances[0]?.errors).toEqual({ me: expect.stringContaining('$taskid') });
    expect(nodes[1]?.instances).toHaveLength(3);
    // Nobody says when `daily` runs.
    expect(nodes.map(({ defaultTimes }) => defaultTimes)).toEqual([false, true]);
  });

  test('shows what the planned instances then have, also on days off', async () => {
    await using api = await openScheduledApi(new FakeClock(NOW));
    const path = await newWorkflow(api, {
      schedule: { cron: '0 6 * * MON' },
      parameters: { week: '$[yyyymmdd-7]' },
      nodes: [shell('a', { parameters: { node: '$nodeid' } })],
    });
    await api.send('POST', `${path}/submit`, { body: {} });
    const { json } = await api.send('GET', `${path}/preview-parameters?count=2`);
    const { nodes, version } = json as unknown as Previewed;
    expect(version).toBe(1);
    expect(
      nodes[0]?.instances.map(({ localTime, dryRun, values }) => [
        localTime,
        dryRun,
        values['week'],
      ]),
    ).toEqual([
      ['2026-11-22 06:00:00', 'off_day', '20261115'],
      ['2026-11-23 06:00:00', null, '20261116'],
    ]);
    const run = await api.send('POST', `${path}/runs`, {
      body: { bizdate: '2026-11-22', allowFuture: true },
    });
    expect(run.status).toBe(202);
    const [row] = await api.database.rows<{ parameters: Record<string, string> }>(
      `SELECT parameters FROM node_instance_detail`,
    );
    expect(row?.parameters).toEqual(nodes[0]?.instances[1]?.values);
  });

  test('begins with the first day that a version is planned for, and has nothing of today before', async () => {
    await using api = await openScheduledApi(new FakeClock(NOW));
    const path = await newWorkflow(api, { schedule: { cron: '59 23 * * *' }, nodes: [shell('a')] });
    const next = async (): Promise<string[]> => {
      const { json } = await api.send('GET', `${path}/preview-parameters?count=2`);
      const { nodes } = json as unknown as Previewed;
      return nodes.flatMap((each) => each.instances.map(({ localTime }) => localTime));
    };
    expect(await next()).toEqual(['2026-11-21 23:59:00', '2026-11-22 23:59:00']);
    await api.send('POST', `${path}/submit`, { body: {} });
    expect(await next()).toEqual(['2026-11-22 23:59:00', '2026-11-23 23:59:00']);
  });

  test('takes the saved draft, one node of it, and names the node whose schedule is wrong', async () => {
    await using api = await openScheduledApi(new FakeClock(NOW));
    const bad = shell('b', { schedule: { cron: '0 0 * *' } });
    const path = await newWorkflow(api, { nodes: [shell('a'), bad] });
    const one = await api.send('GET', `${path}/preview-parameters?node=a&count=1`);
    expect((one.json as unknown as Previewed).nodes.map(({ node }) => node)).toEqual(['a']);
    const all = await api.send('POST', `${path}/preview-parameters`, { body: {} });
    expect(all.json).toMatchObject({
      code: 'MR-S105',
      detail: expect.stringContaining('node b: '),
    });
    const none = await api.send('GET', `${path}/preview-parameters?node=c`);
    expect(none).toMatchObject({ status: 404, json: { code: 'MR-A104' } });
    const broken = await api.send('POST', `${path}/preview-parameters`, {
      body: { draft: { nodes: [] } },
    });
    expect(broken.json).toMatchObject({ code: 'MR-A101', errors: [{ pointer: '/nodes' }] });
  });
});

test('a parameter of the workspace that can have no value is refused', async () => {
  await using api = await openScheduledApi(new FakeClock(NOW));
  const patch = (body: object) => api.send('PATCH', `${WORKSPACE}/parameters`, { body });
  expect((await patch({ a: '$bizdate', b: 'x' })).json).toEqual({ a: '$bizdate', b: 'x' });
  for (const wrong of [{ a: '${yyyymmdd-1/24}' }, { a: '${yyyy+9000}' }, { 'a-b': 'x' }])
    expect((await patch(wrong)).json['code']).toBe('MR-S106');
  expect((await patch({ a: null, c: '${yyyy}' })).json).toEqual({ b: 'x', c: '${yyyy}' });
});
