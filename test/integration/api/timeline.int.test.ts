import { gzipSync } from 'node:zlib';

import { expect, test } from '@jest/globals';

import { encodeDayId } from '../../../src/domain/ids.js';
import { INSTANCE_STATUSES } from '../../../src/domain/instance/status.js';
import { removeOldDays } from '../../../src/scheduler/retention.js';
import { openApi, type TestApi } from '../../support/api.js';
import { FakeClock } from '../../support/line.js';
import { makeOld } from '../../support/old-day.js';
import { planDay } from '../../support/planned-day.js';

const TIMELINE = '/api/v1/workspaces/finance/timeline';
const BIZDATE = '2026-11-20';

interface Answer {
  readonly lod: string;
  readonly seq: number;
  readonly total: number;
  readonly from: number;
  readonly to: number;
  readonly counts: Record<string, number>;
  readonly groups: { key: string; label: string; count: number }[];
  readonly nodes: { id: string; name: string; group: number; workflow: number }[];
  readonly inst: Record<string, (number | null)[]> & { id: string[] };
  readonly p50: (number | null)[];
  readonly tiles: {
    bucketMs: number;
    origin: number;
    group: number[];
    bucket: number[];
    status: number[];
    count: number[];
  };
}

async function open(): Promise<TestApi> {
  const api = await openApi();
  const clock = new FakeClock('2026-11-20T16:30:00Z');
  const more = { workspaceId: api.workspaceId, bizdate: BIZDATE };
  await planDay({ ...api, clock }, [
    { ...more, workflow: 'orders', nodes: 4, chain: 2 },
    { ...more, workflow: 'hourly', nodes: 1, cron: '0 * * * *' },
  ]);
  return api;
}

