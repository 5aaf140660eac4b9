import pg from 'pg';

import { expect, test } from '@jest/globals';

import { openApi, type TestApi } from '../../support/api.js';
import { testServers } from '../../support/servers.js';

const PATH = '/api/v1/workspaces/finance/data-sources';
const PASSWORD = 'not-the-Right-0ne';
const PLUGINS = ['@millrace/plugin-postgres', '@millrace/plugin-file'];

function wrongLogin(): object {
  const { host, port } = testServers().postgres;
  return { host, port, database: 'no_such_db_q', user: 'no_such_user_q', password: PASSWORD };
}

test('a data source lives from its connection string to its deletion, and its secrets show nowhere', async () => {
  await using api = await openApi({ plugins: PLUGINS });
  await using _worker = await api.startWorker();
  const body = {
    name: 'dwh',
    type: 'postgres',
    url: 'jdbc:postgresql://hidden-host-q.invalid:54329/dwh',
    config: { user: 'hidden_user_q', password: PASSWORD },
  };
  const created = await api.send('POST', PATH, { body });
  expect(created).toMatchObject({
    status: 201,
    json: { name: 'dwh', testStatus: 'untested', config: { database: 'dwh' } },
  });
  expect(created.json['secretFields']).toEqual(expect.arrayContaining(['host', 'password']));
  const path = `${PATH}/${String(created.json['id'])}`;
  expect(created.headers.get('location')).toBe(path);

  const tested = await api.send('POST', `${path}/test`, { body: {} });
  expect(tested).toMatchObject({
    status: 200,
    json: { status: 'failed', workerAddresses: ['10.1.2.3'] },
  });
  expect(tested.text).toContain('MR-D101');
  expect(tested.text).toContain('‹host›');
  expect(await api.send('GET', path)).toMatchObject({ json: { testStatus: 'failed' } });

  const secretsBefore = await openedSecret(api);
  expect(secretsBefore).toMatchObject({ '/password': PASSWORD });
  const changed = await api.send('PATCH', path, {
    body: { description: 'the warehouse', config: { user: 'hidden_user_r' } },
    headers: { 'if-match': created.headers.get('etag') ?? '' },
  });
  expect(changed).toMatchObject({
    status: 200,
    json: { description: 'the warehouse', revision: 2, testStatus: 'untested' },
  });
  expect(await openedSecret(api)).toEqual({ ...secretsBefore, '/user': 'hidden_user_r' });

  await expectNoSecrets(api, [
    'hidden-host-q',
    'hidden_user_q',
    'hidden_user_r',
    PASSWORD,
    '54329',
  ]);

  expect(await api.send('DELETE', path, { headers: { 'if-match': '"2"' } })).toMatchObject({
    status: 204,
  });
  expect(await api.send('GET', path)).toMatchObject({ status: 404 });
  const [left] = await api.database.rows<{ n: number }>(
    `SELECT count(*)::int AS n FROM secret
      WHERE id NOT IN (SELECT secret_id FROM request WHERE secret_id IS NOT NULL)`,
  );
  expect(left).toEqual({ n: 0 });
});

test('a failed test must be confirmed before saving, also when it was made in a request of its own', async () => {
  await using api = await openApi({ plugins: PLUGINS });
  await using _worker = await api.startWorker();
  const draft = { type: 'postgres', config: wrongLogin() };
  expect(await api.send('POST', `${PATH}/test`, { body: draft })).toMatchObject({
    status: 200,
    json: { status: 'failed' },
  });

  const body = { ...draft, name: 'dwh' };
  const refused = await api.send('POST', PATH, { body });
  expect(refused).toMatchObject({ status: 409, json: { code: 'MR-A110' } });
  expect(await api.send('GET', PATH)).toMatchObject({ json: { items: [] } });

  const saved = await api.send('POST', PATH, { body: { ...body, confirmFailedTest: true } });
  expect(saved).toMatchObject({ status: 201, json: { testStatus: 'failed' } });
  const steps = (saved.json['testReport'] as { steps: { step: string; status: string }[] }).steps;
  expect(steps.map(({ step }) => step)).toEqual(expect.arrayContaining(['dns', 'tcp']));
  await expectNoSecrets(api, [PASSWORD, 'no_such_user_q']);
});

test('a successful test before saving is remembered, one of another configuration is not', async () => {
  await using api = await openApi({ plugins: PLUGINS });
  await using _worker = await api.startWorker();
  const { host, port, user, password } = testServers().postgres;
  const config = { host, port, user, password, database: 'postgres' };
  const tested = await api.send('POST', `${PATH}/test`, { body: { type: 'postgres', config } });
  expect(tested.json).toMatchObject({ status: 'succeeded' });
  expect(
    await api.send('POST', PATH, { body: { name: 'same', type: 'postgres', config } }),
  ).toMatchObject({ status: 201, json: { testStatus: 'succeeded' } });
  const other = { ...config, database: 'template1' };
  expect(
    await api.send('POST', PATH, { body: { name: 'other', type: 'postgres', config: other } }),
  ).toMatchObject({ status: 201, json: { testStatus: 'untested' } });
});

