import { expect, test } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';

import { createLoginLink } from '../../../src/store/first-administrator.js';
import { routesOf } from '../../../src/api/openapi/openapi-document.js';
import { DOCUMENTED_CONTROLLERS } from '../../../src/api/routes/documented-controllers.js';
import { HealthController } from '../../../src/api/routes/health.controller.js';
import { OpenapiController } from '../../../src/api/routes/openapi.controller.js';
import { type Action, isAllowed, type Role, ROLES } from '../../../src/domain/access/roles.js';
import { openApi } from '../../support/api.js';

const OPEN = new Set(['GET /healthz', 'GET /readyz', 'GET /login']);

const ALL_ROUTES = routesOf([...DOCUMENTED_CONTROLLERS, HealthController, OpenapiController]);

test('every route but health, readiness and login answers 401 to somebody unknown', async () => {
  await using api = await openApi();
  expect(ALL_ROUTES.length).toBeGreaterThan(40);
  for (const { method, path } of ALL_ROUTES) {
    const name = `${method.toUpperCase()} ${path}`;
    const concrete = path
      .replace(':ws', 'finance')
      .replace(':id', path.includes('/instances/') ? 'inst_20261121_1' : 'ds_1');
    for (const authorization of [undefined, 'Bearer mr_unknown', 'Basic abc']) {
      const answer = await api.send(method.toUpperCase(), concrete, {
        as: 'nobody',
        ...(authorization === undefined ? {} : { headers: { authorization } }),
      });
      if (OPEN.has(name)) expect([name, answer.status]).not.toEqual([name, 403]);
      else expect([name, answer.status, answer.json['code']]).toEqual([name, 401, 'MR-A102']);
    }
  }
});

test('the realtime namespaces refuse a socket without a valid token', async () => {
  await using api = await openApi();
  for (const [namespace, auth] of [
    ['/rt', {}],
    ['/rt', { token: 'mr_unknown' }],
    ['/', { token: api.token('owner') }],
  ] as const) {
    const socket = io(api.url + namespace, {
      transports: ['websocket'],
      auth,
      reconnection: false,
    });
    const refused = await refusalOf(socket);
    socket.close();
    expect(refused).toMatchObject({ status: 401, code: 'MR-A102' });
  }
});

test('a session cookie opens no socket for a page of another host', async () => {
  await using api = await openApi();
  const { cookie } = await signIn(api);
  const from = (origin: string): Socket =>
    io(`${api.url}/rt`, {
      transports: ['websocket'],
      reconnection: false,
      extraHeaders: { cookie, origin },
    });
  const foreign = from('https://elsewhere.example');
  expect(await refusalOf(foreign)).toMatchObject({ status: 401 });
  foreign.close();
  const own = from(api.url);
  await new Promise((resolve) => own.once('connect', () => resolve(undefined)));
  own.close();
});

test('a login link works once, and its session needs the CSRF token for writes', async () => {
  await using api = await openApi();
  const { link, cookie, csrf } = await signIn(api);
  expect(await api.send('GET', link, { as: 'nobody' })).toMatchObject({ status: 401 });

  const me = await api.send('GET', '/api/v1/me', { as: 'nobody', headers: { cookie } });
  expect(me.json).toMatchObject({
    name: 'developer',
    via: 'session',
    roles: { finance: 'developer' },
  });

  const write = (headers: Record<string, string>): Promise<{ status: number }> =>
    api.send('POST', '/api/v1/workspaces/finance/workflows', {
      as: 'nobody',
      headers: { cookie, ...headers },
      body: { name: 'orders_daily' },
    });
  expect((await write({})).status).toBe(403);
  expect((await write({ 'x-csrf-token': 'guess' })).status).toBe(403);
  expect((await write({ 'x-csrf-token': csrf })).status).toBe(201);

  await api.send('POST', '/api/v1/logout', {
    as: 'nobody',
    headers: { cookie, 'x-csrf-token': csrf },
  });
  expect((await api.send('GET', '/api/v1/me', { as: 'nobody', headers: { cookie } })).status).toBe(
    401,
  );
});

test('a login link that is older than 15 minutes opens nothing', async () => {
  await using api = await openApi();
  const link = await createLoginLink(api.database, { userName: 'owner', baseUrl: '' });
  await api.database.run(`UPDATE login_link SET expires_at = clock_timestamp()`);
  expect((await api.send('GET', link, { as: 'nobody' })).status).toBe(401);
});

