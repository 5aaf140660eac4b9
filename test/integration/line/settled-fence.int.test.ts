import { describe, expect, test } from '@jest/globals';

import { advanceFences } from '../../../src/store/sql/advance-fences.sql.js';
import type { Claim } from '../../../src/worker-link/worker-link.js';
import { type FakeWorker, Line, node } from '../../support/line.js';

/** One worker, and a workflow of one node that is run for one date after the other. */
async function oneNode(more: object = {}): Promise<{
  line: Line;
  worker: FakeWorker;
  claim: (bizdate?: string) => Promise<Claim>;
}> {
  const line = await Line.open();
  const { workflowId } = await line.submit('w', { nodes: [node('a', [], more)] });
  const worker = await line.worker();
  return {
    line,
    worker,
    claim: async (bizdate) => {
      if (bizdate !== undefined) await line.run(workflowId, bizdate);
      await line.release();
      const [claim] = await worker.claim(1);
      if (claim === undefined) throw new Error('there was nothing to claim');
      return claim;
    },
  };
}

function fenceBefore(claim: Claim): string {
  return String(Number(claim.fence) - 1);
}

async function openRuns(line: Line): Promise<number> {
  return (await line.database.rows(`SELECT FROM open_run`)).length;
}

describe('the settled fence of a claim', () => {
  test('is below every attempt that is held, and rises when they have ended', async () => {
    const { line, worker, claim } = await oneNode();
    await using _ = line;
    const first = await claim('2026-11-10');
    const second = await claim('2026-11-11');
    expect(second.settledFence).toBe(fenceBefore(first));
    await worker.finish(second);
    expect((await claim('2026-11-12')).settledFence).toBe(fenceBefore(first));
    await worker.finish(first);
    expect((await claim('2026-11-13')).settledFence).toBe(second.fence);
  });

  test('is below all of two cycles that are claimed at once', async () => {
    const { line, worker, claim } = await oneNode();
    await using _ = line;
    const first = await claim('2026-11-10');
    await worker.finish(first);
    const [workflow] = await line.database.rows<{ id: number }>(`SELECT id FROM workflow`);
    for (const bizdate of ['2026-11-11', '2026-11-12']) await line.run(workflow?.id ?? 0, bizdate);
    await line.release();
    const both = await worker.claim(2);
    expect(both.map((each) => each.settledFence)).toEqual([first.fence, first.fence]);
  });

  test('of another node does not matter', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b')] });
    await line.run(workflowId, '2026-11-10');
    await line.release();
    const worker = await line.worker();
    for (const claim of await worker.claim(2)) {
      expect(claim.settledFence).toBe(fenceBefore(claim));
    }
  });

  test('stays below the first attempt of a run that waits for its retry, until the run is over', async () => {
    const { line, worker, claim } = await oneNode({ retry: { max: 2, intervalMs: 60_000 } });
    await using _ = line;
    const failing = await claim('2026-11-10');
    await worker.finish(failing, { outcome: 'failed', errorCode: 'MR-D109' });
    const other = await claim('2026-11-11');
    expect(other.settledFence).toBe(fenceBefore(failing));
    await worker.finish(other);
    line.clock.advance(60_000);
    const again = await claim();
    expect(again.instanceId).toBe(failing.instanceId);
    expect(again.settledFence).toBe(fenceBefore(failing));
    await worker.finish(again);
    expect(await openRuns(line)).toBe(0);
    expect((await claim('2026-11-12')).settledFence).toBe(again.fence);
  });

  test.each(['lost', 'returned'] as const)(
    'stays below the first attempt of a run that was %s, until a user stops it',
    async (how) => {
      const { line, worker, claim } = await oneNode();
      await using _ = line;
      const gone = await claim('2026-11-10');
      if (how === 'returned') await worker.finish(gone, { outcome: 'returned' });
      else {
        await line.database.run(
          `UPDATE worker_lease SET lease_until = clock_timestamp() - interval '1 ms'`,
        );
        expect(await line.reap(0)).toBe(1);
      }
      expect(await openRuns(line)).toBe(1);
      await line.commands.stopInstance({
        planDay: gone.planDay,
        id: gone.instanceId,
        userId: 1,
      });
      expect(await openRuns(line)).toBe(0);
      expect((await claim('2026-11-12')).settledFence).not.toBe(fenceBefore(gone));
    },
  );

  test('is not told while another transaction claims of the same node', async () => {
    const { line, claim } = await oneNode();
    await using _ = line;
    const [row] = await line.database.rows<{ id: number }>(`SELECT id FROM node`);
    await line.database.transaction(async (tx) => {
      await tx.run(`SELECT pg_advisory_xact_lock(7263003, $1)`, [row?.id]);
      expect((await claim('2026-11-10')).settledFence).toBeUndefined();
    });
    expect((await claim('2026-11-11')).settledFence).toBeDefined();
  });
});

test('a store that comes back from a backup draws no fence that was drawn before', async () => {
  const { line, claim } = await oneNode();
  await using _ = line;
  await advanceFences(line.database);
  const drawn = BigInt((await claim('2026-11-10')).fence);
  await line.database.run(`SELECT setval('fence_seq', 7)`);
  await Promise.all([advanceFences(line.database), advanceFences(line.database)]);
  expect(BigInt((await claim('2026-11-11')).fence)).toBeGreaterThan(drawn);
});