test.each([
  ['1shop', 'begins with a digit'],
  ['_shop', 'begins with an underscore'],
  ['shop-1', 'has a hyphen'],
])('the name %s is refused: it %s', async (name) => {
  await using api = await openApi({ plugins: PLUGINS });
  const answer = await api.send('POST', PATH, {
    body: { name, type: 'file', config: { root: '/tmp' } },
  });
  expect(answer).toMatchObject({ status: 400, json: { errors: [{ pointer: '/name' }] } });
});

test('names, descriptions, types and configurations are checked field by field', async () => {
  await using api = await openApi({ plugins: PLUGINS });
  const file = { type: 'file', config: { root: '/tmp' } };
  const ok = await api.send('POST', PATH, {
    body: { ...file, name: 'abc_1123', description: '数'.repeat(80) },
  });
  expect(ok.status).toBe(201);
  expect(
    await api.send('POST', PATH, { body: { ...file, name: 'b', description: 'x'.repeat(81) } }),
  ).toMatchObject({ status: 400, json: { errors: [{ pointer: '/description' }] } });
  expect(await api.send('POST', PATH, { body: { ...file, name: 'abc_1123' } })).toMatchObject({
    status: 409,
    json: { code: 'MR-A105' },
  });
  expect(await api.send('POST', PATH, { body: { name: 'c', type: 'oracle' } })).toMatchObject({
    status: 400,
    json: { errors: [{ pointer: '/type' }] },
  });
  const missing = await api.send('POST', PATH, { body: { name: 'd', type: 'postgres' } });
  expect(missing.status).toBe(400);
  const pointers = (missing.json['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
  expect(pointers).toEqual(expect.arrayContaining(['/config/host', '/config/database']));
  const url = `jdbc:oracle:thin:scott/${PASSWORD}@host`;
  const unread = await api.send('POST', PATH, { body: { name: 'e', type: 'postgres', url } });
  expect(unread).toMatchObject({ status: 422, json: { code: 'MR-D111' } });
  expect(unread.text).not.toContain(PASSWORD);
});

test('a data source that a submitted workflow uses is not deleted', async () => {
  await using api = await openApi({ plugins: PLUGINS });
  const { json } = await api.send('POST', PATH, {
    body: { name: 'files', type: 'file', config: { root: '/tmp' } },
  });
  await api.database.run(
    `WITH w AS (INSERT INTO workflow (workspace_id, name, draft) VALUES ($1, 'orders', '{}') RETURNING id),
          v AS (INSERT INTO workflow_version (workflow_id, version, spec, timezone, first_bizdate)
                SELECT id, 1, '{}', 'UTC', '2026-11-21' FROM w RETURNING id, workflow_id),
          n AS (INSERT INTO node (workflow_id, name) SELECT workflow_id, 'load' FROM v RETURNING id)
     INSERT INTO node_version SELECT v.id, n.id, 'shell', '{}', 1, '{}', '0 0 * * *', 'x', false,
            'normal', 'always', 1, g.id, 1, 0, 0, 0, '{files}' FROM v, n, resource_group g`,
    [api.workspaceId],
  );
  const path = `${PATH}/${String(json['id'])}`;
  const refused = await api.send('DELETE', path, { headers: { 'if-match': '*' } });
  expect(refused).toMatchObject({ status: 409, json: { code: 'MR-A105' } });
  expect(refused.json['detail']).toContain('orders');
});

test('without a worker the test says which is missing instead of waiting for ever', async () => {
  await using api = await openApi({ plugins: PLUGINS });
  const body = { type: 'file', config: { root: '/tmp' } };
  const nobody = await api.send('POST', `${PATH}/test`, { body });
  expect(nobody).toMatchObject({ status: 504, json: { code: 'MR-A108' } });
  expect(nobody.json['detail']).toContain('no worker of resource group default is running');

  await api.database.run(
    `WITH w AS (INSERT INTO worker (resource_group_id, name, protocol, capacity, node_types,
         data_source_types, plugins, addresses)
       SELECT id, 'w', 1, 1, '{}', '{mysql}', '[]', '{}' FROM resource_group
       RETURNING id)
     INSERT INTO worker_lease SELECT id, clock_timestamp() + interval '1 hour' FROM w`,
  );
  const unable = await api.send('POST', `${PATH}/test`, { body });
  expect(unable.json['detail']).toContain('has a plugin for file');
});

async function openedSecret(api: TestApi): Promise<object> {
  const [row] = await api.database.rows<{ id: number }>('SELECT secret_id AS id FROM data_source');
  return (await api.secretBox.open(api.database, row?.id ?? 0)) as object;
}

/** Looks for the values in every table, every answer and every log line. */
async function expectNoSecrets(api: TestApi, secrets: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: api.databaseUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace`,
    );
    expect(tables.rows.length).toBeGreaterThan(30);
    let dump = '';
    for (const { name } of tables.rows) {
      const rows = await client.query<{ line: string }>(`SELECT t::text AS line FROM ${name} t`);
      dump += rows.rows.map(({ line }) => `${name} ${line}\n`).join('');
    }
    expect(dump).toContain('data_source ');
    const everything = { dump, answers: api.answered.join('\n'), logs: api.logged.join('\n') };
    for (const [where, text] of Object.entries(everything))
      for (const secret of secrets) {
        const hex = Buffer.from(secret).toString('hex');
        const found = text.includes(secret) || text.includes(hex);
        expect({ where, secret, found }).toEqual({ where, secret, found: false });
      }
  } finally {
    await client.end();
  }
}
