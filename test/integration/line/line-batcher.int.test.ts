import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import { secretBoxOf } from '../../../src/store/secret-box-of.js';
import { claimInstances } from '../../../src/worker-link/claim-instances.js';
import { HandOver } from '../../../src/worker-link/hand-over.js';
import { LineBatcher } from '../../../src/worker-link/line-batcher.js';
import { WaitingPolls } from '../../../src/worker-link/waiting-polls.js';
import type { Claim } from '../../../src/worker-link/worker-link.js';
import { Line, node } from '../../support/line.js';

/** A batcher of its own, `a` that runs, and `c` that is ready. */
async function openScene(
  line: Line,
  options: { readonly during?: (scene: Scene) => void; readonly claimsFail?: boolean } = {},
): Promise<Scene> {
  const { workflowId } = await line.submit('w', { nodes: [node('a'), node('c')] });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const worker = await line.worker();
  const [a] = await worker.claim(1);
  if (a === undefined) throw new Error('there is no a');
  const box = secretBoxOf(['a test key that is long enough for the box']);
  const claim = { box, clock: line.clock, installation: 'test', withoutWaiting: true };
  const batcher = new LineBatcher({
    database: line.database,
    clock: line.clock,
    wakeBus: line.wakeBus,
    crashPoint: async (name) => {
      if (name === 'finish:before-release') options.during?.(scene);
    },
    handOver: () =>
      new HandOver(new WaitingPolls(), async (tx, poll) => {
        if (options.claimsFail === true) await tx.rows('SELECT 1 / 0');
        return await claimInstances(tx, poll.ask, poll.worker, claim);
      }),
  });
  const scene: Scene = {
    a,
    ask: async () =>
      await batcher.claim(
        { workerId: worker.workerId, free: 4, freeRequests: 0, stopping: [], waitMs: 0 },
        { resourceGroupId: line.groupId, nodeTypes: ['shell'], labels: [] },
      ),
    finish: async (claims) => {
      await batcher.finish(
        worker.workerId,
        claims.map(({ planDay, instanceId, epoch }) => ({
          planDay,
          instanceId,
          epoch,
          outcome: 'succeeded',
        })),
      );
    },
  };
  return scene;
}

interface Scene {
  readonly a: Claim;
  readonly ask: () => Promise<readonly Claim[]>;
  readonly finish: (claims: readonly Claim[]) => Promise<void>;
}

async function transactions(line: Line): Promise<number | undefined> {
  const [row] = await line.database.rows<{ number: number }>(
    'SELECT count(DISTINCT xmin::text) AS number FROM node_instance',
  );
  return row?.number;
}

test('what a worker asks for while attempts end is claimed in the transaction of their ends', async () => {
  await using line = await Line.open();
  let asked: Promise<readonly Claim[]> = Promise.resolve([]);
  const scene = await openScene(line, { during: ({ ask }) => void (asked = ask()) });
  await scene.finish([scene.a]);
  expect((await asked).map((claim) => claim.nodeName)).toEqual(['c']);
  expect(await transactions(line)).toBe(1);
  expect(await line.statuses()).toEqual({ a: 'succeeded', c: 'dispatched' });
});

test('where nothing ends it is claimed at once', async () => {
  await using line = await Line.open();
  const scene = await openScene(line);
  expect((await scene.ask()).map((claim) => claim.nodeName)).toEqual(['c']);
});

test('one worker at a time: the next one claims by itself', async () => {
  await using line = await Line.open();
  const asked: Promise<readonly Claim[]>[] = [];
  const scene = await openScene(line, {
    during: ({ ask }) => void asked.push(ask(), ask()),
  });
  await scene.finish([scene.a]);
  expect((await Promise.all(asked)).map((claims) => claims.length)).toEqual([1, 0]);
});

test('many ends are not kept waiting for claims, nor claims for them', async () => {
  await using line = await Line.open();
  let asked: Promise<readonly Claim[]> = Promise.resolve([]);
  const scene = await openScene(line, { during: ({ ask }) => void (asked = ask()) });
  await scene.finish([scene.a, ...Array.from({ length: 64 }, () => scene.a)]);
  expect(await asked).toEqual([]);
  expect(await line.statuses()).toEqual({ a: 'succeeded', c: 'waiting_resource' });
});

test('ends are written even where the claims fail, and who asked is told that it has nothing', async () => {
  await using line = await Line.open();
  const asked: Promise<readonly Claim[]>[] = [];
  const scene = await openScene(line, {
    claimsFail: true,
    during: ({ ask }) => void asked.push(ask()),
  });
  await scene.finish([scene.a]);
  expect(await Promise.all(asked)).toContainEqual([]);
  expect(await line.statuses()).toEqual({ a: 'succeeded', c: 'waiting_resource' });
  // Alone it fails as well, and is not tried for ever.
  expect(await scene.ask()).toEqual([]);
});

test('a worker does not wait behind an end that waits for a lock', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('w', { nodes: [node('a'), node('c')] });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const first = await line.worker();
  const second = await line.worker();
  const [a] = await first.claim(1);
  if (a === undefined) throw new Error('there is no a');
  let ending: Promise<number> | undefined;
  await line.database.transaction(async (tx) => {
    await tx.rows('SELECT FROM node_instance WHERE id = $1 FOR UPDATE', [a.instanceId]);
    ending = first.finish(a);
    await sleep(100);
    const claims = await Promise.race([second.claim(1), sleep(5_000, [], { ref: false })]);
    expect(claims.map((claim) => claim.nodeName)).toEqual(['c']);
    expect(await line.statuses()).toEqual({ a: 'dispatched', c: 'dispatched' });
  });
  expect(await ending).toBe(0);
  expect(await line.statuses()).toEqual({ a: 'succeeded', c: 'dispatched' });
});

test('of many ready instances a worker gets some at once and the others when it asks again', async () => {
  await using line = await Line.open({ slots: 1_000 });
  const nodes = Array.from({ length: 100 }, (_, at) => node(`node_${at}`));
  const { workflowId } = await line.submit('w', { nodes });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const worker = await line.worker();
  const first = await worker.claim(200);
  const second = await worker.claim(200);
  expect([first.length, second.length]).toEqual([64, 36]);
  expect(new Set([...first, ...second].map((claim) => claim.instanceId)).size).toBe(100);
});