test('a role that may not write gets 403 with the roles that may, and a stranger gets 404', async () => {
  await using api = await openApi();
  const body = { name: 'shop', type: 'file', config: {} };
  const refused = await api.send('POST', '/api/v1/workspaces/finance/data-sources', {
    as: 'developer',
    body,
  });
  expect(refused.status).toBe(403);
  expect(refused.json['detail']).toContain('owner or administrator');
  const visitor = await api.send('POST', '/api/v1/workspaces/finance/workflows', {
    as: 'visitor',
    body: { name: 'x' },
  });
  expect(visitor.status).toBe(403);
  expect((await api.send('GET', '/api/v1/workspaces/other/workflows')).status).toBe(404);
  const security = await api.send('GET', '/api/v1/workspaces/finance/workflows', {
    as: 'security_manager',
  });
  expect(security.status).toBe(403);
});

test('every route of a workspace is open to the roles of its action and to no others', async () => {
  await using api = await openApi();
  let refused = 0;
  for (const { method, path, access } of ALL_ROUTES) {
    if (access?.kind !== 'role' || !['workspace', 'any'].includes(access.scope)) continue;
    const concrete = path.replace(':ws', 'finance').replace(':id', 'ds_999');
    for (const role of ROLES) {
      // A body that no schema takes: what is let in ends there and changes nothing.
      const body = method === 'get' ? {} : { body: '[]' };
      const { status } = await api.send(method.toUpperCase(), concrete, { as: role, ...body });
      const isOpen = status !== 403;
      expect([method, path, role, isOpen]).toEqual([
        method,
        path,
        role,
        isAllowed(role, access.action),
      ]);
      if (!isOpen) refused++;
    }
  }
  expect(refused).toBeGreaterThan(50);
});

// What shows a change before it is made, or the token it is made with, and the route that makes it.
test.each([
  ['workflows/preview-submit', 'workflows/:id/submit'],
  ['workflows/:id/preview-plan', 'workflows/:id/patch-plan'],
  ['workflows/:id/nodes/:node/preview-freeze', 'workflows/:id/nodes/:node/freeze'],
  ['workflows/:id/nodes/preview', 'workflows/:id/nodes/batch'],
  ['instances/preview', 'instances/batch'],
  ['backfills/plan', 'backfills'],
])('%s is open to every role that may go on to %s', (preview, change) => {
  const actionOf = (route: string): Action => {
    const path = `/api/v1/workspaces/:ws/${route}`;
    const found = ALL_ROUTES.find((each) => each.path === path && each.method === 'post');
    if (found?.access?.kind !== 'role') throw new Error(`no role is asked for by ${path}`);
    return found.access.action;
  };
  const may = (action: Action): Role[] => ROLES.filter((role) => isAllowed(role, action));
  expect(may(actionOf(preview))).toEqual(expect.arrayContaining(may(actionOf(change))));
});

test('revoked and expired tokens are refused', async () => {
  await using api = await openApi();
  expect((await api.send('GET', '/api/v1/me')).status).toBe(200);
  await api.database.run(`UPDATE api_token SET revoked_at = clock_timestamp()`);
  expect((await api.send('GET', '/api/v1/me')).status).toBe(401);
  await api.database.run(`UPDATE api_token SET revoked_at = NULL, expires_at = clock_timestamp()`);
  expect((await api.send('GET', '/api/v1/me')).status).toBe(401);
});

test('metrics open with the metrics token and with an API token', async () => {
  await using api = await openApi();
  const byToken = await api.send('GET', '/metrics', {
    as: 'nobody',
    headers: { authorization: 'Bearer scrape-me' },
  });
  expect(byToken.text).toContain('millrace_slots{group="default",state="all"} 10');
  expect((await api.send('GET', '/metrics')).status).toBe(200);
});

async function signIn(api: Awaited<ReturnType<typeof openApi>>): Promise<{
  link: string;
  cookie: string;
  csrf: string;
}> {
  const link = await createLoginLink(api.database, { userName: 'developer', baseUrl: '' });
  const answer = await api.send('GET', link, { as: 'nobody' });
  expect(answer.status).toBe(303);
  const cookies = answer.headers.getSetCookie();
  expect(cookies.find((text) => text.startsWith('millrace_session='))).toMatch(
    /; HttpOnly; SameSite=Lax/,
  );
  const cookie = cookies.map((text) => text.split(';')[0]).join('; ');
  const csrf = /millrace_csrf=([^;]+)/.exec(cookie)?.[1] ?? '';
  return { link, cookie, csrf };
}

async function refusalOf(socket: Socket): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    socket.once('connect', () => reject(new Error('the socket was let in')));
    socket.once('connect_error', (error) => resolve('data' in error ? error.data : error));
  });
}
