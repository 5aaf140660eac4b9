import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import type { Claim, PollAnswer } from '../../../src/worker-link/worker-link.js';
import { type FakeWorker, Line, node } from '../../support/line.js';

interface Scene {
  readonly first: FakeWorker;
  readonly a: Claim;
  readonly second: FakeWorker;
  readonly polling: Promise<PollAnswer>;
  readonly giveUp: AbortController;
}

/** One worker that runs `a`, before `b`, and another one that waits for something to do. */
async function openScene(line: Line): Promise<Scene> {
  const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const first = await line.worker();
  const [a] = await first.claim(1);
  if (a === undefined) throw new Error('there is no a');
  const second = await line.worker();
  const giveUp = new AbortController();
  const { workerId } = second;
  const ask = { workerId, free: 4, freeRequests: 0, stopping: [], waitMs: 20_000 };
  const polling = line.link.poll(ask, giveUp.signal);
  // Whoever waits for it may do so late.
  polling.catch(() => undefined);
  // It has looked by then, and waits.
  await sleep(300);
  return { first, a, second, polling, giveUp };
}

/** Whether one transaction has written the end of `a` and the claim of `b`. */
async function isOneCommit(line: Line): Promise<boolean | undefined> {
  const [row] = await line.database.rows<{ same: boolean }>(
    `SELECT count(DISTINCT xmin::text) = 1 AS same FROM node_instance`,
  );
  return row?.same;
}

test('what an end lets go is given to a worker that waits, in the transaction of the end', async () => {
  await using line = await Line.open();
  const { first, a, second, polling } = await openScene(line);
  await first.finish(a);
  const { claims } = await polling;
  expect(claims.map((claim) => claim.nodeName)).toEqual(['b']);
  expect(await isOneCommit(line)).toBe(true);
  const [b] = claims;
  expect(await line.database.rows('SELECT worker_id, instance_id FROM running_attempt')).toEqual([
    { worker_id: second.workerId, instance_id: b?.instanceId },
  ]);
  if (b !== undefined) await second.finish(b);
  expect(await line.statuses()).toEqual({ a: 'succeeded', b: 'succeeded' });
});

test('an end does not wait for whoever has its group locked: the worker claims later by itself', async () => {
  await using line = await Line.open();
  const { first, a, polling } = await openScene(line);
  await line.database.transaction(async (tx) => {
    await tx.rows('SELECT FROM resource_group FOR NO KEY UPDATE');
    await first.finish(a);
    expect(await line.statuses()).toEqual({ a: 'succeeded', b: 'waiting_resource' });
  });
  expect((await polling).claims.map((claim) => claim.nodeName)).toEqual(['b']);
  expect(await isOneCommit(line)).toBe(false);
});

test('a group with a gate claims as ever', async () => {
  await using line = await Line.open();
  const { first, a, polling } = await openScene(line);
  await line.database.run('UPDATE resource_group SET gated = true');
  await first.finish(a);
  expect((await polling).claims.map((claim) => claim.nodeName)).toEqual(['b']);
  expect(await isOneCommit(line)).toBe(false);
});

test.each([
  ['all slots of the group are taken', 'UPDATE resource_group SET slots = 0'],
  ['the group drains', 'UPDATE resource_group SET draining = true'],
  ['the worker drains', 'UPDATE worker SET draining = true'],
])('nothing is given away where %s', async (_, change) => {
  await using line = await Line.open();
  const { first, a } = await openScene(line);
  await line.database.run(change);
  await first.finish(a);
  await sleep(300);
  expect(await line.statuses()).toEqual({ a: 'succeeded', b: 'waiting_resource' });
});

test('nothing is given to a worker that has gone', async () => {
  await using line = await Line.open();
  const { first, a, polling, giveUp } = await openScene(line);
  giveUp.abort();
  await polling;
  await first.finish(a);
  expect(await line.statuses()).toEqual({ a: 'succeeded', b: 'waiting_resource' });
});

test('an end is written even where what it lets go cannot be claimed', async () => {
  await using line = await Line.open();
  const { first, a, polling } = await openScene(line);
  await line.database.run(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no claims today'; END $$`,
  );
  await line.database.run(
    'CREATE TRIGGER refuse BEFORE INSERT ON running_attempt EXECUTE FUNCTION refuse()',
  );
  await first.finish(a);
  expect(await line.statuses()).toEqual({ a: 'succeeded', b: 'waiting_resource' });
  await expect(polling).rejects.toThrow('no claims today');
});
