import { describe, expect, test } from '@jest/globals';

import { planWorkflow } from '../../../src/scheduler/plan-workflow.js';
import type { Bizdate } from '../../../src/domain/calendar/bizdate.js';
import { finishInstances } from '../../../src/store/sql/finish-instances.sql.js';
import { insertPlan } from '../../../src/store/sql/insert-plan.sql.js';
import { lockInstances } from '../../../src/store/sql/lock-instances.sql.js';
import { rerunInstance } from '../../../src/store/sql/operate-instance.sql.js';
import { statusEvent } from '../../../src/store/sql/write-events.sql.js';
import type { Claim } from '../../../src/worker-link/worker-link.js';
import { type FakeWorker, Line, node } from '../../support/line.js';
import { isBlocked, parking } from '../../support/parking.js';

const DIAMOND = {
  nodes: [node('a'), node('b', ['a']), node('c', ['a']), node('d', ['b', 'c'])],
};

async function claimOne(line: Line, worker: FakeWorker, name: string): Promise<Claim> {
  await line.release();
  const claim = (await worker.claim(100)).find((each) => each.nodeName === name);
  if (claim === undefined) throw new Error(`${name} was not claimed`);
  return claim;
}

describe('finishing releases children', () => {
  test('a diamond runs in order and each node once', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', DIAMOND);
    await line.run(workflowId, '2026-11-20');
    const worker = await line.worker();
    const order = await line.drain(worker);
    expect(order).toHaveLength(4);
    expect(order[0]).toBe('a');
    expect(order[3]).toBe('d');
    expect(await line.wrongPendings()).toBe(0);
  });

  test('a failed upstream keeps its children waiting, and setting it to success lets them go', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', DIAMOND);
    await line.run(workflowId, '2026-11-20');
    const worker = await line.worker();
    await line.drain(worker, (claim) =>
      claim.nodeName === 'b' ? { outcome: 'failed', errorCode: 'MR-D204' } : {},
    );
    expect(await line.statuses()).toEqual({
      a: 'succeeded',
      b: 'failed',
      c: 'succeeded',
      d: 'waiting_upstream',
    });
    const [failed] = await line.instances(`n.name = 'b'`);
    if (failed === undefined) throw new Error('b is missing');
    await line.commands.setInstanceSuccess({ planDay: failed.plan_day, id: failed.id, userId: 1 });
    expect(await line.drain(worker)).toEqual(['d']);
    expect(await line.wrongPendings()).toBe(0);
  });

  test('no wake-up is lost when an edge is inserted between the two statements of a finish', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    const { workflowId } = await line.submit('w', {
      nodes: [node('a', [], { selfDependence: true })],
    });
    await line.generator.generateDue();
    line.clock.set('2026-11-22T18:00:00Z');
    const worker = await line.worker();
    const claim = await claimOne(line, worker, 'a');
    const stop = parking();
    const finishing = line.database.transaction((tx) =>
      finishInstances(
        tx,
        [{ ...claim, outcome: 'succeeded', result: {} }],
        line.clock.now(),
        stop.park,
      ),
    );
    await stop.reached;
    const planning = line.generator.planDay(
      line.workspaceId,
      'Asia/Shanghai',
      '2026-11-22' as Bizdate,
    );
    await isBlocked(line);
    stop.leave();
    await Promise.all([finishing, planning]);
    expect(workflowId).toBeGreaterThan(0);
    expect(await line.drain(worker)).toEqual(['a']);
  });

  test('no wake-up is lost when an upstream finishes while an edge to it is being inserted', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    const { workflowId } = await line.submit('w', {
      nodes: [node('a', [], { selfDependence: true })],
    });
    await line.generator.generateDue();
    line.clock.set('2026-11-22T18:00:00Z');
    const worker = await line.worker();
    const claim = await claimOne(line, worker, 'a');
    const [group] = await line.database.rows<{ id: number; plan_day: string; version_id: number }>(
      `SELECT g.id, i.plan_day, i.version_id FROM run_group g JOIN node_instance i ON i.run_group_id = g.id`,
    );
    if (group === undefined) throw new Error('no run group');
    const stop = parking();
    const planning = line.database.transaction(async (tx) => {
      const plan = await planWorkflow(tx, {
        workspaceId: line.workspaceId,
        workflowId,
        versionId: group.version_id,
        timezone: 'Asia/Shanghai',
        runGroupId: group.id,
        planDay: group.plan_day,
        bizdate: '2026-11-22' as Bizdate,
      });
      await insertPlan(tx, plan, line.clock.now());
      await stop.park();
    });
    await stop.reached;
    const finishing = worker.finish(claim);
    await isBlocked(line);
    stop.leave();
    await Promise.all([planning, finishing]);
    expect(await line.drain(worker)).toEqual(['a']);
    expect(await line.wrongPendings()).toBe(0);
  });
});

