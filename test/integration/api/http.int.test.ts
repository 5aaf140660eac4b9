import { expect, test } from '@jest/globals';

import { MillraceError } from '../../../src/domain/errors.js';
import { openApi } from '../../support/api.js';

const WORKFLOWS = '/api/v1/workspaces/finance/workflows';

test('broken JSON, unknown paths and unknown fields are answered as problem+json', async () => {
  await using api = await openApi();
  const broken = await api.send('POST', WORKFLOWS, { body: '{"name": ' });
  expect(broken.status).toBe(400);
  expect(broken.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(broken.json).toMatchObject({
    type: 'urn:millrace:error:MR-A101',
    status: 400,
    code: 'MR-A101',
    instance: WORKFLOWS,
    traceId: broken.headers.get('x-trace-id'),
  });

  const unknown = await api.send('GET', '/api/v1/nothing-here');
  expect(unknown).toMatchObject({ status: 404, json: { code: 'MR-A104' } });

  const fields = await api.send('POST', WORKFLOWS, { body: { name: 'a/b', colour: 'red' } });
  expect(fields.status).toBe(400);
  const pointers = (fields.json['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
  expect(pointers).toContain('/name');
  expect(fields.text).toContain('colour');

  const query = await api.send('GET', `${WORKFLOWS}?limit=0`);
  expect(query.json).toMatchObject({ code: 'MR-A101', errors: [{ pointer: '/limit' }] });
  const id = await api.send('GET', `${WORKFLOWS}/garbage`);
  expect(id).toMatchObject({ status: 404, json: { code: 'MR-A104' } });
});

test('an error inside is answered without its text and logged with the trace id', async () => {
  await using api = await openApi({
    commands: () => ({
      submitWorkflow: () => Promise.reject(new Error('connect ECONNREFUSED secret-host:5432')),
    }),
  });
  const { json: workflow } = await api.send('POST', WORKFLOWS, { body: { name: 'orders' } });
  const answer = await api.send('POST', `${WORKFLOWS}/${String(workflow['id'])}/submit`, {
    body: {},
  });
  expect(answer.status).toBe(500);
  expect(answer.text).not.toContain('secret-host');
  expect(api.logged.join()).toContain(String(answer.json['traceId']));
});

test('while the database is away the answer is 503 and may be tried again', async () => {
  await using api = await openApi({
    commands: (database) => ({
      submitWorkflow: async () => {
        await database.rows('SELECT pg_terminate_backend(pg_backend_pid())');
        throw new Error('the connection survived');
      },
    }),
  });
  const { json: workflow } = await api.send('POST', WORKFLOWS, { body: { name: 'orders' } });
  const path = `${WORKFLOWS}/${String(workflow['id'])}/submit`;
  const answer = await api.send('POST', path);
  expect(answer).toMatchObject({ status: 503, json: { code: 'MR-A207' } });
  expect(await api.send('GET', WORKFLOWS)).toMatchObject({ status: 200 });
});

test('a refused submit tells every wrong field', async () => {
  const errors = [{ pointer: '/nodes/0/config/sql', detail: 'is missing' }];
  await using api = await openApi({
    commands: () => ({
      submitWorkflow: () => Promise.reject(new MillraceError('MR-S103', 'node a', { errors })),
    }),
  });
  const { json: workflow } = await api.send('POST', WORKFLOWS, { body: { name: 'orders' } });
  const answer = await api.send('POST', `${WORKFLOWS}/${String(workflow['id'])}/submit`, {
    body: {},
  });
  expect(answer).toMatchObject({ status: 422, json: { code: 'MR-S103', errors } });
});

test('a draft is saved only over the revision that was loaded', async () => {
  await using api = await openApi();
  const created = await api.send('POST', WORKFLOWS, { body: { name: 'orders' } });
  const path = `${WORKFLOWS}/${String(created.json['id'])}`;
  expect(created.status).toBe(201);
  expect(created.headers.get('location')).toBe(path);
  expect(created.headers.get('etag')).toBe('"1"');

  const body = { draft: { nodes: [] } };
  expect(await api.send('PATCH', path, { body })).toMatchObject({
    status: 428,
    json: { code: 'MR-A107' },
  });
  const headers = { 'if-match': '"1"' };
  expect(await api.send('PATCH', path, { body, headers })).toMatchObject({
    status: 200,
    json: { revision: 2, draft: { nodes: [] } },
  });
  expect(await api.send('PATCH', path, { body, headers })).toMatchObject({
    status: 412,
    json: { code: 'MR-A106' },
  });
  const both = await Promise.all(
    ['left', 'right'].map((description) =>
      api.send('PATCH', path, { body: { description }, headers: { 'if-match': '"2"' } }),
    ),
  );
  expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
  expect(await api.send('DELETE', path)).toMatchObject({ status: 428 });
  expect(await api.send('DELETE', path, { headers: { 'if-match': '"3"' } })).toMatchObject({
    status: 204,
  });
});

test('pages of a list hold each row once while rows are added', async () => {
  await using api = await openApi();
  for (let i = 10; i < 35; i++) await api.send('POST', WORKFLOWS, { body: { name: `w${i}` } });
  const names: string[] = [];
  let cursor = '';
  for (let page = 0; page < 9 && cursor !== 'null'; page++) {
    const answer = await api.send('GET', `${WORKFLOWS}?limit=7${cursor && `&cursor=${cursor}`}`);
    const { items, nextCursor } = answer.json as { items: { name: string }[]; nextCursor: string };
    names.push(...items.map(({ name }) => name));
    cursor = String(nextCursor);
    if (page === 1) await api.send('POST', WORKFLOWS, { body: { name: 'a_new_one' } });
  }
  expect(names).toEqual(Array.from({ length: 25 }, (_, i) => `w${i + 10}`));
  expect(await api.send('GET', `${WORKFLOWS}?cursor=bm90LWpzb24`)).toMatchObject({ status: 400 });
});

test('a repeated Idempotency-Key starts nothing and gets the first answer', async () => {
  let started = 0;
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  await using api = await openApi({
    commands: () => ({
      runWorkflow: async () => {
        started++;
        await gate;
        return { runGroupId: 7, planDay: '2026-11-21', workflowInstanceId: 40 + started };
      },
    }),
  });
  const { json: workflow } = await api.send('POST', WORKFLOWS, { body: { name: 'orders' } });
  const path = `${WORKFLOWS}/${String(workflow['id'])}/runs`;
  const run = (bizdate: string, key = 'k-1', as: 'owner' | 'developer' = 'owner') =>
    api.send('POST', path, { as, body: { bizdate }, headers: { 'idempotency-key': key } });

  const first = run('2026-11-20');
  // Two at once have no order: the second would be the one that waits.
  while (started === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await run('2026-11-20')).toMatchObject({ status: 409, json: { code: 'MR-A112' } });
  release();
  expect(await first).toMatchObject({ status: 202, json: { id: 'run_20261121_41' } });

  const again = await run('2026-11-20');
  expect(again).toMatchObject({ status: 202, json: { id: 'run_20261121_41' } });
  expect(again.headers.get('location')).toBe('/api/v1/runs/run_20261121_41');
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(await run('2026-11-19')).toMatchObject({ status: 422, json: { code: 'MR-A111' } });
  expect(started).toBe(1);

  expect(await run('2026-11-19', 'k-2')).toMatchObject({ status: 202 });
  expect(await run('2026-11-19', 'k-1', 'developer')).toMatchObject({ status: 202 });
  await api.database.run(
    `UPDATE idempotency_key SET created_at = created_at - interval '25 hours'`,
  );
  expect(await run('2026-11-18')).toMatchObject({ status: 202, json: { id: 'run_20261121_44' } });
});

test('readiness is 503 with its reason while a migration is missing', async () => {
  await using api = await openApi();
  const ready = await untilReady(api);
  expect(ready).toMatchObject({ status: 200, json: { status: 'ok' } });
  await api.database.run(
    `DELETE FROM millrace_migration WHERE id = (SELECT max(id) FROM millrace_migration)`,
  );
  expect(await api.send('GET', '/readyz', { as: 'nobody' })).toMatchObject({
    status: 503,
    json: { checks: { migrations: { ok: false, detail: '1 to run' } } },
  });
  expect(await api.send('GET', '/healthz', { as: 'nobody' })).toMatchObject({ status: 200 });
});

async function untilReady(api: Awaited<ReturnType<typeof openApi>>): Promise<unknown> {
  for (;;) {
    const answer = await api.send('GET', '/readyz', { as: 'nobody' });
    if (answer.status === 200) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
