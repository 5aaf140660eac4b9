import pg from 'pg';

import { expect, test } from '@jest/globals';

import { openApi, type TestApi } from '../../support/api.js';
import { openMailbox, openWebhook } from '../../support/receivers.js';

const RULES = '/api/v1/workspaces/finance/alert-rules';
const ALERTS = '/api/v1/workspaces/finance/alerts';
const TOKEN = 't0ken-in-the-path';
const SECRET = 'signing-secret-1';
const HOOK = `https://hooks.example.com/services/${TOKEN}`;
const RULE = {
  name: 'nightly',
  condition: { kind: 'unfinished', by: '30:00' },
  webhook: { url: HOOK, secret: SECRET },
};

const LOCAL = { alertChannels: { webhookLocal: 'loopback' } } as const;

test('a rule lives from its creation to its deletion, and its secrets show nowhere', async () => {
  await using api = await openApi();
  const created = await api.send('POST', RULES, { body: RULE });
  expect(created).toMatchObject({
    status: 201,
    json: {
      name: 'nightly',
      enabled: true,
      condition: { kind: 'unfinished', by: '30:00' },
      target: { kind: 'all' },
      webhook: { origin: 'https://hooks.example.com' },
      emails: [],
      mute: null,
      repeatMinutes: null,
      maxCount: 3,
      openAlerts: 0,
      lastDelivery: null,
    },
  });
  const path = `${RULES}/${String(created.json['id'])}`;
  expect(created.headers.get('location')).toBe(path);
  const changed = await api.send('PATCH', path, {
    body: { emails: ['ann@example.com'], mute: { from: '22:00', to: '07:00' }, repeatMinutes: 5 },
    headers: { 'if-match': '"1"' },
  });
  expect(changed).toMatchObject({
    status: 200,
    json: { emails: ['ann@example.com'], revision: 2 },
  });
  expect(await openedSecrets(api)).toEqual([{ url: HOOK, secret: SECRET }]);
  expect(
    await api.send('PATCH', path, { body: { owner: 'Ann' }, headers: { 'if-match': '"1"' } }),
  ).toMatchObject({ status: 412 });

  const moved = await api.send('PATCH', path, {
    body: { webhook: { url: 'https://other.example.com/x' } },
    headers: { 'if-match': '"2"' },
  });
  expect(moved.json).toMatchObject({ webhook: { origin: 'https://other.example.com' } });
  // The key of one receiver is not shown to another.
  expect(await openedSecrets(api)).toEqual([{ url: 'https://other.example.com/x', secret: null }]);
  expect(await api.send('GET', RULES)).toMatchObject({ json: { items: [{ name: 'nightly' }] } });
  await expectNowhere(api, [TOKEN, SECRET]);

  expect(await api.send('DELETE', path, { headers: { 'if-match': '"3"' } })).toMatchObject({
    status: 204,
  });
  expect(await api.send('GET', path)).toMatchObject({ status: 404 });
  expect(await openedSecrets(api)).toEqual([]);
});

test.each([
  [
    'a target its condition cannot be asked of',
    { condition: { kind: 'no_worker', minutes: 5 } },
    '/target/kind',
  ],
  ['nobody to tell', { webhook: null }, '/emails'],
  ['a repetition of less than 5 minutes', { repeatMinutes: 4 }, '/repeatMinutes'],
  ['a time after 47:59', { condition: { kind: 'unfinished', by: '48:00' } }, '/condition/by'],
  [
    'a workflow that does not exist',
    { target: { kind: 'workflows', workflows: ['x'] } },
    '/target/workflows/0',
  ],
  ['an address that is none', { emails: ['ann'] }, '/emails/0'],
  ['a header in an address', { emails: ['a@example.com\r\nBcc: b@example.com'] }, '/emails/0'],
  ['a password in the URL', { webhook: { url: 'https://u:p@h.example.com/' } }, '/webhook/url'],
  ['another protocol', { webhook: { url: 'file:///etc/passwd' } }, '/webhook/url'],
])('a rule with %s is refused with its place', async (_, wrong, pointer) => {
  await using api = await openApi();
  const answer = await api.send('POST', RULES, { body: { ...RULE, ...wrong } });
  expect(answer).toMatchObject({ status: 400, json: { errors: [{ pointer }] } });
});

test('a change is checked together with what stays as it was', async () => {
  await using api = await openApi();
  const { json } = await api.send('POST', RULES, { body: RULE });
  const path = `${RULES}/${String(json['id'])}`;
  const send = (body: object) => api.send('PATCH', path, { body, headers: { 'if-match': '*' } });
  expect(await send({ webhook: null })).toMatchObject({
    status: 400,
    json: { errors: [{ pointer: '/emails' }] },
  });
  expect(await send({ condition: { kind: 'no_worker', minutes: 5 } })).toMatchObject({
    status: 400,
    json: { errors: [{ pointer: '/target/kind' }] },
  });
  const target = { kind: 'resource_group', resourceGroup: 'default' };
  expect(await send({ condition: { kind: 'no_worker', minutes: 5 }, target })).toMatchObject({
    status: 200,
    json: { target, condition: { kind: 'no_worker', minutes: 5 } },
  });
  expect(await api.send('POST', RULES, { body: RULE })).toMatchObject({ status: 409 });
});

