import { expect, test } from '@jest/globals';

import { dropAwaited } from '../../../src/store/sql/drop-awaited.sql.js';
import { Backfills } from '../../support/backfills.js';
import { brokenInvariants } from '../../support/invariants.js';
import { type InstanceView, Line, node } from '../../support/line.js';

const BIZDATE = '2026-11-21';

async function one(line: Line, name: string): Promise<InstanceView> {
  const [found, ...more] = await line.instances(`n.name = '${name}' AND bizdate = '${BIZDATE}'`);
  if (found === undefined || more.length > 0) throw new Error(`${name}: ${more.length + 1} found`);
  return found;
}

async function keyOf(line: Line, name: string): Promise<{ planDay: string; id: number }> {
  const { plan_day: planDay, id } = await one(line, name);
  return { planDay, id };
}

async function awaited(line: Line): Promise<number> {
  return (await line.database.rows(`SELECT FROM awaited_edge`)).length;
}

/** The downstream of the evening is planned, its upstream in a zone that comes later is not. */
async function waiting(): Promise<Line> {
  const line = await Line.open({ now: '2026-11-21T04:00:00Z' });
  await line.submit('up', {
    timezone: 'America/Los_Angeles',
    schedule: { cron: '0 1 * * *' },
    nodes: [node('u')],
  });
  await line.submit('down', {
    schedule: { cron: '0 23 * * *' },
    nodes: [{ ...node('d'), needs: [{ workflow: 'up', node: 'u' }] }],
  });
  line.clock.set('2026-11-21T14:30:00Z');
  await line.generator.generateDue();
  expect(await one(line, 'd')).toMatchObject({ status: 'waiting_upstream', pending: 1 });
  expect(await awaited(line)).toBe(1);
  return line;
}

/** On a plan day after that of the downstream. */
async function planUpstream(line: Line): Promise<void> {
  await line.database.run(
    `INSERT INTO plan (workspace_id, timezone, bizdate, plan_day, state, revision)
     VALUES ($1, 'America/Los_Angeles', $2, (clock_timestamp() AT TIME ZONE 'UTC')::date + 1,
             'planned', 0)`,
    [line.workspaceId, BIZDATE],
  );
  line.clock.set('2026-11-22T06:30:00Z');
  await line.generator.generateDue();
  expect(await awaited(line)).toBe(0);
}

test('a forced rerun passes over an upstream that is planned later, and its next rerun does not', async () => {
  await using line = await waiting();
  await line.commands.forceInstance({ ...(await keyOf(line, 'd')), userId: 1 });
  expect(await one(line, 'd')).toMatchObject({ status: 'waiting_time', pending: 0 });
  expect(await line.wrongPendings()).toBe(0);
  const why = await line.commands.explainInstance(await keyOf(line, 'd'));
  expect(why.reasons.map(({ gate }) => gate)).toEqual(['time']);
  await planUpstream(line);
  expect(await one(line, 'd')).toMatchObject({ status: 'waiting_time', pending: 0 });
  line.clock.set('2026-11-22T16:00:00Z');
  const worker = await line.worker();
  expect((await line.drain(worker)).toSorted()).toEqual(['d', 'u', 'u']);
  expect(await line.wrongPendings()).toBe(0);
  await line.commands.rerunInstance({ ...(await keyOf(line, 'u')), userId: 1 });
  await line.commands.rerunInstance({ ...(await keyOf(line, 'd')), userId: 1 });
  expect(await one(line, 'd')).toMatchObject({ status: 'waiting_upstream', pending: 1 });
  expect(await line.drain(worker)).toEqual(['u', 'd']);
  expect(await brokenInvariants(line.database)).toEqual([]);
});

test('a rerun before the upstream is planned awaits it again', async () => {
  await using line = await waiting();
  await line.commands.forceInstance({ ...(await keyOf(line, 'd')), userId: 1 });
  line.clock.set('2026-11-21T16:00:00Z');
  await line.commands.stopInstance({ ...(await keyOf(line, 'd')), userId: 1 });
  await line.commands.rerunInstance({ ...(await keyOf(line, 'd')), userId: 1 });
  expect(await one(line, 'd')).toMatchObject({ status: 'waiting_upstream', pending: 1 });
  await planUpstream(line);
  line.clock.set('2026-11-22T16:00:00Z');
  const ran = await line.drain(await line.worker());
  expect(ran.indexOf('d')).toBe(2);
  expect(await brokenInvariants(line.database)).toEqual([]);
});

test('what was passed over and is never planned is let go without being counted', async () => {
  await using line = await waiting();
  await line.commands.forceInstance({ ...(await keyOf(line, 'd')), userId: 1 });
  await line.database.run(`UPDATE workflow SET scheduled = false WHERE name = 'up'`);
  const dropped = await line.database.transaction((tx) => dropAwaited(tx, line.clock.now()));
  expect(dropped).toBe(1);
  expect(await one(line, 'd')).toMatchObject({ status: 'waiting_time', pending: 0 });
  expect(await brokenInvariants(line.database)).toEqual([]);
});

test('a rerun with downstream and its preview find children on an earlier plan day', async () => {
  await using line = await waiting();
  await planUpstream(line);
  line.clock.set('2026-11-22T16:00:00Z');
  const worker = await line.worker();
  expect(await line.drain(worker)).toHaveLength(3);
  const keys = [await keyOf(line, 'u')];
  const { workspaceId } = line;
  const operation = 'rerun-downstream';
  const foreseen = await line.commands.previewOperation({ workspaceId, operation, keys });
  expect(foreseen.downstream.map(({ instance, effect }) => [instance.nodeName, effect])).toEqual([
    ['d', 'runs again'],
  ]);
  expect(await line.commands.rerunWide({ operation, keys, userId: 1 })).toMatchObject({ along: 1 });
  expect(await one(line, 'd')).toMatchObject({ status: 'waiting_upstream', pending: 1 });
  expect(await line.drain(worker)).toEqual(['u', 'd']);
  expect(await brokenInvariants(line.database)).toEqual([]);
});

test('a backfill goes past a frozen node that it leaves out', async () => {
  await using b = await Backfills.open([node('a'), node('b', ['a']), node('c', ['b'])]);
  const { line, workflowId } = b;
  await line.commands.setNodeFrozen({ workflowId, node: 'b', frozen: true, withInstances: false });
  await b.start({ dates: ['2026-11-01'], scope: { mode: 'nodes', nodes: ['a', 'c'] } });
  expect(await line.drain(await line.worker())).toEqual(['a', 'c']);
  await b.start({ dates: ['2026-11-02'] });
  expect(await line.drain(await line.worker())).toEqual(['a']);
});
