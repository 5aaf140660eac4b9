import { expect, test } from '@jest/globals';

import { FakeClock } from '../../support/line.js';
import { openScheduledApi } from '../../support/scheduled-api.js';

const WORKSPACE = '/api/v1/workspaces/finance';
const CALENDARS = `${WORKSPACE}/calendars`;
const clock = (): FakeClock => new FakeClock('2026-11-21T04:00:00Z');
const TRADING = {
  name: 'trading',
  holidays: ['2026-12-25', '2026-10-01', '2026-10-01'],
  workDays: ['2026-10-10'],
};

test('a business calendar is created, listed, changed and deleted with its ETag', async () => {
  await using api = await openScheduledApi(clock());
  const created = await api.send('POST', CALENDARS, { body: TRADING });
  expect(created.status).toBe(201);
  expect(created.json).toMatchObject({
    name: 'trading',
    workWeekdays: ['mon', 'tue', 'wed', 'thu', 'fri'],
    holidays: ['2026-10-01', '2026-12-25'],
    workDays: ['2026-10-10'],
    revision: 1,
  });
  const path = created.headers.get('location') ?? '';
  expect(path).toBe(`${CALENDARS}/${String(created.json['id'])}`);
  await api.send('POST', CALENDARS, { body: { name: 'another', workWeekdays: ['sun'] } });
  const list = await api.send('GET', `${CALENDARS}?limit=1`);
  expect(list.json).toMatchObject({ items: [{ name: 'another', workWeekdays: ['sun'] }] });
  const next = await api.send('GET', `${CALENDARS}?cursor=${String(list.json['nextCursor'])}`);
  expect(next.json).toMatchObject({ items: [{ name: 'trading' }], nextCursor: null });

  const patch = (ifMatch: string, body: object) =>
    api.send('PATCH', path, { body, headers: { 'if-match': ifMatch } });
  expect((await api.send('PATCH', path, { body: {} })).json['code']).toBe('MR-A107');
  const changed = await patch('"1"', { holidays: ['2027-01-01'], description: 'Exchange' });
  expect(changed.json).toMatchObject({
    description: 'Exchange',
    holidays: ['2027-01-01'],
    workDays: ['2026-10-10'],
    revision: 2,
  });
  expect((await patch('"1"', { holidays: [] })).json['code']).toBe('MR-A106');
  const gone = await api.send('DELETE', path, { headers: { 'if-match': '"2"' } });
  expect(gone.status).toBe(204);
  expect((await api.send('GET', path)).json['code']).toBe('MR-A104');
});

test('a calendar that contradicts itself or is no calendar is refused and changes nothing', async () => {
  await using api = await openScheduledApi(clock());
  await api.send('POST', CALENDARS, { body: TRADING });
  for (const [body, pointer] of [
    [{ name: 'a', holidays: ['2026-10-01'], workDays: ['2026-10-01'] }, '/workDays'],
    [{ name: 'a', holidays: ['2026-02-30'] }, '/holidays/0'],
    [{ name: 'a', workWeekdays: ['monday'] }, '/workWeekdays/0'],
    [{ name: '1st' }, '/name'],
    [{ name: 'a', weekend: [] }, ''],
  ] as const) {
    const { status, json } = await api.send('POST', CALENDARS, { body });
    expect([status, json['code']]).toEqual([400, 'MR-A101']);
    expect(json['errors']).toEqual([expect.objectContaining({ pointer })]);
  }
  const taken = await api.send('POST', CALENDARS, { body: { name: 'trading' } });
  expect(taken.json['code']).toBe('MR-A105');
  const { items } = (await api.send('GET', CALENDARS)).json as { items: { id: string }[] };
  const path = `${CALENDARS}/${items[0]?.id ?? ''}`;
  const clash = await api.send('PATCH', path, {
    body: { workDays: ['2026-12-25'] },
    headers: { 'if-match': '"1"' },
  });
  expect(clash.json).toMatchObject({ code: 'MR-A101', errors: [{ pointer: '/workDays' }] });
  expect((await api.send('GET', path)).json).toMatchObject({ workDays: ['2026-10-10'] });
});

test('a calendar that a workflow uses is not deleted, and the refusal names the workflow', async () => {
  await using api = await openScheduledApi(clock());
  const { headers } = await api.send('POST', CALENDARS, { body: TRADING });
  const nodes = [{ id: 'a', type: 'shell', config: { command: 'true' } }];
  const workflow = await api.send('POST', `${WORKSPACE}/workflows`, {
    body: { name: 'close_books', draft: { schedule: { calendar: 'trading' }, nodes } },
  });
  const id = String(workflow.json['id']);
  await api.send('POST', `${WORKSPACE}/workflows/${id}/submit`, { body: {} });
  const refused = await api.send('DELETE', headers.get('location') ?? '', {
    headers: { 'if-match': '*' },
  });
  expect(refused).toMatchObject({ status: 409, json: { code: 'MR-A105' } });
  expect(refused.json['detail']).toContain('close_books');
  expect((await api.send('GET', CALENDARS)).json).toMatchObject({ items: [{ name: 'trading' }] });
});

test('calendars and parameters of the workspace are changed by administrators only', async () => {
  await using api = await openScheduledApi(clock());
  for (const as of ['developer', 'operator', 'visitor'] as const) {
    expect((await api.send('POST', CALENDARS, { as, body: TRADING })).status).toBe(403);
    const patch = { as, body: { region: 'eu' } };
    expect((await api.send('PATCH', `${WORKSPACE}/parameters`, patch)).status).toBe(403);
    expect((await api.send('GET', CALENDARS, { as })).status).toBe(200);
  }
});

test('a change after which instances would wait for each other is refused with the circle, and changes nothing', async () => {
  await using api = await openScheduledApi(clock());
  const { headers } = await api.send('POST', CALENDARS, {
    body: { name: 'resting', workWeekdays: ['sun'] },
  });
  const shell = { type: 'shell', config: { command: 'true' } };
  const week = { effectiveFrom: '2026-11-23', effectiveTo: '2026-11-27', calendar: 'resting' };
  const nodes = [
    { id: 'a', ...shell, needs: ['b'], schedule: { cron: '0 * * * *' } },
    { id: 'b', ...shell, needs: ['c'], schedule: { cron: '0 10,11 * * *' } },
    {
      id: 'c',
      ...shell,
      needs: [{ node: 'a', cycle: 'previous' }],
      schedule: { cron: '*/5 * * * *', ...week },
    },
  ];
  const workflow = await api.send('POST', `${WORKSPACE}/workflows`, {
    body: { name: 'circular', draft: { nodes } },
  });
  const submit = `${WORKSPACE}/workflows/${String(workflow.json['id'])}/submit`;
  expect((await api.send('POST', submit, { body: {} })).status).toBe(201);
  const path = headers.get('location') ?? '';
  const patch = (workWeekdays: string[], revision: number) =>
    api.send('PATCH', path, {
      body: { workWeekdays },
      headers: { 'if-match': `"${revision}"` },
    });
  const refused = await patch(['wed'], 1);
  expect(refused).toMatchObject({ status: 422, json: { code: 'MR-S124' } });
  expect(refused.json['detail']).toMatch(/In the workflow "circular": .* waits for b .*1\d:00/);
  expect((await api.send('GET', path)).json).toMatchObject({ workWeekdays: ['sun'], revision: 1 });
  expect((await patch(['sat'], 1)).status).toBe(200);
});