test('a webhook to this machine or a link-local address is not saved unless the setting allows it', async () => {
  await using api = await openApi();
  for (const url of [
    'http://127.0.0.1/',
    'http://localhost/',
    'http://169.254.169.254/',
    'http://[::1]/',
  ])
    expect(await api.send('POST', RULES, { body: { ...RULE, webhook: { url } } })).toMatchObject({
      status: 422,
      json: { code: 'MR-A120', errors: [{ pointer: '/webhook/url' }] },
    });
  await using open = await openApi(LOCAL);
  const body = { ...RULE, webhook: { url: 'http://127.0.0.1/' } };
  expect(await open.send('POST', RULES, { body })).toMatchObject({ status: 201 });
});

test('a test message tells what each receiver said', async () => {
  await using receiver = await openWebhook();
  await using mailbox = await openMailbox();
  const { host, port } = mailbox;
  const smtp = { host, port, security: 'none', from: 'mr@example.com' } as const;
  await using api = await openApi({ alertChannels: { webhookLocal: 'loopback', smtp } });
  receiver.answerWith((_, response) => response.writeHead(403).end('who are you?'));
  const { json } = await api.send('POST', RULES, {
    body: { ...RULE, webhook: { url: receiver.url }, emails: ['ann@example.com'] },
  });
  const tested = await api.send('POST', `${RULES}/${String(json['id'])}/test`);
  expect(tested).toMatchObject({
    status: 200,
    json: {
      results: [
        {
          channel: 'webhook',
          status: 'failed',
          errorCode: 'MR-A121',
          errorDetail: '403 Forbidden: who are you?',
        },
        { channel: 'email', status: 'delivered' },
      ],
    },
  });
  expect(receiver.posts).toMatchObject([{ json: { type: 'test', alerts: [] } }]);
  expect(mailbox.mails).toMatchObject([{ to: ['ann@example.com'] }]);
});

test('alerts are listed open ones first by pages, and can be muted and closed', async () => {
  await using api = await openApi();
  await api.send('POST', RULES, { body: RULE });
  await api.database.run(
    `INSERT INTO alert (workspace_id, rule_id, subject, state, bizdate, instances, first_at, last_at, closed_at)
     SELECT r.workspace_id, r.id, 'subject ' || n, CASE WHEN n % 2 = 0 THEN 'open' ELSE 'closed' END,
            '2026-11-20', 2, now(), now(), CASE WHEN n % 2 = 1 THEN now() END
       FROM alert_rule r, generate_series(1, 5) AS n ORDER BY n`,
  );
  const seen: string[] = [];
  for (let cursor: unknown = ''; typeof cursor === 'string';) {
    const page = await api.send(
      'GET',
      `${ALERTS}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    for (const { id, state } of page.json['items'] as { id: string; state: string }[])
      seen.push(`${id} ${state}`);
    cursor = page.json['nextCursor'];
  }
  expect(seen).toEqual([
    'alert_4 open',
    'alert_2 open',
    'alert_5 closed',
    'alert_3 closed',
    'alert_1 closed',
  ]);
  expect(await api.send('GET', `${ALERTS}?state=open`)).toMatchObject({
    json: { items: [{ ruleName: 'nightly', by: '30:00' }, { id: 'alert_2' }] },
  });

  const muted = await api.send('POST', `${ALERTS}/alert_4/mute`, { body: { minutes: 30 } });
  expect(muted.json['mutedUntil']).toEqual(expect.any(String));
  expect(await api.send('POST', `${ALERTS}/alert_4/close`)).toMatchObject({
    status: 200,
    json: { state: 'closed' },
  });
  for (const verb of ['close', 'mute'])
    expect(
      await api.send(
        'POST',
        `${ALERTS}/alert_4/${verb}`,
        verb === 'mute' ? { body: { minutes: 5 } } : {},
      ),
    ).toMatchObject({ status: 409 });
  expect(await api.send('POST', `${ALERTS}/alert_99/close`)).toMatchObject({ status: 404 });
});

test('who may only look may not write rules, send tests or close alerts', async () => {
  await using api = await openApi();
  for (const as of ['developer', 'visitor'] as const) {
    expect(await api.send('GET', RULES, { as })).toMatchObject({ status: 200 });
    expect(await api.send('POST', RULES, { as, body: RULE })).toMatchObject({ status: 403 });
    expect(await api.send('POST', `${RULES}/rule_1/test`, { as })).toMatchObject({ status: 403 });
    expect(await api.send('POST', `${ALERTS}/alert_1/close`, { as })).toMatchObject({
      status: 403,
    });
  }
  expect(await api.send('POST', RULES, { as: 'operator', body: RULE })).toMatchObject({
    status: 201,
  });
});

async function openedSecrets(api: TestApi): Promise<unknown[]> {
  const rows = await api.database.rows<{ id: number }>('SELECT id FROM secret ORDER BY id');
  return await Promise.all(rows.map(({ id }) => api.secretBox.open(api.database, id)));
}

/** Looks for the values in every table, every answer and every log line. */
async function expectNowhere(api: TestApi, secrets: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: api.databaseUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace`,
    );
    let dump = '';
    for (const { name } of tables.rows) {
      const rows = await client.query<{ line: string }>(`SELECT t::text AS line FROM ${name} t`);
      dump += rows.rows.map(({ line }) => `${name} ${line}\n`).join('');
    }
    expect(dump).toContain('alert_rule ');
    const everything = [dump, ...api.answered, ...api.logged].join('\n');
    for (const secret of secrets) expect(everything).not.toContain(secret);
  } finally {
    await client.end();
  }
}
