import { gzipSync } from 'node:zlib';

import { expect, test } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';

import type { Database } from '../../../src/store/database.js';
import { addEvent, eventsAfter } from '../../../src/store/repositories/event-repository.js';
import { publishEvents } from '../../../src/store/sql/publish-events.sql.js';
import { openApi, type TestApi } from '../../support/api.js';
import { openStore } from '../../support/store.js';

interface Frame {
  readonly workspace: string;
  readonly after: number;
  readonly seq: number;
  readonly events: readonly { readonly seq: number; readonly payload: { readonly n: number } }[];
}

test('a reader that has seen an event has seen every event below it, with four publishers at once', async () => {
  await using store = await openStore();
  await withWorkspace(store.database);
  let isWriting = true;
  const publishers = [1, 2, 3, 4].map(async () => {
    while (isWriting) await publishEvents(store.database);
  });
  const seen: number[] = [];
  const reader = (async () => {
    while (isWriting) {
      const since = seen.at(-1) ?? 0;
      const range = { workspaceId: undefined, since, upTo: 1e9, limit: 1000 };
      const events = await eventsAfter(store.database, range);
      seen.push(...events.map(({ seq }) => seq));
    }
  })();
  await Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; i < 40; i++)
        await store.database.transaction(async (tx) => {
          await write(tx, writer * 1000 + i);
          // Commits out of the order in which the rows were numbered by their identity column.
          await tx.rows('SELECT pg_sleep($1)', [Math.random() * 0.004]);
        });
    }),
  );
  isWriting = false;
  await Promise.all([...publishers, reader]);
  // Only now: a publisher that is passed over because another one is at it says 0 as well.
  while ((await publishEvents(store.database)) > 0);
  const range = { workspaceId: undefined, since: seen.at(-1) ?? 0, upTo: 1e9, limit: 1000 };
  seen.push(...(await eventsAfter(store.database, range)).map(({ seq }) => seq));
  expect(seen).toEqual(Array.from({ length: 320 }, (_, i) => i + 1));
});

test('a client that was away gets every event once, in order, while others are being written', async () => {
  await using api = await openApi();
  const frames: Frame[] = [];
  let socket = await connected(api);
  socket.on('events', (frame: Frame) => frames.push(frame));
  const { seq: start } = await joined(socket, { workspace: 'finance' });
  let n = 0;
  const writeSome = async (count: number): Promise<void> => {
    const first = n;
    n += count;
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        api.database.transaction(async (tx) => await write(tx, first + i)),
      ),
    );
    api.wakeBus.wake();
  };
  await writeSome(30);
  await until(() => numbersOf(frames).length >= 10);
  socket.close();
  await writeSome(1200);
  const writing = writeSome(50);
  socket = await connected(api);
  socket.on('events', (frame: Frame) => frames.push(frame));
  await joined(socket, { workspace: 'finance', since: frames.at(-1)?.seq ?? start });
  await writing;
  await until(() => numbersOf(frames).length >= n);
  socket.close();

  for (const [i, frame] of frames.entries())
    expect(frame.after).toBe(i === 0 ? start : frames[i - 1]?.seq);
  expect([...numbersOf(frames)].sort((a, b) => a - b)).toEqual(
    Array.from({ length: n }, (_, i) => i),
  );
  const seqs = frames.flatMap(({ events }) => events.map(({ seq }) => seq));
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b));

  const page = await api.send('GET', `/api/v1/workspaces/finance/events?since=${start}&limit=500`);
  expect((page.json['events'] as unknown[]).length).toBe(500);
});

test('a room opens only to members whose role may view, and carries only its own workspace', async () => {
  await using api = await openApi();
  await api.database.run(`INSERT INTO workspace (name, timezone) VALUES ('other', 'UTC')`);
  const [other] = await api.database.rows<{ id: number }>(
    `SELECT id FROM workspace WHERE name = 'other'`,
  );
  const security = await connected(api, 'security_manager');
  expect(await ask(security, 'join', { workspace: 'finance' })).toMatchObject({
    ok: false,
    problem: { code: 'MR-A103' },
  });
  security.close();
  const visitor = await connected(api, 'visitor');
  expect(await ask(visitor, 'join', { workspace: 'other' })).toMatchObject({
    problem: { code: 'MR-A104' },
  });
  expect(await ask(visitor, 'join', 'rubbish')).toMatchObject({ problem: { code: 'MR-A101' } });
  const frames: Frame[] = [];
  visitor.on('events', (frame: Frame) => frames.push(frame));
  await joined(visitor, { workspace: 'finance' });
  await addEvent(api.database, { workspaceId: other?.id ?? 0, type: 'x', payload: { n: -1 } });
  await addEvent(api.database, { workspaceId: api.workspaceId, type: 'x', payload: { n: 7 } });
  api.wakeBus.wake();
  await until(() => numbersOf(frames).length > 0);
  visitor.close();
  expect(numbersOf(frames)).toEqual([7]);
});

