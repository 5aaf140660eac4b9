import { describe, expect, test } from '@jest/globals';

import type { Bizdate } from '../../../src/domain/calendar/bizdate.js';
import { planWorkflow } from '../../../src/scheduler/plan-workflow.js';
import { previewEdges } from '../../../src/scheduler/preview-edges.js';
import type { Sql } from '../../../src/store/database.js';
import { insertPlan } from '../../../src/store/sql/insert-plan.sql.js';
import { type InstanceView, Line, node } from '../../support/line.js';

const SHANGHAI = 'Asia/Shanghai';
const BIZDATE = '2026-11-21' as Bizdate;

function need(workflow: string, upstream: string, more: object = {}): object {
  return { workflow, node: upstream, ...more };
}

async function edges(line: Line): Promise<string[]> {
  const rows = await line.database.rows<{ edge: string }>(
    `SELECT d.name || ' ' || to_char(di.bizdate, 'DD') || ' < ' || u.name || ' ' || to_char(ui.bizdate, 'DD')
            || CASE e.kind WHEN 'same_cycle' THEN '' ELSE ' ' || e.kind END AS edge
       FROM instance_edge e
       JOIN node_instance di ON di.id = e.downstream_id JOIN node d ON d.id = di.node_id
       JOIN node_instance ui ON ui.id = e.upstream_id JOIN node u ON u.id = ui.node_id
      ORDER BY di.scheduled_at, ui.scheduled_at, 1`,
  );
  return rows.map((row) => row.edge);
}

async function awaited(line: Line): Promise<number> {
  const [row] = await line.database.rows<{ n: number }>(
    `SELECT count(*)::int AS n FROM awaited_edge`,
  );
  return row?.n ?? -1;
}

async function one(line: Line, name: string, where = 'true'): Promise<InstanceView> {
  const [found, ...more] = await line.instances(`n.name = '${name}' AND ${where}`);
  if (found === undefined || more.length > 0) throw new Error(`${name}: ${more.length + 1} found`);
  return found;
}

/** Plans one workflow of the daily plan alone, as a generator does that dies after it. */
async function planAlone(
  line: Line,
  workflowId: number,
  bizdate: Bizdate,
  beforeCommit?: () => Promise<void>,
): Promise<void> {
  const [version] = await line.database.rows<{ id: number; timezone: string; plan_day: string }>(
    `SELECT id, timezone, (clock_timestamp() AT TIME ZONE 'UTC')::date AS plan_day
       FROM workflow_version WHERE workflow_id = $1`,
    [workflowId],
  );
  const [group] = await line.database.rows<{ id: number }>(
    `INSERT INTO run_group (workspace_id, kind, name) VALUES ($1, 'scheduled', 'scheduled')
     ON CONFLICT (workspace_id) WHERE kind = 'scheduled' DO UPDATE SET name = excluded.name
     RETURNING id`,
    [line.workspaceId],
  );
  if (version === undefined || group === undefined) throw new Error('nothing to plan');
  await line.database.run(
    `INSERT INTO plan (workspace_id, timezone, bizdate, plan_day, state, revision)
     VALUES ($1, $2, $3, $4, 'planned', 0) ON CONFLICT DO NOTHING`,
    [line.workspaceId, version.timezone, bizdate, version.plan_day],
  );
  await line.database.transaction(async (tx) => {
    const plan = await planWorkflow(tx, {
      workspaceId: line.workspaceId,
      workflowId,
      versionId: version.id,
      timezone: version.timezone,
      runGroupId: group.id,
      planDay: version.plan_day,
      bizdate,
    });
    await insertPlan(tx, plan, line.clock.now());
    await beforeCommit?.();
  });
}

