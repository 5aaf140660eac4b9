import { expect, test } from '@jest/globals';

import { Line, node } from '../../support/line.js';

async function lineWith(nodes: number): Promise<Line> {
  const line = await Line.open();
  const { workflowId } = await line.submit('w', {
    nodes: Array.from({ length: nodes }, (_, no) => node(`n${no}`)),
  });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  return line;
}

test('a renewal writes only the attempts whose progress has changed', async () => {
  await using line = await lineWith(2);
  const worker = await line.worker();
  const [first, second] = await worker.claim(2);
  const renew = async (rows: number): Promise<readonly object[]> => {
    const attempts = [
      { ...first, progress: { rowsWritten: rows } },
      { ...second, progress: { rowsWritten: 1 } },
    ] as Parameters<typeof line.link.renew>[0]['attempts'];
    const { lost } = await line.link.renew({ workerId: worker.workerId, attempts });
    expect(lost).toEqual([]);
    return await line.database.rows(
      `SELECT instance_id, xmin::text, progress FROM running_attempt ORDER BY instance_id`,
    );
  };
  const before = await renew(1);
  const after = await renew(2);
  expect(after[0]).toMatchObject({ progress: { rowsWritten: 2 } });
  expect(after[0]).not.toEqual(before[0]);
  expect(after[1]).toEqual(before[1]);
});

test('a renewal does not wait for a transaction that ends one of its attempts', async () => {
  await using line = await lineWith(1);
  const worker = await line.worker();
  const [claim] = await worker.claim(1);
  if (claim === undefined) throw new Error('nothing was claimed');
  await line.database.transaction(async (tx) => {
    await tx.rows(`SELECT FROM running_attempt FOR UPDATE`);
    const renewal = line.link.renew({
      workerId: worker.workerId,
      attempts: [{ ...claim, progress: { rowsWritten: 1 } }],
    });
    const late = new Promise((resolve) => setTimeout(resolve, 3000, 'it waits'));
    expect(await Promise.race([renewal, late])).toMatchObject({ lost: [] });
  });
});

test('what a worker claims right after it was frozen is not taken from it before it can renew', async () => {
  await using line = await lineWith(1);
  const worker = await line.worker();
  await line.database.run(
    `UPDATE worker_lease SET lease_until = clock_timestamp() - interval '1 minute'`,
  );
  expect(await worker.claim(1)).toHaveLength(1);
  expect(await line.reap(0)).toBe(0);
  expect(await line.statuses()).toEqual({ n0: 'dispatched' });
});

test('an instance whose parameters are missing fails with an error instead of coming again for ever', async () => {
  await using line = await lineWith(1);
  await line.database.run(`DELETE FROM node_instance_detail`);
  const worker = await line.worker();
  const [claim] = await worker.claim(1);
  expect(claim?.problem).toMatchObject({ code: 'MR-A109' });
});

test('an attempt after one that was given back has a number of its own, and all its retries', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('w', {
    nodes: [node('a', [], { retry: { max: 1, intervalMs: 60_000 } })],
  });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const worker = await line.worker();
  const numbers: number[] = [];
  for (const outcome of ['returned', 'failed', 'failed'] as const) {
    const [claim] = await worker.claim(1);
    if (claim === undefined) throw new Error('nothing was claimed');
    numbers.push(claim.attempt);
    await worker.finish(claim, { outcome, ...(outcome === 'failed' && { errorCode: 'MR-D109' }) });
    line.clock.advance(60_000);
    await line.release();
  }
  expect(numbers).toEqual([1, 2, 3]);
  expect(await line.statuses()).toEqual({ a: 'failed' });
});
