import { describe, expect, test } from '@jest/globals';

import { secretBoxOf } from '../../../src/store/secret-box-of.js';
import { claimDetails, findDetails } from '../../../src/store/sql/claim-details.sql.js';
import { claimReadyInstances } from '../../../src/store/sql/claim-ready-instances.sql.js';
import { finishInstances } from '../../../src/store/sql/finish-instances.sql.js';
import type { Claim } from '../../../src/worker-link/worker-link.js';
import { type FakeWorker, Line, node } from '../../support/line.js';

describe('claiming', () => {
  test('a group of the most slots there may be is claimed from', async () => {
    await using line = await Line.open({ slots: 100_000 });
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    expect(await (await line.worker()).claim(1)).toHaveLength(1);
  });

  test('64 claim loops on a group of 10 slots never hold more than 10', async () => {
    await using line = await Line.open({ slots: 10 });
    const nodes = Array.from({ length: 300 }, (_, i) => node(`n${i}`));
    const { workflowId } = await line.submit('w', { nodes });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const workers = await Promise.all(Array.from({ length: 64 }, () => line.worker()));
    let held = 0;
    let most = 0;
    let finished = 0;
    const deadline = performance.now() + 50_000;
    await Promise.all(
      workers.map(async (worker) => {
        while (finished < nodes.length && performance.now() < deadline) {
          for (const claim of await worker.claim(3)) {
            held++;
            most = Math.max(most, held);
            await new Promise((resolve) => setTimeout(resolve, 5));
            held--;
            await worker.finish(claim);
            finished++;
          }
        }
      }),
    );
    expect(finished).toBe(nodes.length);
    expect(most).toBeLessThanOrEqual(10);
    expect(most).toBeGreaterThan(1);
    // The database's own account of every moment: attempts overlap by their own times.
    const [peak] = await line.database.rows<{ peak: number }>(
      `SELECT max(n)::int AS peak FROM (
         SELECT count(*) AS n FROM attempt a JOIN attempt b ON b.claimed_at <= a.claimed_at
           AND (b.ended_at IS NULL OR b.ended_at > a.claimed_at) WHERE a.claimed_at < a.ended_at
         GROUP BY a.instance_id) t`,
    );
    expect(peak?.peak ?? 0).toBeLessThanOrEqual(10);
  });

  test('a node of many slots counts as many', async () => {
    await using line = await Line.open({ slots: 5 });
    const { workflowId } = await line.submit('w', {
      nodes: [node('big', [], { slots: 4 }), node('small'), node('other', [], { slots: 2 })],
    });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const claims = await (await line.worker()).claim(10);
    expect(claims.map((claim) => claim.nodeName)).toEqual(['big', 'small']);
  });

  test('a node that wants more slots than its group has left keeps nobody else waiting', async () => {
    await using line = await Line.open({ slots: 5 });
    const { workflowId } = await line.submit('w', {
      nodes: [node('big', [], { slots: 4, priority: 8 }), node('small')],
    });
    await line.database.run(`UPDATE resource_group SET slots = 3`);
    await line.run(workflowId, '2026-11-20');
    const worker = await line.worker();
    expect(await line.drain(worker)).toEqual(['small']);
    const [big] = await line.instances(`n.name = 'big'`);
    if (big === undefined) throw new Error('big is missing');
    const why = await line.commands.explainInstance({ planDay: big.plan_day, id: big.id });
    expect(why.reasons[0]?.text).toContain('wants 4 slots');
  });

  test('a worker gets only types it has plugins for, and why names the missing one', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      nodes: [node('script'), node('plain')],
    });
    // A type of a plugin that the worker below has not.
    await line.database.run(`UPDATE node_version SET type = 'spark'
        WHERE node_id = (SELECT id FROM node WHERE name = 'script')`);
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const [script] = await line.instances(`n.name = 'script'`);
    if (script === undefined) throw new Error('script is missing');
    const key = { planDay: script.plan_day, id: script.id };
    const nobody = await line.commands.explainInstance(key);
    expect(nobody.reasons[0]?.text).toContain('No worker of resource group "default" is alive');

    const worker = await line.worker({ nodeTypes: ['shell'] });
    expect((await worker.claim(10)).map((claim) => claim.nodeName)).toEqual(['plain']);
    const why = await line.commands.explainInstance(key);
    expect(why.reasons[0]?.text).toContain('has node type "spark"');
  });

  test('higher priority is claimed first, and waiting long makes up for it', async () => {
    await using line = await Line.open({ slots: 1 });
    const { workflowId } = await line.submit('w', {
      nodes: [node('low', [], { priority: 1 }), node('high', [], { priority: 8 })],
    });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    const [first] = await worker.claim(1);
    expect(first?.nodeName).toBe('high');
    if (first === undefined) throw new Error('nothing was claimed');
    await worker.finish(first);

    line.clock.advance(2 * 3_600_000);
    await line.run(workflowId, '2026-11-19');
    await line.release();
    expect((await worker.claim(1))[0]).toMatchObject({ nodeName: 'low', bizdate: '2026-11-20' });
  });

  test('two run groups never run the same node and scheduled time at once, and why names the other', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.run(workflowId, '2026-11-20');
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    const first = await worker.claim(10);
    expect(first).toHaveLength(1);
    expect(await worker.claim(10)).toHaveLength(0);
    const [waiting] = await line.instances(`i.status = 'waiting_resource'`);
    if (waiting === undefined) throw new Error('nobody waits');
    const why = await line.commands.explainInstance({ planDay: waiting.plan_day, id: waiting.id });
    expect(why.reasons[0]).toMatchObject({
      gate: 'resource',
      refs: [`inst_${waiting.plan_day.replaceAll('-', '')}_${first[0]?.instanceId}`],
    });
    if (first[0] === undefined) throw new Error('nothing was claimed');
    await worker.finish(first[0]);
    expect(await worker.claim(10)).toHaveLength(1);
  });

  test('code and configuration are the latest submitted ones, cycle and parameters the planned ones', async () => {
    await using line = await Line.open();
    const shell = (command: string, hour: string) => ({
      parameters: { hour },
      nodes: [{ id: 'a', type: 'shell', config: { command } }],
    });
    const { workflowId } = await line.submit('w', shell('echo old', '01'));
    await line.run(workflowId, '2026-11-20');
    await line.submit('w', shell('echo fixed', '02'));
    await line.release();
    const [claim] = await (await line.worker()).claim(1);
    expect(claim).toMatchObject({ config: { command: 'echo fixed' }, parameters: { hour: '01' } });
  });

  test('what is submitted while an instance is claimed does not change what its attempt runs', async () => {
    await using line = await Line.open();
    const shell = (command: string) => ({
      nodes: [{ id: 'a', type: 'shell', config: { command } }],
    });
    const { workflowId } = await line.submit('w', shell('echo planned'));
    await line.run(workflowId, '2026-11-20');
    await line.submit('w', shell('echo fixed'));
    await line.release();
    const ask = {
      workerId: (await line.worker()).workerId,
      resourceGroupId: line.groupId,
      nodeTypes: ['shell'],
      labels: [],
      limit: 1,
    };
    const box = secretBoxOf(['it opens nothing here, for there is no data source']);
    const { rows, details } = await line.database.transaction(async (tx) => {
      const claimed = await claimReadyInstances(tx, ask, line.clock.now(), async (instances) => {
        await line.submit('w', shell('echo too late'));
        return await findDetails(tx, instances);
      });
      const taken = claimed?.rows ?? [];
      return { rows: taken, details: await claimDetails(tx, box, taken, claimed?.beside) };
    });
    expect(details.get(rows[0]?.id ?? 0)?.config).toEqual({ command: 'echo fixed' });
  });

  test('a rerun may ask for the code that was planned, also for its retries; the next one has the latest', async () => {
    await using line = await Line.open();
    const shell = (command: string) => ({
      nodes: [node('a', [], { config: { command }, retry: { max: 1 } }), node('b', ['a'])],
    });
    const { workflowId } = await line.submit('w', shell('echo old'));
    await line.run(workflowId, '2026-11-20');
    await line.submit('w', shell('echo fixed'));
    const worker = await line.worker();
    await line.drain(worker);
    const [first] = await line.instances(`n.name = 'a'`);
    if (first === undefined) throw new Error('it was not planned');
    const command = { planDay: first.plan_day, id: first.id, userId: 1 };
    const commandsOf = async (): Promise<unknown[]> => {
      const run: unknown[] = [];
      await line.drain(worker, ({ nodeName, config, attempt }) => {
        if (nodeName === 'a') run.push(config);
        return attempt === 1 ? { outcome: 'failed', errorCode: 'MR-D102' } : {};
      });
      line.clock.advance(60_000);
      await line.drain(worker, ({ config }) => {
        run.push(config);
        return {};
      });
      return run;
    };
    await line.commands.rerunInstance({ ...command, code: 'planned' });
    const old = { command: 'echo old' };
    expect(await commandsOf()).toEqual([old, old]);
    const keys = [command];
    await line.commands.rerunWide({ operation: 'rerun-downstream', keys, userId: 1 });
    const fixed = { command: 'echo fixed' };
    expect((await commandsOf()).slice(0, 2)).toEqual([fixed, fixed]);
    await line.commands.rerunWide({
      operation: 'rerun-downstream',
      keys,
      userId: 1,
      code: 'planned',
    });
    expect((await commandsOf()).slice(0, 2)).toEqual([old, old]);
  });
});