test('an open socket loses its rooms with its role, and its connection with its token', async () => {
  await using api = await openApi();
  const [visitor, operator] = [await connected(api, 'visitor'), await connected(api, 'operator')];
  const frames: Frame[] = [];
  const others: Frame[] = [];
  visitor.on('events', (frame: Frame) => frames.push(frame));
  operator.on('events', (frame: Frame) => others.push(frame));
  await joined(visitor, { workspace: 'finance' });
  await joined(operator, { workspace: 'finance' });
  await api.database.run(`UPDATE member SET role = 'security_manager' WHERE role = 'visitor'`);
  for (let n = 0; ; n++) {
    const before = frames.length;
    await write(api.database, n);
    api.wakeBus.wake();
    await until(() => numbersOf(others).includes(n));
    // An answer comes after the frames that were sent before it.
    await ask(visitor, 'log:leave', { instance: 'none' });
    if (frames.length === before) break;
    expect(n).toBeLessThan(1000);
  }
  let isGone = false;
  operator.on('disconnect', () => (isGone = true));
  await api.database.run('UPDATE api_token SET revoked_at = clock_timestamp()');
  await until(() => isGone);
  visitor.close();
});

test('a run log is read from a line, followed over HTTP, and streamed to a room without a gap', async () => {
  await using api = await openApi();
  const { instance, append, end } = await instanceWithLog(api);
  await append('one\ntwo\nthr');
  await append('ee\nfour\n');
  const path = `/api/v1/instances/${instance}/log`;
  expect((await api.send('GET', path)).text).toBe('one\ntwo\nthree\nfour\n');
  expect((await api.send('GET', `${path}?from=2`)).text).toBe('three\nfour\n');
  expect((await api.send('GET', `${path}?from=99`)).text).toBe('');

  const socket = await connected(api, 'visitor');
  const chunks: { no: number; text: string }[] = [];
  socket.on('log', (chunk: { no: number; text: string }) => chunks.push(chunk));
  expect(await ask(socket, 'log:join', { instance })).toMatchObject({ ok: true, attempt: 1 });
  const following = api.send('GET', `${path}?follow=1&from=1`);
  for (let i = 0; i < 40; i++) await append(`line ${i}\n`);
  await end();
  const lines = ['two', 'three', 'four', ...Array.from({ length: 40 }, (_, i) => `line ${i}`)];
  const followed = (await following).text;
  expect([...followed.matchAll(/^data: (.*)$/gm)].map(([, line]) => line)).toEqual(lines);
  expect(followed).toContain(`id: ${lines.length + 1}\n`);
  expect(followed).toMatch(/event: end\ndata:\n\n$/);
  await until(() => chunks.length >= 42);
  socket.close();
  expect(chunks.map(({ no }) => no)).toEqual(Array.from({ length: 42 }, (_, i) => i));
  expect(chunks.map(({ text }) => text).join('')).toBe(`one\n${lines.join('\n')}\n`);
});

test('instances are listed, shown and explained under their ids', async () => {
  let database: Database | undefined;
  await using api = await openApi({
    commands: () => ({
      explainInstance: async () => ({
        status: 'running',
        reasons: [{ gate: 'running', text: 'it runs on w1', refs: [] }],
      }),
      rerunInstance: async ({ id, note }) => {
        await database?.transaction(async (tx) => await note?.(tx));
        return { status: id === 0 ? 'failed' : 'waiting_upstream', frozen: false };
      },
    }),
  });
  database = api.database;
  const { instance, run } = await instanceWithLog(api);
  const list = '/api/v1/workspaces/finance/instances';
  const one = {
    items: [{ id: instance, node: { name: 'load' }, status: 'running' }],
    nextCursor: null,
  };
  expect(
    (await api.send('GET', `${list}?bizdate=2026-11-20&status=running,failed`)).json,
  ).toMatchObject(one);
  expect((await api.send('GET', `${list}?node=load&workflow=orders`)).json).toMatchObject(one);
  for (const query of ['bizdate=2026-11-19', 'status=failed', 'node=other', 'runGroup=bf_99'])
    expect((await api.send('GET', `${list}?${query}`)).json).toMatchObject({ items: [] });

  const path = `/api/v1/instances/${instance}`;
  expect((await api.send('GET', path)).json).toMatchObject({ parameters: { ds: '20261120' } });
  expect((await api.send('GET', `${path}/why`)).json).toMatchObject({ status: 'running' });
  expect((await api.send('GET', `${path}/attempts`)).json).toMatchObject({ items: [{ epoch: 1 }] });
  expect((await api.send('GET', `${path}/dirty-records`)).json).toMatchObject({ items: [] });
  expect((await api.send('GET', `/api/v1/runs/${run}`)).json).toMatchObject({
    bizdate: '2026-11-20',
    runGroup: { kind: 'test' },
    instances: [{ id: instance }],
  });
  expect(await api.send('POST', `${path}/rerun`, { as: 'operator', body: {} })).toMatchObject({
    status: 200,
    json: { id: instance, status: 'waiting_upstream' },
  });
  expect(await api.send('POST', `${path}/rerun`, { as: 'operator' })).toMatchObject({
    status: 200,
  });
  expect(await api.send('POST', `${path}/rerun`, { as: 'developer' })).toMatchObject({
    status: 403,
  });
  const [audit] = await api.database.rows<{ n: number }>(
    `SELECT count(*)::int AS n FROM audit WHERE action = 'instance.rerunInstance'`,
  );
  expect(audit).toEqual({ n: 2 });
  expect(await api.send('GET', '/api/v1/instances/inst_20261121_999')).toMatchObject({
    status: 404,
  });
});