describe('a rerun', () => {
  test('opens the edge to a child that has not started, which then waits for the new result', async () => {
    await using line = await Line.open({ slots: 1 });
    const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
    await line.run(workflowId, '2026-11-20');
    const worker = await line.worker();
    await worker.finish(await claimOne(line, worker, 'a'));
    expect(await line.statuses()).toEqual({ a: 'succeeded', b: 'waiting_resource' });

    const [a] = await line.instances(`n.name = 'a'`);
    if (a === undefined) throw new Error('a is missing');
    await line.commands.rerunInstance({ planDay: a.plan_day, id: a.id, userId: 1 });
    expect(await line.statuses()).toEqual({ a: 'waiting_resource', b: 'waiting_upstream' });
    expect(await line.wrongPendings()).toBe(0);
    expect(await line.drain(worker)).toEqual(['a', 'b']);
  });

  test('leaves a child alone that has started, and releases nobody twice', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
    await line.run(workflowId, '2026-11-20');
    const worker = await line.worker();
    await worker.finish(await claimOne(line, worker, 'a'));
    const b = await claimOne(line, worker, 'b');
    const [a] = await line.instances(`n.name = 'a'`);
    if (a === undefined) throw new Error('a is missing');
    await line.commands.rerunInstance({ planDay: a.plan_day, id: a.id, userId: 1 });
    expect((await line.statuses())['b']).toBe('dispatched');
    await worker.finish(b);
    expect(await line.drain(worker)).toEqual(['a']);
    expect(await line.statuses()).toEqual({ a: 'succeeded', b: 'succeeded' });
  });

  test('of a child waits for an upstream that is being rerun itself', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
    await line.run(workflowId, '2026-11-20');
    const worker = await line.worker();
    await line.drain(worker);
    const all = await line.instances();
    const [a, b] = ['a', 'b'].map((name) => all.find((each) => each.node === name));
    if (a === undefined || b === undefined) throw new Error('an instance is missing');
    await line.commands.rerunInstance({ planDay: a.plan_day, id: a.id, userId: 1 });
    await line.commands.rerunInstance({ planDay: b.plan_day, id: b.id, userId: 1 });
    expect((await line.statuses())['b']).toBe('waiting_upstream');
    expect(await line.drain(worker)).toEqual(['a', 'b']);
  });

  test('of a child and the end of its upstream do not wait for each other', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
    await line.run(workflowId, '2026-11-20');
    const worker = await line.worker();
    await line.drain(worker);
    const [a] = await line.instances(`n.name = 'a'`);
    const [b] = await line.instances(`n.name = 'b'`);
    if (a === undefined || b === undefined) throw new Error('an instance is missing');
    await line.commands.rerunInstance({ planDay: a.plan_day, id: a.id, userId: 1 });
    const claim = await claimOne(line, worker, 'a');
    // A child that is not final is locked by the finish.
    await line.database.run(
      `UPDATE node_instance SET status = 'waiting_upstream', pending = 1 WHERE id = $1`,
      [b.id],
    );
    await line.database.run(`UPDATE instance_edge SET outcome = 'open'`);
    let tries = 0;
    const stop = parking();
    const finishing = line.database.transaction((tx) => {
      tries++;
      return finishInstances(
        tx,
        [{ ...claim, outcome: 'succeeded', result: {} }],
        line.clock.now(),
        stop.park,
      );
    });
    await stop.reached;
    const rerunning = line.database
      .transaction((tx) => {
        tries++;
        return rerunInstance(tx, { planDay: b.plan_day, id: b.id }, line.clock.now());
      })
      // The finish was first, so it waits already.
      .catch((error: unknown) => error);
    await isBlocked(line);
    stop.leave();
    expect(await rerunning).toMatchObject({ code: 'MR-S205' });
    await finishing;
    expect(tries).toBe(2);
  });

  test('is refused for an instance that waits, and by the rerun mode of the node', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      nodes: [node('a', [], { rerunMode: 'never' })],
    });
    await line.run(workflowId, '2026-11-20');
    const [a] = await line.instances();
    if (a === undefined) throw new Error('a is missing');
    const rerun = () => line.commands.rerunInstance({ planDay: a.plan_day, id: a.id, userId: 1 });
    await expect(rerun()).rejects.toMatchObject({ code: 'MR-S205' });
    await line.drain(await line.worker());
    await expect(rerun()).rejects.toMatchObject({ code: 'MR-S205' });
  });
});