describe('attempts', () => {
  const retried = { nodes: [node('a', [], { retry: { max: 2, intervalMs: 60_000 } })] };
  const failed = { outcome: 'failed', errorCode: 'MR-P105' } as const;

  test('a failure is tried again after the interval, as often as the policy says', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', retried);
    await line.run(workflowId, '2026-11-20');
    const worker = await line.worker();
    for (const attempt of [1, 2, 3]) {
      await line.release();
      const [claim] = await worker.claim(1);
      expect(claim?.attempt).toBe(attempt);
      if (claim === undefined) throw new Error('nothing was claimed');
      await worker.finish(claim, failed);
      expect(await line.drain(worker)).toEqual([]);
      line.clock.advance(60_000);
    }
    expect(await line.statuses()).toEqual({ a: 'failed' });
  });

  test('what cannot become right by trying again is not tried again', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', retried);
    await line.run(workflowId, '2026-11-20');
    const worker = await line.worker();
    await line.drain(worker, () => ({ outcome: 'failed', errorCode: 'MR-D104' }));
    expect(await line.statuses()).toEqual({ a: 'failed' });
  });

  test('a report of an attempt that was taken away is refused and leaves an event', async () => {
    await using line = await Line.open({ leaseMs: 1 });
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    const [claim] = await worker.claim(1);
    if (claim === undefined) throw new Error('nothing was claimed');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await line.reap(1)).toBe(1);
    expect(await worker.finish(claim)).toBe(1);
    expect(await line.statuses()).toEqual({ a: 'waiting_resource' });
    const [again] = await (await line.worker()).claim(1);
    expect(again).toMatchObject({ instanceId: claim.instanceId, attempt: 2 });
    expect(BigInt(again?.fence ?? 0)).toBeGreaterThan(BigInt(claim.fence));
  });

  test('a worker that has renewed keeps its attempts, and one that has not is told', async () => {
    await using line = await Line.open({ leaseMs: 200 });
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    const [claim] = await worker.claim(1);
    if (claim === undefined) throw new Error('nothing was claimed');
    const ref = { planDay: claim.planDay, instanceId: claim.instanceId, epoch: claim.epoch };
    const renew = () => line.link.renew({ workerId: worker.workerId, attempts: [ref] });
    expect((await renew()).lost).toEqual([]);
    expect(await line.reap(200)).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 250));
    // Late, but nobody has taken it yet: it is still the worker's.
    expect((await renew()).lost).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(await line.reap(200)).toBe(1);
    expect((await renew()).lost).toEqual([ref]);
  });

  test('three lost leases fail the instance, without using up its retries', async () => {
    await using line = await Line.open({ leaseMs: 1 });
    const { workflowId } = await line.submit('w', retried);
    await line.run(workflowId, '2026-11-20');
    await line.release();
    for (const left of ['waiting_resource', 'waiting_resource', 'failed']) {
      expect(await (await line.worker()).claim(1)).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await line.reap(1);
      expect(await line.statuses()).toEqual({ a: left });
    }
    const [a] = await line.instances();
    expect(a?.reason).toBe('MR-S201');
    if (a === undefined) throw new Error('a is missing');
    const why = await line.commands.explainInstance({ planDay: a.plan_day, id: a.id });
    expect(why.reasons[0]?.text).toContain('MR-S201');
  });

  test('an attempt given back by a worker that stops in order costs neither a retry nor a life', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    for (let times = 1; times < 5; times++) {
      const [claim] = await worker.claim(1);
      // A shell node tells by the number that a part of its work may have been done before.
      expect(claim?.attempt).toBe(times);
      if (claim === undefined) throw new Error('nothing was claimed');
      await worker.finish(claim, { outcome: 'returned' });
    }
    expect(await line.drain(worker)).toEqual(['a']);
  });

  test('what a worker was handed and never got is given back, when it renews or says goodbye', async () => {
    await using line = await Line.open({ leaseMs: 300 });
    const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b')] });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    const [kept] = await worker.claim(1);
    // The answer to this claim is lost on the way.
    expect(await worker.claim(1)).toHaveLength(1);
    if (kept === undefined) throw new Error('nothing was claimed');
    const ref = { planDay: kept.planDay, instanceId: kept.instanceId, epoch: kept.epoch };
    const renew = () => line.link.renew({ workerId: worker.workerId, attempts: [ref] });
    await renew();
    expect(Object.values(await line.statuses())).toEqual(['dispatched', 'dispatched']);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect((await renew()).lost).toEqual([]);
    expect(await line.statuses()).toMatchObject({ b: 'waiting_resource' });
    await line.link.goodbye(worker.workerId);
    expect(await line.statuses()).toEqual({ a: 'waiting_resource', b: 'waiting_resource' });
    const counted = await line.database.rows(`SELECT attempt, returned FROM node_instance`);
    expect(counted).toEqual([
      { attempt: 1, returned: 1 },
      { attempt: 1, returned: 1 },
    ]);
  });

  test.each([
    ['is given back', (line: Line, worker: FakeWorker) => line.link.goodbye(worker.workerId)],
    [
      'fails with retries left',
      (_: Line, worker: FakeWorker, claim: Claim) => worker.finish(claim, failed),
    ],
    [
      'loses its worker',
      async (line: Line) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        await line.reap(20);
      },
    ],
  ])('an attempt that was asked to stop and %s does not come again', async (_, end) => {
    await using line = await Line.open({ leaseMs: 20 });
    const { workflowId } = await line.submit('w', retried);
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    const [claim] = await worker.claim(1);
    if (claim === undefined) throw new Error('nothing was claimed');
    await line.commands.stopInstance({ planDay: claim.planDay, id: claim.instanceId, userId: 1 });
    await end(line, worker, claim);
    expect(await line.statuses()).toEqual({ a: 'cancelled' });
    line.clock.advance(3_600_000);
    expect(await line.drain(await line.worker())).toEqual([]);
  });

  test('a worker speaks for no attempt of another', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const owner = await line.worker();
    const stranger = await line.worker();
    const [claim] = await owner.claim(1);
    if (claim === undefined) throw new Error('nothing was claimed');
    expect(await stranger.finish(claim)).toBe(1);
    expect(await line.statuses()).toEqual({ a: 'dispatched' });
    expect(await owner.finish(claim)).toBe(0);
  });

  test('what a node declares to produce is recorded when it has succeeded', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      parameters: { ds: '$bizdate' },
      nodes: [
        node('a', [], {
          outputs: [{ dataSource: 'dwh', table: 'result_table', partition: 'ds=${ds}' }],
        }),
      ],
    });
    await line.run(workflowId, '2026-11-20');
    await line.drain(await line.worker(), () => ({ rows: 7 }));
    expect(
      await line.database.rows(
        `SELECT data_source, table_name, partition, bizdate, rows FROM partition_record`,
      ),
    ).toEqual([
      {
        data_source: 'dwh',
        table_name: 'result_table',
        partition: 'ds=20261120',
        bizdate: '2026-11-20',
        rows: 7,
      },
    ]);
  });

  test('two hours of one node that end in one batch record their one partition', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      parameters: { ds: '$bizdate' },
      schedule: { cron: '0 */12 * * *' },
      nodes: [
        node('a', [], { outputs: [{ dataSource: 'dwh', table: 't', partition: 'ds=${ds}' }] }),
      ],
    });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    const claims = await worker.claim(10);
    expect(claims).toHaveLength(2);
    await line.link.finish(
      worker.workerId,
      claims.map(({ planDay, instanceId, epoch }, at) => ({
        planDay,
        instanceId,
        epoch,
        outcome: 'succeeded' as const,
        rows: at + 1,
      })),
    );
    expect(await line.database.rows(`SELECT instance_id, rows FROM partition_record`)).toEqual([
      { instance_id: claims[1]?.instanceId, rows: 2 },
    ]);
  });

  test('a report that arrives twice in one batch counts once', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      nodes: [node('a', [], { retry: { max: 1, intervalMs: 60_000 } })],
    });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    const [claim] = await worker.claim(1);
    if (claim === undefined) throw new Error('nothing was claimed');
    const { planDay, instanceId, epoch } = claim;
    const report = { planDay, instanceId, epoch, outcome: 'failed' as const, errorCode: 'MR-P105' };
    await line.link.finish(worker.workerId, [report, report]);
    expect(await line.statuses()).toEqual({ a: 'retry_wait' });
  });

  test('a NUL or half a character in what an attempt says keeps nobody from ending', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    const [claim] = await worker.claim(1);
    if (claim === undefined) throw new Error('nothing was claimed');
    const text = 'before\u0000\ud800after';
    const { planDay, instanceId, epoch } = claim;
    const attempt = { planDay, instanceId, epoch };
    await line.link.renew({
      workerId: worker.workerId,
      attempts: [{ ...attempt, progress: { note: text } }],
    });
    await line.link.quarantine(worker.workerId, attempt, [
      { no: 0, sliceNo: 0, code: 'MR-D301', reason: text, cells: [text, null] },
    ]);
    await worker.finish(claim, {
      outcome: 'failed',
      errorCode: 'MR-D204',
      errorDetail: text,
      rows: 1.5,
      outputs: { x: text },
    });
    expect(await line.statuses()).toEqual({ a: 'failed' });
    expect(await line.database.rows(`SELECT error_detail FROM attempt`)).toEqual([
      { error_detail: 'before\ufffd\ufffdafter' },
    ]);
  });

  test('a stop that commits while the report waits for its lock is not lost', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const [claim] = await (await line.worker()).claim(1);
    if (claim === undefined) throw new Error('nothing was claimed');
    let finishing: Promise<unknown> = Promise.resolve();
    await line.database.transaction(async (tx) => {
      await tx.run(`SELECT FROM node_instance WHERE id = $1 FOR NO KEY UPDATE`, [claim.instanceId]);
      await tx.run(`UPDATE running_attempt SET stop_requested = true WHERE instance_id = $1`, [
        claim.instanceId,
      ]);
      finishing = line.database.transaction((other) =>
        finishInstances(other, [{ ...claim, outcome: 'returned', result: {} }], line.clock.now()),
      );
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
    await finishing;
    expect(await line.statuses()).toEqual({ a: 'cancelled' });
  });

  test('a stop that commits while the reaper waits for its lock is not lost', async () => {
    await using line = await Line.open({ leaseMs: 1 });
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const [claim] = await (await line.worker()).claim(1);
    if (claim === undefined) throw new Error('nothing was claimed');
    await new Promise((resolve) => setTimeout(resolve, 20));
    let reaping: Promise<unknown> = Promise.resolve();
    await line.database.transaction(async (tx) => {
      await tx.run(`SELECT FROM node_instance WHERE id = $1 FOR NO KEY UPDATE`, [claim.instanceId]);
      await tx.run(`UPDATE running_attempt SET stop_requested = true WHERE instance_id = $1`, [
        claim.instanceId,
      ]);
      reaping = line.reap(1);
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
    await reaping;
    expect(await line.statuses()).toEqual({ a: 'cancelled' });
  });
});
