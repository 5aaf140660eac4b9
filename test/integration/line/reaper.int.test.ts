import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import { createReaper } from '../../../src/scheduler/reaper.js';
import type { Claim } from '../../../src/worker-link/worker-link.js';
import { Line, node } from '../../support/line.js';

const LEASE_MS = 3000;

test('a scheduler that starts at the end of an outage waits one lease before it takes anything', async () => {
  await using line = await Line.open({ leaseMs: LEASE_MS });
  const { workflowId } = await line.submit('w', { nodes: [node('a')] });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  await (await line.worker()).claim(1);
  // Nobody could renew while the way to the database was cut, and nobody has had the time to since.
  await line.database.run(
    `UPDATE worker_lease SET lease_until = clock_timestamp() - interval '1 minute'`,
  );
  const reaper = createReaper(line.database, line.clock, line.wakeBus, LEASE_MS, {
    warn: () => undefined,
  });
  reaper.start();
  try {
    await sleep(LEASE_MS / 2);
    expect(reaper.lastSuccessAt).toBeDefined();
    expect(await line.statuses()).toEqual({ a: 'dispatched' });
    await sleep(LEASE_MS);
    expect(await line.statuses()).toEqual({ a: 'waiting_resource' });
  } finally {
    await reaper.stop();
  }
});

test('an attempt its worker ended for want of a renewal uses up no retry, and the third one fails', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const worker = await line.worker();
  for (const status of ['waiting_resource', 'waiting_resource', 'failed']) {
    const [claim] = await worker.claim(1);
    await worker.finish(claim as Claim, { outcome: 'lost' });
    expect(await line.statuses()).toEqual({ a: status, b: 'waiting_upstream' });
  }
  const [a] = await line.instances(`n.name = 'a'`);
  expect(a).toMatchObject({ reason: 'MR-S201', attempt: 3 });
  expect(await line.wrongPendings()).toBe(0);
});

test('an attempt that was to be stopped and is lost is not run again', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('w', { nodes: [node('a')] });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const worker = await line.worker();
  const [claim] = await worker.claim(1);
  const [a] = await line.instances();
  await line.commands.stopInstance({
    planDay: a?.plan_day ?? '',
    id: a?.id ?? 0,
    userId: 1,
  });
  await worker.finish(claim as Claim, { outcome: 'lost' });
  expect(await line.statuses()).toEqual({ a: 'cancelled' });
});