async function withWorkspace(database: Database): Promise<void> {
  await database.run(`INSERT INTO workspace (id, name, timezone) VALUES (1, 'finance', 'UTC')`);
}

async function write(tx: Parameters<typeof addEvent>[0], n: number): Promise<void> {
  await addEvent(tx, { workspaceId: 1, type: 'test', payload: { n } });
}

function numbersOf(frames: readonly Frame[]): number[] {
  return frames.flatMap(({ events }) => events.map(({ payload }) => payload.n));
}

async function connected(
  api: TestApi,
  as: Parameters<TestApi['token']>[0] = 'owner',
): Promise<Socket> {
  const socket = io(`${api.url}/rt`, {
    transports: ['websocket'],
    auth: { token: api.token(as) },
    forceNew: true,
    reconnection: false,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

async function ask(
  socket: Socket,
  message: string,
  body: unknown,
): Promise<Record<string, unknown>> {
  return (await socket.timeout(5_000).emitWithAck(message, body)) as Record<string, unknown>;
}

async function joined(socket: Socket, body: object): Promise<{ seq: number }> {
  const answer = await ask(socket, 'join', body);
  expect(answer).toMatchObject({ ok: true, reset: false });
  return answer as { seq: number };
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error('it did not happen within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** One running instance of `orders`/`load`, whose log the test writes. */
async function instanceWithLog(api: TestApi): Promise<{
  instance: string;
  run: string;
  append(text: string): Promise<void>;
  end(): Promise<void>;
}> {
  const { database } = api;
  const [row] = await database.rows<{ day: string; id: number; run: number }>(
    `WITH today AS (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day),
          w AS (INSERT INTO workflow (workspace_id, name, draft) VALUES ($1, 'orders', '{}') RETURNING id),
          v AS (INSERT INTO workflow_version (workflow_id, version, spec, timezone, first_bizdate)
                SELECT id, 1, '{}', 'UTC', '2026-11-20' FROM w RETURNING id, workflow_id),
          n AS (INSERT INTO node (workflow_id, name) SELECT id, 'load' FROM w RETURNING id),
          g AS (INSERT INTO run_group (workspace_id, kind, name, plan_day)
                SELECT $1, 'test', 'test run', day FROM today RETURNING id),
          r AS (INSERT INTO workflow_instance (plan_day, workspace_id, workflow_id, version_id, run_group_id, bizdate)
                SELECT day, $1, v.workflow_id, v.id, g.id, '2026-11-20' FROM today, v, g RETURNING id)
     INSERT INTO node_instance (plan_day, workspace_id, workflow_id, workflow_instance_id, version_id,
            node_id, run_group_id, resource_group_id, node_type, bizdate, scheduled_at, period_no, run_at,
            status, epoch, attempt, priority, slots, last_child_day)
     SELECT day, $1, v.workflow_id, r.id, v.id, n.id, g.id, rg.id, 'shell', '2026-11-20',
            clock_timestamp(), 1, clock_timestamp(), 'running', 1, 1, 1, 1, day
       FROM today, v, n, g, r, resource_group rg
     RETURNING plan_day AS day, id, workflow_instance_id AS run`,
    [api.workspaceId],
  );
  if (row === undefined) throw new Error('no instance was inserted');
  const key = [row.day, row.id];
  await database.run(
    `INSERT INTO node_instance_detail (plan_day, instance_id, parameters)
     VALUES ($1, $2, '{"ds": "20261120"}')`,
    key,
  );
  await database.run(
    `INSERT INTO attempt (plan_day, instance_id, epoch, run_number, attempt, fence, worker_id, version_id,
            state, claimed_at) VALUES ($1, $2, 1, 1, 1, 1, 1, 1, 'running', clock_timestamp())`,
    key,
  );
  let no = 0;
  const idOf = (kind: string, id: number): string => `${kind}_${row.day.replaceAll('-', '')}_${id}`;
  return {
    instance: idOf('inst', row.id),
    run: idOf('run', row.run),
    async append(text) {
      await database.run(
        `INSERT INTO log_chunk VALUES ($1, $2, 1, $3, clock_timestamp(), $4, $5, $6)`,
        [...key, no++, text.split('\n').length - 1, Buffer.byteLength(text), gzipSync(text)],
      );
      api.wakeBus.wake();
    },
    async end() {
      await database.run(
        `UPDATE attempt SET state = 'succeeded', ended_at = clock_timestamp()
          WHERE plan_day = $1 AND instance_id = $2`,
        key,
      );
    },
  };
}