async function isBlocked(line: Line): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const [row] = await line.database.rows<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted`,
    );
    if ((row?.waiting ?? 0) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('nobody waits for a lock');
}

describe('a node that needs one of another workflow', () => {
  test.each([['before'], ['after']])(
    'waits for it when the upstream is planned %s it',
    async (order) => {
      await using line = await Line.open({ now: '2026-11-21T04:00:00Z' });
      // Plans are made in the order of the workflows' ids.
      if (order === 'after') await line.draft('down', {});
      await line.submit('up', { nodes: [node('u')] });
      await line.submit('down', { nodes: [{ ...node('d'), needs: [need('up', 'u')] }, node('x')] });
      line.clock.set('2026-11-21T14:30:00Z');
      await line.generator.generateDue();
      expect(await edges(line)).toEqual(['d 21 < u 21']);
      expect(await awaited(line)).toBe(0);
      expect(await one(line, 'd')).toMatchObject({ status: 'waiting_upstream', pending: 1 });
      line.clock.set('2026-11-21T17:00:00Z');
      const ran = await line.drain(await line.worker());
      expect(ran.indexOf('d')).toBeGreaterThan(ran.indexOf('u'));
      expect(ran).toHaveLength(3);
      expect(await line.wrongPendings()).toBe(0);
    },
  );

  test('does not start before the upstream is planned, also when its own time has long come', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('up', { nodes: [node('u')] });
    const down = await line.submit('down', { nodes: [{ ...node('d'), needs: [need('up', 'u')] }] });
    await planAlone(line, down.workflowId, BIZDATE);
    line.clock.set('2026-11-22T10:00:00Z');
    const worker = await line.worker();
    expect(await line.drain(worker)).toEqual([]);
    const waiting = await one(line, 'd');
    expect(waiting).toMatchObject({ status: 'waiting_upstream', pending: 1 });
    const why = await line.commands.explainInstance({ planDay: waiting.plan_day, id: waiting.id });
    expect(why.reasons.map((reason) => reason.text)).toEqual([
      'Upstream "up/u" of 2026-11-21T16:00:00.000Z has not been planned yet.',
    ]);
    await line.generator.generateDue();
    expect(await awaited(line)).toBe(0);
    expect(await line.drain(worker)).toEqual(['u', 'd']);
    expect(await line.wrongPendings()).toBe(0);
  });

  test.each([
    ['up', 'down'],
    ['down', 'up'],
  ])(
    'loses no edge when %s is being planned and %s begins before it commits',
    async (first, second) => {
      await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
      const ids = new Map<string, number>();
      ids.set('up', (await line.submit('up', { nodes: [node('u')] })).workflowId);
      const down = { nodes: [{ ...node('d'), needs: [need('up', 'u')] }] };
      ids.set('down', (await line.submit('down', down)).workflowId);
      let other: Promise<void> | undefined;
      await planAlone(line, ids.get(first) ?? 0, BIZDATE, async () => {
        other = planAlone(line, ids.get(second) ?? 0, BIZDATE);
        await isBlocked(line);
      });
      await other;
      expect(await edges(line)).toEqual(['d 21 < u 21']);
      expect(await awaited(line)).toBe(0);
      line.clock.set('2026-11-21T17:00:00Z');
      expect(await line.drain(await line.worker())).toEqual(['u', 'd']);
      expect(await line.wrongPendings()).toBe(0);
    },
  );

  test('waits on when it is stopped and rerun before the upstream is planned', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('up', { nodes: [node('u')] });
    const down = await line.submit('down', { nodes: [{ ...node('d'), needs: [need('up', 'u')] }] });
    await planAlone(line, down.workflowId, BIZDATE);
    const { plan_day: planDay, id } = await one(line, 'd');
    await line.commands.stopInstance({ planDay, id, userId: 1 });
    const preview = await line.commands.previewOperation({
      workspaceId: line.workspaceId,
      operation: 'rerun',
      keys: [{ planDay, id }],
    });
    expect(preview.items[0]?.statusAfter).toBe('waiting_upstream');
    await line.commands.rerunInstance({ planDay, id, userId: 1 });
    expect(await one(line, 'd')).toMatchObject({ status: 'waiting_upstream', pending: 1 });
    line.clock.set('2026-11-22T10:00:00Z');
    await line.generator.generateDue();
    expect(await line.drain(await line.worker())).toEqual(['u', 'd']);
  });

  test('is let go when the upstream is taken off the schedule before it is planned', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    const up = await line.submit('up', { nodes: [node('u')] });
    const down = await line.submit('down', { nodes: [{ ...node('d'), needs: [need('up', 'u')] }] });
    await planAlone(line, down.workflowId, BIZDATE);
    await line.database.run(`UPDATE workflow SET scheduled = false WHERE id = $1`, [up.workflowId]);
    line.clock.set('2026-11-22T10:00:00Z');
    await line.generator.generateDue();
    expect(await awaited(line)).toBe(0);
    expect(await line.drain(await line.worker())).toEqual(['d']);
    expect(await line.wrongPendings()).toBe(0);
  });

  test('is let go when the upstream is planned without the cycle it waits for', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('up', { nodes: [node('u')] });
    const down = await line.submit('down', { nodes: [{ ...node('d'), needs: [need('up', 'u')] }] });
    await planAlone(line, down.workflowId, BIZDATE);
    await line.database.run(`UPDATE node_version SET cron = '0 7 * * *' WHERE type = 'shell'
                              AND node_id = (SELECT id FROM node WHERE name = 'u')`);
    await line.generator.planDay(line.workspaceId, SHANGHAI, BIZDATE);
    expect(await one(line, 'd')).toMatchObject({ status: 'waiting_time', pending: 0 });
    expect(await awaited(line)).toBe(0);
  });

  test('is reopened by a rerun of that one, and blocked by its failure', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('up', { nodes: [node('u')] });
    await line.submit('down', {
      schedule: { cron: '0 6 * * *' },
      nodes: [{ ...node('d'), needs: [need('up', 'u')] }],
    });
    await line.generator.generateDue();
    line.clock.set('2026-11-21T17:00:00Z');
    const worker = await line.worker();
    expect(await line.drain(worker)).toEqual(['u']);
    expect(await one(line, 'd')).toMatchObject({ status: 'waiting_time', pending: 0 });
    const { plan_day: planDay, id } = await one(line, 'u');
    await line.commands.rerunInstance({ planDay, id, userId: 1 });
    expect(await one(line, 'd')).toMatchObject({ status: 'waiting_upstream', pending: 1 });
    await line.drain(worker, () => ({ outcome: 'failed' }));
    line.clock.set('2026-11-22T17:00:00Z');
    expect(await line.drain(worker)).toEqual([]);
    expect(await one(line, 'd')).toMatchObject({ status: 'waiting_upstream', pending: 1 });
    expect(await line.wrongPendings()).toBe(0);
  });

  test('is not kept by it in a test run and in a backfill', async () => {
    await using line = await Line.open();
    await line.submit('up', { nodes: [node('u')] });
    const { workflowId } = await line.submit('down', {
      nodes: [{ ...node('d'), needs: [need('up', 'u')] }, node('e', ['d'])],
    });
    await line.run(workflowId, '2026-11-20');
    await line.commands.createBackfill({
      workspaceId: line.workspaceId,
      userId: null,
      workflowId,
      name: 'b',
      ranges: [{ from: '2026-11-18', to: '2026-11-19' }],
      parallelism: 2,
      order: 'asc',
    });
    const order = await line.drain(await line.worker());
    expect(order.toSorted()).toEqual(['d', 'd', 'd', 'e', 'e', 'e']);
    expect(await awaited(line)).toBe(0);
  });
});

describe('between zones', () => {
  const LOS_ANGELES = {
    timezone: 'America/Los_Angeles',
    schedule: { cron: '0 1 * * *' },
    nodes: [node('u')],
  };
  const EVENING = {
    schedule: { cron: '0 23 * * *' },
    nodes: [{ ...node('d'), needs: [need('up', 'u')] }],
  };

  test('the instant decides, and the zone that is planned later makes the edge', async () => {
    await using line = await Line.open({ now: '2026-11-21T04:00:00Z' });
    await line.submit('up', LOS_ANGELES);
    await line.submit('down', EVENING);
    line.clock.set('2026-11-21T14:30:00Z');
    await line.generator.generateDue();
    // 23:00 of the 22nd in Shanghai is 07:00 of the 22nd in Los Angeles: its 01:00 is meant.
    expect(await one(line, 'd', `bizdate = '2026-11-21'`)).toMatchObject({
      status: 'waiting_upstream',
      pending: 1,
    });
    expect(await awaited(line)).toBe(1);
    // Its plan is made on a later plan day than that of its downstream.
    await line.database.run(
      `INSERT INTO plan (workspace_id, timezone, bizdate, plan_day, state, revision)
       VALUES ($1, 'America/Los_Angeles', '2026-11-21', (clock_timestamp() AT TIME ZONE 'UTC')::date + 1,
               'planned', 0)`,
      [line.workspaceId],
    );
    line.clock.set('2026-11-22T06:30:00Z');
    await line.generator.generateDue();
    expect(await awaited(line)).toBe(0);
    const [pair] = await line.database.rows<{ up: Date; down: Date; days: number }>(
      `SELECT u.scheduled_at AS up, d.scheduled_at AS down, u.plan_day - d.plan_day AS days
         FROM instance_edge e JOIN node_instance d ON d.id = e.downstream_id
         JOIN node_instance u ON u.id = e.upstream_id`,
    );
    expect(pair).toEqual({
      up: new Date('2026-11-22T09:00:00Z'),
      down: new Date('2026-11-22T15:00:00Z'),
      days: 1,
    });
    line.clock.set('2026-11-22T10:00:00Z');
    const worker = await line.worker();
    expect(await line.drain(worker)).toEqual(['u', 'u']);
    expect(await one(line, 'd')).toMatchObject({ status: 'waiting_time', pending: 0 });
    // A rerun finds the child on its earlier plan day, too.
    const { plan_day: planDay, id } = await one(line, 'u', `bizdate = '2026-11-21'`);
    await line.commands.rerunInstance({ planDay, id, userId: 1 });
    expect(await one(line, 'd')).toMatchObject({ status: 'waiting_upstream', pending: 1 });
    line.clock.set('2026-11-22T16:00:00Z');
    expect(await line.drain(worker)).toEqual(['u', 'd']);
    expect(await line.wrongPendings()).toBe(0);
  });
});

describe('the previous cycle', () => {
  test('of another node of the workflow: yesterday’s, and none on the first day', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', {
      nodes: [node('a'), { ...node('b'), needs: [{ node: 'a', cycle: 'previous' }] }],
    });
    await line.generator.generateDue();
    line.clock.set('2026-11-22T14:30:00Z');
    await line.generator.generateDue();
    expect(await edges(line)).toEqual(['b 22 < a 21 previous_cycle']);
    expect(await awaited(line)).toBe(0);
    line.clock.set('2026-11-22T17:00:00Z');
    const worker = await line.worker();
    const failed = await line.drain(worker, ({ nodeName, bizdate }) =>
      nodeName === 'a' && bizdate === '2026-11-21' ? { outcome: 'failed' } : {},
    );
    expect(failed.toSorted()).toEqual(['a', 'a', 'b']);
    expect(await one(line, 'b', `bizdate = '2026-11-22'`)).toMatchObject({ pending: 1 });
    expect(await line.wrongPendings()).toBe(0);
  });

  test('of a node in another workflow', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('up', { schedule: { cron: '0 1,13 * * *' }, nodes: [node('u')] });
    await line.submit('down', {
      nodes: [{ ...node('d'), needs: [need('up', 'u', { cycle: 'previous' })] }],
    });
    await line.generator.generateDue();
    line.clock.set('2026-11-22T14:30:00Z');
    await line.generator.generateDue();
    expect(await edges(line)).toEqual(['d 22 < u 21 previous_cycle', 'd 22 < u 21 previous_cycle']);
    expect(await one(line, 'd', `bizdate = '2026-11-21'`)).toMatchObject({ pending: 0 });
  });

  test('of the children: a node waits for those who needed its last cycle', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', {
      nodes: [node('a', [], { childDependence: true }), node('b', ['a']), node('c', ['b'])],
    });
    await line.generator.generateDue();
    line.clock.set('2026-11-22T14:30:00Z');
    await line.generator.generateDue();
    expect(await edges(line)).toEqual([
      'b 21 < a 21',
      'c 21 < b 21',
      'a 22 < b 21 previous_cycle',
      'b 22 < a 22',
      'c 22 < b 22',
    ]);
    line.clock.set('2026-11-22T17:00:00Z');
    expect(await line.drain(await line.worker())).toHaveLength(6);
    expect(await line.wrongPendings()).toBe(0);
  });

  test('of the children in other workflows, those that there are when the parent is submitted', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    const parent = { nodes: [node('a', [], { childDependence: true })] };
    await line.submit('w', parent);
    const child = { nodes: [{ ...node('b'), needs: [need('w', 'a')] }] };
    const { workflowId } = await line.submit('x', child);
    const findings = async (): Promise<string[]> =>
      (await previewEdges(line.database, line.clock.now(), { workflowId })).findings.map(
        ({ finding, node: name }) => `${finding} ${name}`,
      );
    expect(await findings()).toContain('child_not_awaited b');
    await line.submit('w', parent);
    expect(await findings()).not.toContain('child_not_awaited b');
    await line.generator.generateDue();
    line.clock.set('2026-11-22T14:30:00Z');
    await line.generator.generateDue();
    expect(await edges(line)).toEqual(['b 21 < a 21', 'a 22 < b 21 previous_cycle', 'b 22 < a 22']);
    line.clock.set('2026-11-22T17:00:00Z');
    expect(await line.drain(await line.worker())).toHaveLength(4);
    expect(await line.wrongPendings()).toBe(0);
    // The parent has named no child, so a child may go, and is not waited for from then on.
    await line.submit('x', { nodes: [node('c')] });
    line.clock.set('2026-11-23T14:30:00Z');
    await line.generator.generateDue();
    line.clock.set('2026-11-24T14:30:00Z');
    await line.generator.generateDue();
    expect(await edges(line)).not.toContain('a 24 < b 23 previous_cycle');
    line.clock.set('2026-11-24T17:00:00Z');
    await line.drain(await line.worker());
    expect(await line.wrongPendings()).toBe(0);
  });

  test('beside the same cycle of the same hourly upstream makes no edge twice', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', {
      nodes: [
        node('a', [], { schedule: { cron: '0 0,12 * * *' } }),
        node('b', [], {
          needs: ['a', { node: 'a', cycle: 'previous' }],
          schedule: { cron: '0 * * * *' },
        }),
      ],
    });
    await line.generator.generateDue();
    expect(await line.wrongPendings()).toBe(0);
    line.clock.set('2026-11-22T17:00:00Z');
    expect(await line.drain(await line.worker())).toHaveLength(26);
  });

  test('in a backfill: that of the date before in it, whichever order was asked', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      nodes: [
        node('a'),
        { ...node('b'), needs: ['a', { node: 'b2', cycle: 'previous' }] },
        node('b2', ['b']),
      ],
    });
    await line.commands.createBackfill({
      workspaceId: line.workspaceId,
      userId: null,
      workflowId,
      name: 'b',
      ranges: [{ from: '2026-11-18', to: '2026-11-19' }],
      parallelism: 2,
      order: 'desc',
    });
    const dates: string[] = [];
    await line.drain(await line.worker(), ({ nodeName, bizdate }) => {
      if (nodeName === 'b') dates.push(bizdate);
      return {};
    });
    expect(dates).toEqual(['2026-11-18', '2026-11-19']);
    expect(await edges(line)).toContain('b 19 < b2 18 previous_cycle');
  });
});

describe('a dry run by an upstream that was skipped', () => {
  /** As a branch node that skips this side leaves it. */
  async function skip(line: Line, name: string): Promise<void> {
    await line.database.run(
      `UPDATE node_instance i SET dry_run = true, reason = 'skipped' FROM node n
        WHERE n.id = i.node_id AND n.name = $1`,
      [name],
    );
  }

  test('is not inherited by a dependency that says so', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      nodes: [
        node('up'),
        { ...node('real'), needs: [{ node: 'up', inheritDryRun: false }] },
        node('dry', ['up']),
      ],
    });
    await line.run(workflowId, '2026-11-20');
    await skip(line, 'up');
    expect(await line.drain(await line.worker())).toEqual(['real']);
    expect(await one(line, 'dry')).toMatchObject({ status: 'succeeded', reason: 'skipped' });
  });

  test('crosses cycles only where the dependency says so', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', {
      nodes: [
        node('up'),
        { ...node('real'), needs: [{ node: 'up', cycle: 'previous' }] },
        { ...node('dry'), needs: [{ node: 'up', cycle: 'previous', inheritDryRun: true }] },
        node('chained', [], { selfDependence: true }),
        node('chained_dry', [], { selfDependence: { inheritDryRun: true } }),
        node('parent', [], { childDependence: true }),
        node('child', ['parent']),
        node('parent_dry', [], { childDependence: { inheritDryRun: true } }),
        node('child_of_dry', ['parent_dry']),
      ],
    });
    await line.generator.generateDue();
    for (const name of ['up', 'chained', 'chained_dry', 'child', 'child_of_dry'])
      await skip(line, name);
    line.clock.set('2026-11-22T14:30:00Z');
    await line.generator.generateDue();
    line.clock.set('2026-11-22T17:00:00Z');
    await line.drain(await line.worker());
    const reasons: Record<string, unknown> = {};
    for (const name of ['real', 'dry', 'chained', 'chained_dry', 'parent', 'parent_dry'])
      reasons[name] = (await one(line, name, `bizdate = '2026-11-22'`))['reason'];
    expect(reasons).toEqual({
      real: null,
      dry: 'skipped',
      chained: null,
      chained_dry: 'skipped',
      parent: null,
      parent_dry: 'skipped',
    });
  });

  test('is inherited from an upstream that had ended before its downstream was planned', async () => {
    await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
    await line.submit('w', {
      nodes: [
        node('up'),
        { ...node('dry'), needs: [{ node: 'up', cycle: 'previous', inheritDryRun: true }] },
      ],
    });
    await line.generator.generateDue();
    await skip(line, 'up');
    line.clock.set('2026-11-22T14:30:00Z');
    const worker = await line.worker();
    expect(await line.drain(worker)).toEqual(['dry']);
    await line.generator.generateDue();
    line.clock.set('2026-11-22T17:00:00Z');
    expect(await line.drain(worker)).toEqual(['up']);
    expect(await one(line, 'dry', `bizdate = '2026-11-22'`)).toMatchObject({
      status: 'succeeded',
      reason: 'skipped',
    });
  });
});

/** How many statements planning a workflow of so many nodes sends. */
async function statementsFor(count: number): Promise<number> {
  await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
  await line.submit('up', { nodes: [node('u')] });
  const { workflowId } = await line.submit('w', {
    nodes: Array.from({ length: count }, (_, no) => ({
      ...node(`n${no}`, [], { selfDependence: true, schedule: { cron: '0 */6 * * *' } }),
      needs: no === 0 ? [need('up', 'u')] : [`n${no - 1}`, { node: 'n0', cycle: 'previous' }],
    })),
  });
  const [version] = await line.database.rows<{ id: number }>(
    `SELECT id FROM workflow_version WHERE workflow_id = $1`,
    [workflowId],
  );
  await line.generator.generateDue();
  const [group] = await line.database.rows<{ id: number }>(`SELECT id FROM run_group`);
  let statements = 0;
  await line.database.transaction(async (tx) => {
    const counting: Sql = {
      rows: async (text, values) => {
        statements += 1;
        return await tx.rows(text, values);
      },
      run: async (text, values) => {
        statements += 1;
        return await tx.run(text, values);
      },
      copy: async (into, rows) => {
        statements += 1;
        return await tx.copy(into, rows);
      },
      send: async (text, values) => {
        statements += 1;
        await tx.send(text, values);
      },
      expectMany: async () => await tx.expectMany(),
      keepsPlans: tx.keepsPlans,
    };
    const plan = await planWorkflow(counting, {
      workspaceId: line.workspaceId,
      workflowId,
      versionId: version?.id ?? 0,
      timezone: SHANGHAI,
      runGroupId: group?.id ?? 0,
      planDay: '2026-11-22',
      bizdate: '2026-11-22' as Bizdate,
    });
    expect(plan.edges.length + plan.outerEdges.length).toBeGreaterThan(count * 4);
  });
  return statements;
}

test('planning sends the same number of statements for 200 nodes as for 5', async () => {
  expect(await statementsFor(200)).toBe(await statementsFor(5));
});
