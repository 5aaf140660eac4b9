import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, test } from '@jest/globals';

import { replaceWorkerToken } from '../../../src/embedded/sample/seed-workspace.js';
import { HttpLinkServer } from '../../../src/worker-link/http-link-server.js';
import { HttpWorkerLink } from '../../../src/worker-link/http-worker-link.js';
import type { FinishReport } from '../../../src/worker-link/worker-link.js';
import { LINK_PROTOCOL, OLDEST_PROTOCOL } from '../../../src/worker-link/worker-link.js';
import { Line, node } from '../../support/line.js';

interface World extends AsyncDisposable {
  readonly line: Line;
  link(resourceGroup: string): Promise<HttpWorkerLink>;
  linkWith(token: string): HttpWorkerLink;
}

async function openWorld(): Promise<World> {
  const line = await Line.open();
  const handler = new HttpLinkServer(line.link, line.database, line.clock);
  const server = createServer((request, response) => {
    handler.handle(request, response, () => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const linkWith = (token: string): HttpWorkerLink =>
    new HttpWorkerLink({ url, token, timeoutMs: 5000 });
  return {
    line,
    linkWith,
    link: async (group) => linkWith(await replaceWorkerToken(line.database, group, group)),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await line[Symbol.asyncDispose]();
    },
  };
}

const HELLO = {
  name: 'far',
  resourceGroup: 'whatever it says',
  protocol: LINK_PROTOCOL,
  capacity: 4,
  nodeTypes: ['shell'],
  dataSourceTypes: [],
  plugins: [],
  addresses: ['10.0.0.7'],
};

/** Runs a workflow of these nodes as far as one worker has been given all of them. */
async function claimAll(world: World, names: readonly string[]) {
  const { line } = world;
  const { workflowId } = await line.submit('w', { nodes: names.map((name) => node(name)) });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const link = await world.link('default');
  const { workerId } = await link.register(HELLO);
  const ask = { workerId, free: 4, freeRequests: 0, stopping: [], waitMs: 5000 };
  const { claims } = await link.poll(ask, new AbortController().signal);
  return { line, link, workerId, claims };
}

describe('the worker link over HTTP', () => {
  test('claims, renews, logs and finishes like the direct one', async () => {
    await using world = await openWorld();
    const { line } = world;
    const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const link = await world.link('default');
    const { workerId } = await link.register(HELLO);
    const ask = { workerId, free: 4, freeRequests: 0, stopping: [], waitMs: 5000 };
    const signal = new AbortController().signal;
    const order: string[] = [];
    while (order.length < 2) {
      await line.release();
      const { claims } = await link.poll(ask, signal);
      for (const claim of claims) {
        const ref = { planDay: claim.planDay, instanceId: claim.instanceId, epoch: claim.epoch };
        await link.started(workerId, [ref]);
        expect(
          await link.renew({ workerId, attempts: [{ ...ref, progress: { rowsRead: 3 } }] }),
        ).toEqual({
          lost: [],
          leaseMs: 30_000,
        });
        await link.log(workerId, [
          { ...ref, no: 0, at: new Date().toISOString(), lineCount: 1, byteCount: 3, body: 'aGkK' },
        ]);
        expect(await link.finish(workerId, [{ ...ref, outcome: 'succeeded' }])).toEqual([]);
        order.push(claim.nodeName);
      }
    }
    expect(order).toEqual(['a', 'b']);
    expect(await line.statuses()).toEqual({ a: 'succeeded', b: 'succeeded' });
    const [logged] = await line.database.rows<{ n: number }>(
      `SELECT count(*)::int AS n FROM log_chunk`,
    );
    expect(logged?.n).toBe(2);
    await link.goodbye(workerId);
  });

  test('keeps the start and the last of the run log that a report tells, whatever the worker’s clock says', async () => {
    await using world = await openWorld();
    const { line, link, workerId, claims } = await claimAll(world, ['a', 'b']);
    const dispatchedAt = line.clock.now().getTime();
    line.clock.set(new Date(dispatchedAt + 1000).toISOString());
    const log = [{ no: 0, at: '2020-01-01T00:00:00Z', lineCount: 1, byteCount: 3, body: 'aGkK' }];
    const reports = claims.map(({ planDay, instanceId, epoch, nodeName }): FinishReport => {
      const ref = { planDay, instanceId, epoch, outcome: 'succeeded' } as const;
      // Longer than since it was handed out: it cannot have begun before.
      return { ...ref, startedMsAgo: nodeName === 'a' ? 400 : 5000, log };
    });
    expect(await link.finish(workerId, reports)).toEqual([]);
    // An answer that was lost on the way: it is sent again, and nothing is doubled.
    expect(await link.finish(workerId, reports)).toHaveLength(2);
    const rows = await line.database.rows<{ name: string; started: Date; attempt: Date }>(
      `SELECT n.name, i.started_at AS started, a.started_at AS attempt
         FROM node_instance i JOIN node n ON n.id = i.node_id
         JOIN attempt a ON a.plan_day = i.plan_day AND a.instance_id = i.id
         JOIN log_chunk l ON l.plan_day = i.plan_day AND l.instance_id = i.id AND l.epoch = a.epoch
        ORDER BY n.name`,
    );
    const at = { a: new Date(dispatchedAt + 600), b: new Date(dispatchedAt) };
    expect(rows).toEqual([
      { name: 'a', started: at.a, attempt: at.a },
      { name: 'b', started: at.b, attempt: at.b },
    ]);
  });

  test('a poll waits for work and is answered as soon as there is some', async () => {
    await using world = await openWorld();
    const { line } = world;
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    const link = await world.link('default');
    const { workerId } = await link.register(HELLO);
    const ask = { workerId, free: 4, freeRequests: 0, stopping: [], waitMs: 30_000 };
    const polled = link.poll(ask, new AbortController().signal);
    await line.run(workflowId, '2026-11-20');
    await line.release();
    line.wakeBus.wake('work');
    expect((await polled).claims.map((claim) => claim.nodeName)).toEqual(['a']);
  });

  test('tells a running sync its limits and its share, and keeps its progress, of its own attempts alone', async () => {
    await using world = await openWorld();
    const { line, link, workerId, claims } = await claimAll(world, ['a']);
    const [claim] = claims;
    if (claim === undefined) throw new Error('nothing was claimed');
    const { planDay, instanceId, epoch } = claim;
    const ref = { planDay, instanceId, epoch };
    await link.started(workerId, [ref]);
    const change = { rateLimit: { rowsPerSecond: 7 }, dirtyLimit: { records: 3 } };
    await line.database.run(
      'UPDATE node_instance_detail SET channel = $3 WHERE plan_day = $1 AND instance_id = $2',
      [planDay, instanceId, JSON.stringify(change)],
    );
    const told = await link.control({
      workerId,
      attempts: [{ ...ref, progress: { rowsRead: 12 }, demands: { files: { rowsPerSecond: 9 } } }],
    });
    expect(told).toEqual([
      { ...ref, news: { change, shares: {}, sharesForMs: expect.any(Number) } },
    ]);
    const [kept] = await line.database.rows<{ progress: unknown }>(
      'SELECT progress FROM running_attempt WHERE instance_id = $1',
      [instanceId],
    );
    expect(kept?.progress).toEqual({ rowsRead: 12 });
    const stranger = { ...ref, epoch: epoch + 1, progress: { rowsRead: 99 } };
    expect(await link.control({ workerId, attempts: [stranger] })).toEqual([]);
    const bad = { ...ref, demands: { files: { rowsPerSecond: -1 } } };
    await expect(link.control({ workerId, attempts: [bad] })).rejects.toMatchObject({
      code: 'MR-A101',
    });
  });

  test('refuses an unknown token, a revoked one, and a body that is not of the protocol', async () => {
    await using world = await openWorld();
    await expect(world.linkWith('mrw_guess').register(HELLO)).rejects.toMatchObject({
      code: 'MR-A102',
    });
    const old = await world.link('default');
    await old.register(HELLO);
    await world.link('default');
    await expect(old.register(HELLO)).rejects.toMatchObject({ code: 'MR-A102' });
    const link = await world.link('default');
    await expect(link.register({ ...HELLO, capacity: 0 })).rejects.toMatchObject({
      code: 'MR-A101',
    });
  });

  test('a token of one resource group speaks for no worker of another', async () => {
    await using world = await openWorld();
    await world.line.database.run(`INSERT INTO resource_group (name, slots) VALUES ('other', 1)`);
    const own = await world.link('default');
    const foreign = await world.link('other');
    const { workerId } = await own.register(HELLO);
    const renewal = { workerId, attempts: [] };
    await expect(foreign.renew(renewal)).rejects.toMatchObject({ code: 'MR-A103' });
    expect((await own.renew(renewal)).lost).toEqual([]);
  });

  test('refuses a worker of an older protocol', async () => {
    await using world = await openWorld();
    const link = await world.link('default');
    await expect(link.register({ ...HELLO, protocol: OLDEST_PROTOCOL - 1 })).rejects.toMatchObject({
      code: 'MR-A208',
    });
  });
});