async function read(api: TestApi, query: string): Promise<Answer> {
  const answer = await api.send('GET', `${TIMELINE}?${query}`);
  expect(answer.text).toMatch(/^\{"bizdate"/);
  expect(answer.status).toBe(200);
  return answer.json as unknown as Answer;
}

test('a business date comes as bars in columns, or as tiles, with the same counts', async () => {
  await using api = await open();
  const bars = await read(api, `bizdate=${BIZDATE}`);
  expect(bars).toMatchObject({
    lod: 'bars',
    bizdate: BIZDATE,
    runDate: '2026-11-21',
    timezone: 'Asia/Shanghai',
    total: 28,
    from: Date.parse('2026-11-20T16:00:00Z'),
    to: Date.parse('2026-11-21T15:00:00Z'),
    counts: { waiting_upstream: 2, waiting_time: 26 },
    groups: [
      { label: 'hourly', count: 24 },
      { label: 'orders', count: 4 },
    ],
    statuses: INSTANCE_STATUSES,
  });
  expect(bars.nodes.map((node) => [node.name, node.group])).toEqual([
    ['node_0', 1],
    ['node_1', 1],
    ['node_2', 1],
    ['node_3', 1],
    ['node_0', 0],
  ]);
  for (const column of Object.values(bars.inst)) expect(column).toHaveLength(28);
  expect(bars.p50).toEqual([null, null, null, null, null]);
  expect(bars.inst.id[0]).toMatch(/^inst_\d{8}_\d+$/);
  expect([...new Set(bars.inst['scheduled'])]).toEqual(
    Array.from({ length: 24 }, (_, hour) => hour * 3_600_000),
  );

  const tiles = await read(api, `bizdate=${BIZDATE}&lod=tiles&buckets=24`);
  expect(tiles).toMatchObject({ lod: 'tiles', total: 28, counts: bars.counts });
  expect(tiles.groups).toEqual(bars.groups);
  expect(tiles.tiles).toMatchObject({ bucketMs: 3_600_000, origin: bars.from });
  expect(tiles.tiles.count.reduce((sum, each) => sum + each, 0)).toBe(28);
  expect(tiles.tiles.bucket.filter((_, cell) => tiles.tiles.group[cell] === 0)).toEqual(
    Array.from({ length: 24 }, (_, hour) => hour),
  );
});

test('filters choose, and the counts beside a status filter are of everything else that matches', async () => {
  await using api = await open();
  const total = async (query: string): Promise<number> =>
    (await read(api, `bizdate=${BIZDATE}&${query}`)).total;
  const { groups } = await read(api, `bizdate=${BIZDATE}`);
  expect(await total('workflow=orders')).toBe(4);
  expect(await total(`workflow=${groups[0]?.key ?? ''},orders`)).toBe(28);
  expect(await total('workflow=none')).toBe(0);
  expect(await total('q=NODE_3')).toBe(1);
  expect(await total('q=hour')).toBe(24);
  expect(await total('q=%25')).toBe(0);
  expect(await total('nodeType=shell')).toBe(28);
  expect(await total('nodeType=sql,sync')).toBe(0);
  expect(await total('resourceGroup=default')).toBe(28);
  expect(await total('resourceGroup=other')).toBe(0);
  expect(await total('runGroupKind=scheduled')).toBe(28);
  expect(await total('runGroupKind=test,backfill')).toBe(0);
  const [scheduled] = await api.database.rows<{ id: number }>(
    `SELECT DISTINCT run_group_id AS id FROM node_instance`,
  );
  expect(await total(`runGroup=bf_${scheduled?.id}`)).toBe(28);
  expect(await total(`runGroup=bf_${Number(scheduled?.id) + 1}`)).toBe(0);
  expect(await total('frozen=true')).toBe(0);
  expect(await total('frozen=false')).toBe(28);
  const waiting = await read(api, `bizdate=${BIZDATE}&status=waiting_upstream`);
  expect(waiting).toMatchObject({ total: 28, counts: { waiting_time: 26 } });
  expect(waiting.inst.id).toHaveLength(2);
  for (const groupBy of ['nodeType', 'resourceGroup']) {
    const key = groupBy === 'nodeType' ? 'shell' : 'default';
    expect((await read(api, `bizdate=${BIZDATE}&groupBy=${groupBy}`)).groups).toEqual([
      { key, label: key, count: 28 },
    ]);
  }
});

test('the list of instances has the same filters, and its facets count what it lists', async () => {
  await using api = await open();
  const list = async (query: string): Promise<string[]> => {
    const found: string[] = [];
    for (let cursor = ''; ;) {
      const { status, json } = await api.send(
        'GET',
        `/api/v1/workspaces/finance/instances?limit=10&${query}${cursor}`,
      );
      expect(status).toBe(200);
      found.push(...(json['items'] as { id: string }[]).map(({ id }) => id));
      if (json['nextCursor'] === null) return found;
      cursor = `&cursor=${json['nextCursor'] as string}`;
    }
  };
  await api.database.run(
    `UPDATE node_instance SET frozen = true WHERE status = 'waiting_upstream'`,
  );
  for (const [query, count] of [
    ['', 28],
    [`bizdate=${BIZDATE}`, 28],
    ['workflow=orders,hourly', 28],
    ['workflow=orders&frozen=true', 2],
    ['frozen=false', 26],
    ['q=ORD&status=waiting_time', 2],
    ['nodeType=sql', 0],
    ['resourceGroup=default&runGroupKind=scheduled', 28],
    ['runGroupKind=test', 0],
    ['node=node_1', 1],
  ] as const) {
    const found = await list(query);
    expect([query, found.length, new Set(found).size]).toEqual([query, count, count]);
    const facets = await api.send('GET', `/api/v1/workspaces/finance/instances/facets?${query}`);
    expect([query, facets.json['total']]).toEqual([query, count]);
  }
  const { json } = await api.send('GET', `/api/v1/workspaces/finance/instances/facets?q=node`);
  const { groups } = await read(api, `bizdate=${BIZDATE}`);
  expect(json).toEqual({
    total: 28,
    status: [
      { value: 'waiting_time', count: 26 },
      { value: 'waiting_upstream', count: 2 },
    ],
    nodeType: [{ value: 'shell', count: 28 }],
    resourceGroup: [{ value: 'default', count: 28 }],
    workflow: groups.map(({ key, label, count }) => ({ id: key, value: label, count })),
  });
});

test('a window has what may run before its end and has not ended before its beginning', async () => {
  await using api = await open();
  const window = async (from: string, to: string): Promise<Answer> =>
    await read(api, `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`);
  const early = await window('2026-11-21T00:00:00+08:00', '2026-11-21T02:00:00+08:00');
  // Four nodes and the cycles of 00:00 and 01:00; the end itself is outside.
  expect(early).toMatchObject({ total: 6, bizdate: null, runDate: null });
  expect(early.from).toBe(Date.parse('2026-11-20T16:00:00Z'));
  await api.database.run(
    `UPDATE node_instance SET status = 'succeeded', started_at = run_at, ended_at = run_at + interval '5 min'
      WHERE scheduled_at < '2026-11-20T16:30:00Z'`,
  );
  const later = await window('2026-11-20T16:05:00Z', '2026-11-20T18:00:00Z');
  expect(later.total).toBe(6);
  expect((await window('2026-11-20T16:05:01Z', '2026-11-20T18:00:00Z')).total).toBe(1);
});

test('a question that makes no sense is refused by field', async () => {
  await using api = await openApi();
  for (const [query, pointer] of [
    ['', '/bizdate'],
    ['bizdate=2026-11-20&from=2026-11-20T00:00:00Z', '/bizdate'],
    ['from=2026-11-20T00:00:00Z', '/bizdate'],
    ['from=2026-11-20T00:00:00Z&to=2026-11-20T00:00:00Z', '/to'],
    ['bizdate=2026-11-20&groupBy=owner', '/groupBy'],
    ['bizdate=2026-11-20&buckets=5000', '/buckets'],
    ['bizdate=2026-11-20&status=done', '/status/0'],
  ])
    expect(await api.send('GET', `${TIMELINE}?${query}`)).toMatchObject({
      status: 400,
      json: { code: 'MR-A101', errors: [{ pointer }] },
    });
  const empty = await read(api, 'bizdate=2026-11-20');
  expect(empty).toMatchObject({
    total: 0,
    counts: {},
    groups: [],
    from: Date.parse('2026-11-20T16:00:00Z'),
    to: Date.parse('2026-11-21T16:00:00Z'),
  });
  expect(await api.send('GET', `${TIMELINE}?bizdate=2026-11-20`, { as: 'nobody' })).toMatchObject({
    status: 401,
  });
});

test('10,000 instances fit into 250 KB of gzip', async () => {
  await using api = await openApi();
  await planDay({ ...api, clock: new FakeClock('2026-11-20T16:30:00Z') }, [
    {
      workspaceId: api.workspaceId,
      bizdate: BIZDATE,
      workflow: 'large',
      nodes: 417,
      cron: '0 * * * *',
    },
  ]);
  // Times as different as in real life: those of a plan are all alike and compress to nothing.
  await api.database.run(
    `UPDATE node_instance SET status = 'succeeded', upstream_done_at = run_at + random() * interval '9 min',
            ready_at = run_at + random() * interval '9 min', dispatched_at = run_at + random() * interval '9 min',
            started_at = run_at + random() * interval '9 min', ended_at = run_at + random() * interval '90 min'`,
  );
  const response = await fetch(`${api.url}${TIMELINE}?bizdate=${BIZDATE}&lod=bars`, {
    headers: { authorization: `Bearer ${api.token('owner')}`, 'accept-encoding': 'gzip' },
  });
  expect(response.headers.get('content-encoding')).toBe('gzip');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const text = await response.text();
  expect((JSON.parse(text) as Answer).inst.id).toHaveLength(10_008);
  expect(gzipSync(text, { level: 4 }).length).toBeLessThan(250_000);
});

test('what was removed with its day is said to be removed, wherever somebody asks for it', async () => {
  await using api = await open();
  const { database } = api;
  await database.run(`UPDATE node_instance SET status = 'succeeded', pending = 0`);
  const old = await makeOld(database, 15);
  const [row] = await database.rows<{ id: number; run: number }>(
    `SELECT id, workflow_instance_id AS run FROM node_instance LIMIT 1`,
  );
  if (row === undefined) throw new Error('there is no instance');
  await database.run(
    `INSERT INTO attempt (plan_day, instance_id, epoch, run_number, attempt, fence, worker_id, version_id,
            state, claimed_at) VALUES ($1, $2, 1, 1, 1, 1, 1, 1, 'succeeded', clock_timestamp())`,
    [old, row.id],
  );
  const instance = `/api/v1/instances/${encodeDayId('inst', { planDay: old, id: row.id })}`;
  const codeOf = async (path: string): Promise<string> => {
    const { status, json } = await api.send('GET', path);
    return `${status} ${String(json['code'])}`;
  };
  const kept = { instanceDays: 30, logDays: 10, eventDays: 30, quarantineDays: 30 };
  const remove = async (days: typeof kept): Promise<unknown> =>
    await removeOldDays({ database, kept: days, crashPoint: () => Promise.resolve() });
  expect(await codeOf(`${instance}/log/lines`)).toMatch(/^200/);
  await remove(kept);
  expect(await codeOf(instance)).toMatch(/^200/);
  expect(await codeOf(`${instance}/log/lines`)).toBe('410 MR-S209');
  await remove({ ...kept, instanceDays: 10 });
  for (const path of [
    instance,
    `${instance}/why`,
    `${instance}/log`,
    `/api/v1/runs/${encodeDayId('run', { planDay: old, id: row.run })}`,
    `${TIMELINE}?bizdate=${BIZDATE}`,
    `/api/v1/workspaces/finance/instances?bizdate=${BIZDATE}`,
  ])
    expect([path, await codeOf(path)]).toEqual([path, '410 MR-S207']);
  expect(await codeOf(`${TIMELINE}?bizdate=2024-01-01`)).toMatch(/^200/);
});