describe('stopping and freezing', () => {
  test('a waiting instance is cancelled at once and its children keep waiting', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
    await line.run(workflowId, '2026-11-20');
    const [a] = await line.instances(`n.name = 'a'`);
    if (a === undefined) throw new Error('a is missing');
    await line.commands.stopInstance({ planDay: a.plan_day, id: a.id, userId: 1 });
    expect(await line.drain(await line.worker())).toEqual([]);
    expect(await line.statuses()).toEqual({ a: 'cancelled', b: 'waiting_upstream' });
  });

  test('a running instance is named to its worker, whose report cancels it', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.run(workflowId, '2026-11-20');
    const worker = await line.worker();
    const claim = await claimOne(line, worker, 'a');
    await line.commands.stopInstance({ planDay: claim.planDay, id: claim.instanceId, userId: 1 });
    const ask = { workerId: worker.workerId, free: 1, freeRequests: 0, waitMs: 0 };
    const signal = new AbortController().signal;
    const told = await line.link.poll({ ...ask, stopping: [] }, signal);
    expect(told.stops).toEqual([
      { planDay: claim.planDay, instanceId: claim.instanceId, epoch: claim.epoch },
    ]);
    expect((await line.link.poll({ ...ask, stopping: told.stops }, signal)).stops).toEqual([]);
    await worker.finish(claim, { outcome: 'cancelled', errorCode: 'MR-S203' });
    expect(await line.statuses()).toEqual({ a: 'cancelled' });
  });

  test('a frozen instance is not claimed, and goes on where it was when it is thawed', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const [a] = await line.instances();
    if (a === undefined) throw new Error('a is missing');
    const key = { planDay: a.plan_day, id: a.id, userId: 1 };
    await line.commands.freezeInstance(key);
    const worker = await line.worker();
    expect(await line.drain(worker)).toEqual([]);
    await line.commands.unfreezeInstance(key);
    expect(await line.drain(worker)).toEqual(['a']);
  });
});

describe('an event that SQL writes', () => {
  test('says of its instance what one that was written from its row says', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
    await line.run(workflowId, '2026-11-20');
    const keys = (await line.instances()).map(({ plan_day: planDay, id }) => ({ planDay, id }));
    await line.database.run(
      `UPDATE node_instance SET dispatched_at = run_at, started_at = run_at + interval '7 ms'`,
    );
    const before = await lockInstances(line.database, keys);
    await line.release();
    const [claim] = await (await line.worker()).claim(1);
    const written = await line.database.rows<{ id: number; payload: unknown }>(
      `SELECT instance_id AS id, payload FROM unnumbered_event
        WHERE type = 'instance.status' AND payload ->> 'status' = 'waiting_resource'`,
    );
    expect(written.map((each) => each.id)).toEqual([claim?.instanceId]);
    const row = before.find((each) => each.id === claim?.instanceId);
    if (row === undefined) throw new Error('it is not there');
    expect(written[0]?.payload).toEqual({
      ...(JSON.parse(JSON.stringify(statusEvent(row, 'waiting_resource').payload)) as object),
      resourceGroup: 'default',
      runGroupKind: 'test',
    });
  });
});
