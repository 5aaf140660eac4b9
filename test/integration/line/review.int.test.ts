import { describe, expect, test } from '@jest/globals';

import { finishInstances } from '../../../src/store/sql/finish-instances.sql.js';
import { Line, node } from '../../support/line.js';

const OUTPUT = { dataSource: 'dwh', table: 't', partition: 'ds=${ds}' };

describe('review', () => {
  test('two hours of one node that end in one batch record their one partition', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      parameters: { ds: '$bizdate' },
      schedule: { cron: '0 */12 * * *' },
      nodes: [node('a', [], { outputs: [OUTPUT] })],
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
      nodes: [node('a', [], { retry: { max: 1, intervalMs: 1000 } })],
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

  test('a day whose planning broke off in the middle is planned to its end', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('bad', { nodes: [node('x')] });
    await line.submit('good', { nodes: [node('y')] });
    await line.database.run(`UPDATE node_version v SET cron = 'broken' FROM node n
                              WHERE n.id = v.node_id AND n.name = 'x'`);
    await line.generator.generateDue().catch(() => undefined);
    expect(await line.statuses()).toEqual({ y: 'waiting_time' });
    await line.database.run(`UPDATE node_version SET cron = '0 0 * * *'`);
    await line.generator.generateDue();
    expect(await line.statuses()).toEqual({ x: 'waiting_time', y: 'waiting_time' });
    expect(await line.generator.generateDue()).toEqual([]);
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
        finishInstances(
          other,
          [{ ...claim, outcome: 'returned', result: {} }],
          line.clock.now(),
        ),
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

  test('a node of more slots than its group has now takes the whole group, and blocks nobody for ever', async () => {
    await using line = await Line.open({ slots: 5 });
    const { workflowId } = await line.submit('w', {
      nodes: [node('big', [], { slots: 4 }), node('small')],
    });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    await line.database.run(`UPDATE resource_group SET slots = 2`);
    expect(await line.drain(await line.worker())).toEqual(['big', 'small']);
  });

  test('a backfill backwards still runs a self-dependent node in its order', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      nodes: [node('a', [], { selfDependence: true })],
    });
    await line.commands.createBackfill({
      workspaceId: line.workspaceId,
      userId: null,
      workflowId,
      name: 'b',
      from: '2026-11-18',
      to: '2026-11-20',
      order: 'desc',
    });
    const dates: string[] = [];
    await line.drain(await line.worker(), (claim) => {
      dates.push(claim.bizdate);
      return {};
    });
    expect(dates).toEqual(['2026-11-18', '2026-11-19', '2026-11-20']);
  });

  test('a configured dry run stays one after its upstreams were skipped', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      nodes: [node('a'), node('b', ['a'], { scheduleType: 'dry_run' })],
    });
    await line.database.run(`SELECT 1`);
    await line.run(workflowId, '2026-11-20');
    // Nothing in the product skips by itself yet: this root says that it was.
    await line.database.run(`UPDATE node_instance i SET dry_run = true, reason = 'skipped'
      FROM node n WHERE n.id = i.node_id AND n.name = 'a'`);
    const worker = await line.worker();
    await line.drain(worker);
    const [a] = await line.instances(`n.name = 'a'`);
    const [b] = await line.instances(`n.name = 'b'`);
    if (a === undefined || b === undefined) throw new Error('missing');
    await line.commands.rerunInstance({ planDay: a.plan_day, id: a.id, userId: 1 });
    await line.commands.rerunInstance({ planDay: b.plan_day, id: b.id, userId: 1 });
    expect(await line.drain(worker)).toEqual(['a']);
    expect((await line.statuses())['b']).toBe('succeeded');
  });
});
