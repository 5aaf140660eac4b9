import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import type { Claim, PollAnswer } from '../../../src/worker-link/worker-link.js';
import { type FakeWorker, Line, node } from '../../support/line.js';

/** A call that waits until there is something for its worker. */
function waitingPoll(line: Line, { workerId }: FakeWorker): Promise<PollAnswer> {
  const ask = { workerId, free: 4, freeRequests: 0, stopping: [], waitMs: 20_000 };
  return line.link.poll(ask, new AbortController().signal);
}

/** One worker that runs `a`, and two that run something long and wait for more. */
async function threeWorkers(
  line: Line,
): Promise<{ first: FakeWorker; a: Claim; waiting: { worker: FakeWorker; long: Claim }[] }> {
  const draft = { nodes: [node('a'), node('b', ['a']), node('long1'), node('long2')] };
  const { workflowId } = await line.submit('w', draft);
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const first = await line.worker();
  const claims = await first.claim(1);
  const others = [await line.worker(), await line.worker()];
  const waiting: { worker: FakeWorker; long: Claim }[] = [];
  for (const worker of others) {
    const [long] = await worker.claim(1);
    if (long === undefined) throw new Error('there is nothing long');
    waiting.push({ worker, long });
  }
  const [a] = claims;
  if (a?.nodeName !== 'a') throw new Error('a was not the first');
  return { first, a, waiting };
}

async function stop(line: Line, { planDay, instanceId: id }: Claim): Promise<void> {
  await line.commands.stopInstance({ planDay, id, userId: 1 });
}

test('of two workers that wait one is given what an end lets go, and the other one goes on waiting', async () => {
  await using line = await Line.open();
  const { first, a, waiting } = await threeWorkers(line);
  const polls = waiting.map(async ({ worker, long }) => ({
    long,
    answer: await waitingPoll(line, worker),
  }));
  await first.finish(a);
  const given = await Promise.race(polls);
  expect(given.answer.claims.map((claim) => claim.nodeName)).toEqual(['b']);
  const left = waiting.find(({ long }) => long !== given.long);
  if (left === undefined) throw new Error('both were given something');
  await stop(line, left.long);
  const answers = await Promise.all(polls);
  const { planDay, instanceId, epoch } = left.long;
  expect(answers.find(({ long }) => long === left.long)?.answer).toEqual({
    claims: [],
    requests: [],
    stops: [{ planDay, instanceId, epoch }],
  });
});

test('a worker that waits while what was let go finds no slot is told to stop all the same', async () => {
  await using line = await Line.open({ slots: 3 });
  const { first, a, waiting } = await threeWorkers(line);
  const [one] = waiting;
  if (one === undefined) throw new Error('nobody waits');
  await line.database.run('UPDATE resource_group SET slots = 2');
  let told: PollAnswer | undefined;
  const polling = waitingPoll(line, one.worker).then((answer) => (told = answer));
  await first.finish(a);
  await sleep(300);
  expect(told).toBeUndefined();
  await stop(line, one.long);
  expect((await polling).stops).toMatchObject([{ instanceId: one.long.instanceId }]);
  expect((await line.statuses())['b']).toBe('waiting_resource');
});
