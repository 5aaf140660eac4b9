import { describe, expect, test } from '@jest/globals';

import { Line, node } from '../../support/line.js';

describe('the nightly plan', () => {
  test('a workflow submitted today runs from tomorrow, planned at the cut-off', async () => {
    await using line = await Line.open({ now: '2026-11-21T04:00:00Z' });
    const { firstBizdate } = await line.submit('w', { nodes: [node('a')] });
    expect(firstBizdate).toBe('2026-11-21');

    expect(await line.generator.generateDue()).toEqual([]);
    expect(await line.instances()).toEqual([]);

    line.clock.set('2026-11-21T14:00:00Z');
    expect(await line.generator.generateDue()).toEqual(['Asia/Shanghai 2026-11-21']);
    const [planned] = await line.instances();
    expect(planned).toMatchObject({ node: 'a', bizdate: '2026-11-21', status: 'waiting_time' });
    expect(planned?.scheduled_at.toISOString()).toBe('2026-11-21T16:00:00.000Z');
  });

  test('planning twice, also from two schedulers at once, changes nothing', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
    await Promise.all([line.generator.generateDue(), line.generator.generateDue()]);
    await line.generator.generateDue();
    expect(await line.instances()).toHaveLength(2);
  });

  test('what is submitted after tomorrow was planned takes effect the day behind it', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', { nodes: [node('a')] });
    await line.generator.generateDue();
    const { firstBizdate } = await line.submit('late', { nodes: [node('b')] });
    expect(firstBizdate).toBe('2026-11-22');
  });

  test('after nights off the missed days are planned, each once', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', { nodes: [node('a')] });
    await line.generator.generateDue();
    line.clock.set('2026-11-25T01:00:00Z');
    expect(await line.generator.generateDue()).toEqual(
      ['Asia/Shanghai 2026-11-22', 'Asia/Shanghai 2026-11-23', 'Asia/Shanghai 2026-11-24']
        .slice(0, 3)
        .filter((plan) => plan <= 'Asia/Shanghai 2026-11-24'),
    );
    expect((await line.instances()).map((each) => each.bizdate)).toEqual([
      '2026-11-21',
      '2026-11-22',
      '2026-11-23',
      '2026-11-24',
    ]);
  });

  test('an hourly node has its cycles, and a daily one after it waits for all of them', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', {
      nodes: [
        node('hourly', [], { schedule: { cron: '10 * * * *' } }),
        node('daily', ['hourly'], { schedule: { cron: '0 1 * * *' } }),
      ],
    });
    await line.generator.generateDue();
    const all = await line.instances();
    expect(all.filter((each) => each.node === 'hourly')).toHaveLength(24);
    expect(all.find((each) => each.node === 'daily')).toMatchObject({
      status: 'waiting_upstream',
      pending: 24,
    });

    const worker = await line.worker();
    line.clock.set('2026-11-22T16:30:00Z');
    const order = await line.drain(worker);
    expect(order).toHaveLength(25);
    expect(order.at(-1)).toBe('daily');
    expect(await line.wrongPendings()).toBe(0);
  });

  test('self-dependence waits for the previous cycle, across days too', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', {
      nodes: [node('chain', [], { schedule: { cron: '0 */12 * * *' }, selfDependence: true })],
    });
    await line.generator.generateDue();
    line.clock.set('2026-11-22T14:30:00Z');
    await line.generator.generateDue();
    line.clock.set('2026-11-23T16:00:00Z');

    const worker = await line.worker();
    await line.release();
    const [first, ...rest] = await worker.claim(10);
    expect(rest).toEqual([]);
    expect(first?.scheduledAt).toBe('2026-11-21T16:00:00.000Z');
    if (first === undefined) throw new Error('nothing was claimed');
    await worker.finish(first);
    const seen = [first.scheduledAt];
    for (;;) {
      await line.release();
      const [next, ...more] = await worker.claim(10);
      expect(more).toEqual([]);
      if (next === undefined) break;
      seen.push(next.scheduledAt);
      await worker.finish(next);
    }
    expect(seen).toEqual([...seen].sort());
    expect(seen).toHaveLength(4);
  });

  test('parameters are fixed when the instance is made', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', {
      parameters: { ds: '$bizdate' },
      nodes: [node('a', [], { parameters: { hour: '$[hh24]', ds: '${yyyymmdd-1}' } })],
    });
    await line.generator.generateDue();
    const [row] = await line.database.rows<{ parameters: unknown }>(
      `SELECT parameters FROM node_instance_detail`,
    );
    expect(row?.parameters).toEqual({ ds: '20261120', hour: '00' });
  });

  test('a frozen node is planned frozen and a dry-run node succeeds without a worker', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', {
      nodes: [
        node('ice', [], { scheduleType: 'frozen' }),
        node('dry', [], { scheduleType: 'dry_run' }),
        node('after', ['dry']),
      ],
    });
    await line.generator.generateDue();
    line.clock.set('2026-11-21T16:00:01Z');
    const worker = await line.worker();
    expect(await line.drain(worker)).toEqual(['after']);
    expect(await line.statuses()).toEqual({
      ice: 'waiting_resource',
      dry: 'succeeded',
      after: 'succeeded',
    });
  });

  test('a day whose planning broke off in the middle is planned to its end', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('bad', { nodes: [node('x')] });
    await line.submit('good', { nodes: [node('y')] });
    await line.database.run(`UPDATE node_version v SET cron = 'broken' FROM node n
                              WHERE n.id = v.node_id AND n.name = 'x'`);
    await line.generator.generateDue().catch(() => undefined);
    expect(await line.statuses()).toEqual({ y: 'waiting_time' });
    // The next day is planned before the broken one is.
    line.clock.set('2026-11-22T14:30:00Z');
    await line.generator.generateDue().catch(() => undefined);
    await line.database.run(`UPDATE node_version SET cron = '0 0 * * *'`);
    await line.generator.generateDue();
    expect(await line.instances()).toHaveLength(4);
    expect(await line.statuses()).toEqual({ x: 'waiting_time', y: 'waiting_time' });
    expect(await line.generator.generateDue()).toEqual([]);
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
      ranges: [{ from: '2026-11-18', to: '2026-11-20' }],
      order: 'desc',
    });
    const dates: string[] = [];
    await line.drain(await line.worker(), (claim) => {
      dates.push(claim.bizdate);
      return {};
    });
    expect(dates).toEqual(['2026-11-18', '2026-11-19', '2026-11-20']);
  });
});
